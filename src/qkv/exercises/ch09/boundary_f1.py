"""How well the cuts of words agree with the true ones."""

from itertools import accumulate

from qkv.checking.exercise import Exercise, Mistake

Words = list[list[str]]


def boundary_f1(true: list[list[str]], found: list[list[str]]) -> float:
    return _f1(*_counts(true, found, _cuts))


def _cuts(pieces):
    return {*accumulate(map(len, pieces[:-1]))}


def _with_the_end(pieces):
    return {*accumulate(map(len, pieces))}


def _counts(true, found, cuts):
    """How many cuts are in both, are true, and are found."""
    pairs = [(cuts(t), cuts(f)) for t, f in zip(true, found, strict=True)]
    both = sum(len(t & f) for t, f in pairs)
    return both, sum(len(t) for t, _ in pairs), sum(len(f) for _, f in pairs)


def _f1(both, true, found):
    return 2 * both / (true + found) if true + found else 0.0


def _precision(true, found):
    both, _, cut = _counts(true, found, _cuts)
    return both / cut if cut else 0.0


def _recall(true, found):
    both, wanted, _ = _counts(true, found, _cuts)
    return both / wanted if wanted else 0.0


def _of_words(true, found):
    each = [boundary_f1([t], [f]) for t, f in zip(true, found, strict=True)]
    return sum(each) / len(each)


def _numbers_of_cuts(true, found):
    sizes = [(len(t) - 1, len(f) - 1) for t, f in zip(true, found, strict=True)]
    both = sum(min(size) for size in sizes)
    return _f1(both, sum(t for t, _ in sizes), sum(f for _, f in sizes))


def _whole_words(true, found):
    return sum(map(list.__eq__, true, found)) / len(true)


CASES = {
    "three words": (
        [["un", "afford", "able"], ["build", "er", "s"], ["over", "turn", "ed"]],
        [["un", "afford", "able"], ["build", "ers"], ["ov", "er", "tur", "n", "ed"]],
    ),
    "the same piece elsewhere": (
        [["re", "test"], ["out", "rest", "ing"], ["help"]],
        [["r", "e", "te", "st"], ["outre", "st", "ing"], ["he", "lp"]],
    ),
    "many cuts too many": (
        [["form"], ["form", "s"], ["re", "form"]],
        [["f", "o", "r", "m"], ["form", "s"], ["re", "f", "orm"]],
    ),
    "no cut is right": ([["un", "fold"]], [["u", "nfold"]]),
    "nothing is cut": ([["un", "fold"], ["able"]], [["unfold"], ["able"]]),
}

EXERCISE = Exercise(
    id="9.4",
    title="Are the cuts in the right places?",
    minutes=8,
    difficulty=2,
    reference=boundary_f1,
    cases={
        name: lambda case=case: tuple([[*w] for w in side] for side in case)
        for name, case in CASES.items()
    },
    mistakes={
        "end of the word": Mistake(
            "the end of each word has been counted as a cut. Everybody finds it, and "
            "the score is too good",
            lambda true, found: _f1(*_counts(true, found, _with_the_end)),
        ),
        "mean of the words": Mistake(
            "each word has got an F1 of its own, and these have been averaged, so "
            "that a word with one cut weighs as much as one with five, and a word "
            "without any cut counts as wrong. Count over all words, and divide once",
            _of_words,
        ),
        "precision": Mistake(
            "this is the precision: which share of the found cuts is true. Whoever "
            "hardly ever cuts would have a good one",
            _precision,
        ),
        "recall": Mistake(
            "this is the recall: which share of the true cuts is found. Whoever cuts "
            "everywhere would have a perfect one",
            _recall,
        ),
        "arithmetic mean": Mistake(
            "this is (precision + recall) / 2; F1 is their harmonic mean, 2PR / (P + "
            "R). It is low where either is low",
            lambda true, found: (_precision(true, found) + _recall(true, found)) / 2,
        ),
        "pieces": Mistake(
            "pieces have been compared, not cuts: a piece is right only if both its "
            "ends are",
            lambda true, found: _f1(*_counts(true, found, set)),
        ),
        "lengths": Mistake(
            "the lengths of the pieces have been compared. A cut stands where all "
            "pieces before it end: their lengths are added up",
            lambda true, found: _f1(
                *_counts(true, found, lambda word: {len(p) for p in word[:-1]})
            ),
        ),
        "how many": Mistake(
            "only the number of cuts has been compared, not their places",
            _numbers_of_cuts,
        ),
        "whole words": Mistake(
            "this is the share of words that are right as a whole",
            _whole_words,
        ),
    },
    hints=(
        "a cut is a place: un|afford|able has one after 2 letters and one after 8.",
        "a set of the cuts of each word: len(true & found) of them are in both.",
        "F1 is 2 · both / (number of true cuts + number of found cuts), each summed "
        "over all words.",
    ),
    trained=False,
)
