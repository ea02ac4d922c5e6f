"""Bug hunt: windows that are split at random.

The question: ``count`` windows, each beginning one step after the one before, are to be
split: the last ``share`` of them for the test, and to train all of whose values none is
one that a test window has to forecast. The given code runs, and makes a bad model look
many times as good as it is.
"""

import torch

from qkv.checking.exercise import Exercise, Mistake


def split(count: int, horizon: int, share: float) -> tuple[list[int], list[int]]:
    return _apart(count, horizon, share, horizon - 1)


def _apart(count, horizon, share, gap):
    begin = count - round(share * count)
    return [*range(max(0, begin - gap))], [*range(begin, count)]


def _at_random(count: int, horizon: int, share: float) -> tuple[list[int], list[int]]:
    test = round(share * count)
    generator = torch.Generator().manual_seed(0)
    order = torch.randperm(count, generator=generator).tolist()
    return order[test:], order[:test]


def _in_order(count, horizon, share):
    train, test = _at_random(count, horizon, share)
    return sorted(train), sorted(test)


def _test_first(count, horizon, share):
    test = round(share * count)
    return [*range(test, count)], [*range(test)]


def _every_other(count, horizon, share):
    step = round(1 / share)
    test = range(step - 1, count, step)
    return [n for n in range(count) if n not in test], [*test]


def _test_cut(count, horizon, share):
    train, test = _apart(count, horizon, share, 0)
    return train, test[horizon - 1 :]


def _test_trained(count, horizon, share):
    return [*range(count)], split(count, horizon, share)[1]


EXERCISE = Exercise(
    id="14.7",
    title="Bug hunt: many times as good",
    minutes=10,
    difficulty=3,
    reference=split,
    cases={
        "three steps ahead": lambda: (20, 3, 0.25),
        "one step ahead": lambda: (12, 1, 0.25),
        "a long horizon": lambda: (50, 13, 0.2),
        "a large test": lambda: (30, 5, 0.5),
    },
    mistakes={
        "no gap": Mistake(
            "split in time, but the last windows to train have futures that reach "
            "into those of the first test window: with horizon H the H − 1 windows "
            "just before the test already know some of its answers. Leave them out",
            lambda count, horizon, share: _apart(count, horizon, share, 0),
        ),
        "gap too wide": Mistake(
            "one window too many has been left out: one step ahead nothing overlaps, "
            "and nothing needs to go. H − 1 windows do",
            lambda count, horizon, share: _apart(count, horizon, share, horizon),
        ),
        "sorted": Mistake(
            "the numbers are in order now, but which of them are in the test is still "
            "drawn: each test window has neighbours in training that share all its "
            "values but one",
            _in_order,
        ),
        "test first": Mistake(
            "the test is at the beginning: the model is trained on the future, and "
            "asked about the past",
            _test_first,
        ),
        "every other": Mistake(
            "every few windows one is for the test: it has trained neighbours on both "
            "sides, and no question is left to ask. The test is the last part of all",
            _every_other,
        ),
        "gap in the test": Mistake(
            "the windows between have been taken out of the test; it is to have its "
            "whole share. Take them out of training",
            _test_cut,
        ),
        "trained on all": Mistake(
            "training has all windows, those of the test among them",
            _test_trained,
        ),
    },
    hints=(
        "two windows side by side share all their values but one at each end. Which "
        "windows of the given split have such a neighbour on the other side?",
        "the test is the last part. Its first window, number k, first asks for the "
        "value just after its past. Which windows before it have that value in their "
        "future?",
        "window i asks for the values i + L to i + L + H − 1, the first one of the "
        "test is k + L: so i goes up to k − H.",
    ),
    results=("train", "test"),
    given=_at_random,
    trained=False,
)
