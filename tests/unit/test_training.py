"""The training loop: what it computes, and what it survives."""

import errno
import math
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from qkv._models import beside
from qkv.data import (
    EOS,
    PAD,
    AssociativeRecall,
    Batch,
    DateLanguage,
    DictatedNumbers,
    Digits,
    FourNeighbours,
    Images,
    Questions,
    Reversal,
    TokenBack,
)
from qkv.recurrent import AttentionSeq2Seq, Seq2Seq
from qkv.training import FitSettings, History, accuracy, fit, sequence_loss, update

NUMBERS = DictatedNumbers((1, 5))
SIZES = {"d_embedding": 5, "d_hidden": 7}


def small_model(seed: int = 0, kind: type = Seq2Seq) -> nn.Module:
    torch.manual_seed(seed)
    return kind(len(NUMBERS.source_vocab), len(NUMBERS.target_vocab), **SIZES)


class Forgetful(nn.Module):
    """A model that draws random numbers while it is trained."""

    def __init__(self) -> None:
        super().__init__()
        self.model = small_model()
        self.dropout = nn.Dropout(0.3)

    def forward(self, source, source_lengths, target_in):
        return self.dropout(self.model(source, source_lengths, target_in))


def forgetful() -> Forgetful:
    torch.manual_seed(0)
    return Forgetful()


def batches(seed: int = 0, batch_size: int = 11):
    return NUMBERS.batches(batch_size=batch_size, seed=seed)


def same_weights(one: nn.Module, other: nn.Module) -> bool:
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


# ------------------------------------------------------------------------------- loss


def test_loss_by_hand():
    logits = torch.tensor([[[0.0, 0, math.log(2), 0]] * 3])  # shares 1, 1, 2, 1 of 5
    target = torch.tensor([[2, 3, PAD]])
    expected = (math.log(5 / 2) + math.log(5)) / 2
    assert sequence_loss(logits, target).item() == pytest.approx(expected)


def test_loss_of_a_sentence_does_not_depend_on_its_padding():
    torch.manual_seed(0)
    logits, target = torch.randn(2, 7, 11), torch.randint(1, 11, (2, 7))
    target[:, 5:] = PAD
    whole, cut = (
        sequence_loss(logits, target),
        sequence_loss(logits[:, :5], target[:, :5]),
    )
    assert torch.equal(whole, cut)


def test_loss_leaves_padding_without_a_gradient():
    logits = torch.randn(2, 3, 5, requires_grad=True)
    sequence_loss(logits, torch.tensor([[4, EOS, PAD], [EOS, PAD, PAD]])).backward()
    reached = logits.grad.abs().sum(-1) > 0
    assert reached.tolist() == [[True, True, False], [True, False, False]]


def test_loss_names_both_shapes():
    with pytest.raises(ValueError, match=r"target 3, but a target of .* target 2"):
        sequence_loss.__wrapped__(torch.zeros(2, 3, 5), torch.zeros(2, 2).long())


@pytest.mark.parametrize("shape", [(), (7,), (3, 5), (2, 3, 5), (2, 3, 5, 1)])
def test_loss_over_any_number_of_axes(shape):
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(*shape, 11, generator=generator)
    target = torch.randint(1, 11, shape, generator=generator)
    chances = logits.double().softmax(-1).reshape(-1, 11)
    costs = [
        -math.log(row[t]) for row, t in zip(chances, target.reshape(-1), strict=True)
    ]
    assert sequence_loss(logits, target).item() == pytest.approx(
        sum(costs) / len(costs)
    )


def test_loss_is_the_same_bits_whatever_the_axes():
    logits, target = torch.randn(2, 3, 4, 11), torch.randint(0, 11, (2, 3, 4))
    flat = sequence_loss(logits.reshape(24, 11), target.reshape(24))
    assert torch.equal(sequence_loss(logits, target), flat)
    assert torch.equal(sequence_loss(logits.flatten(1, 2), target.flatten(1)), flat)


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.7])
def test_smoothed_loss_is_torchs_over_the_real_tokens(smoothing):
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(2, 7, 11, generator=generator, requires_grad=True)
    target = torch.randint(1, 11, (2, 7), generator=generator)
    target[0, 3:] = PAD
    loss = sequence_loss(logits, target, label_smoothing=smoothing)
    real = target != PAD
    expected = nn.functional.cross_entropy(
        logits[real], target[real], label_smoothing=smoothing
    )
    torch.testing.assert_close(loss, expected)
    (ours,) = torch.autograd.grad(loss, logits)
    (torchs,) = torch.autograd.grad(expected, logits)
    torch.testing.assert_close(ours, torchs)
    assert (ours[~real] == 0).all()


def test_smoothed_loss_by_hand():
    logits = torch.tensor([[0.0, 0, math.log(2), 0]])  # shares 1, 1, 2, 1 of 5
    loss = sequence_loss(logits, torch.tensor([2]), label_smoothing=0.2)
    expected = 0.85 * math.log(5 / 2) + 3 * 0.05 * math.log(5)
    assert loss.item() == pytest.approx(expected)


@pytest.mark.parametrize("smoothing", [-0.1, 1.0, math.nan])
def test_smoothing_is_a_share(smoothing):
    said = f"label_smoothing is {smoothing}, but is a share"
    with pytest.raises(ValueError, match=said):
        sequence_loss(torch.zeros(1, 5), torch.tensor([3]), label_smoothing=smoothing)
    with pytest.raises(ValueError, match=said):
        FitSettings(label_smoothing=smoothing)


# --------------------------------------------------------------------------- accuracy


class Told(nn.Module):
    """A model that says what it was told, and checks how it is used."""

    def __init__(self, answers: torch.Tensor) -> None:
        super().__init__()
        self.logits = nn.Parameter(nn.functional.one_hot(answers, 7).float())
        self.dropout = nn.Dropout(0.5)

    def forward(self, source):
        assert not self.training
        assert not self.dropout.training
        assert not torch.is_grad_enabled()
        return self.dropout(self.logits)


def test_accuracy_by_hand_leaves_out_what_is_not_asked():
    target = torch.tensor([[1, 2, 0], [0, 3, 4]])
    told = torch.tensor([[1, 5, 0], [6, 3, 0]])  # right twice of four
    questions = Questions(torch.ones(2, 3).long(), target)
    assert accuracy(Told(told), questions) == 0.5
    assert accuracy(Told(target), questions) == 1.0
    assert accuracy(Told(target + 1), questions) == 0.0


@pytest.mark.parametrize("shape", [(5,), (5, 3), (5, 3, 4)])
def test_accuracy_over_any_number_of_axes(shape):
    target = torch.randint(1, 6, shape)
    told = target.clone()
    told[2] = 6
    questions = Questions(torch.ones(5, 3).long(), target)
    assert accuracy(Told(told), questions) == pytest.approx(0.8)


def test_accuracy_of_a_translator_counts_its_tokens():
    model, batch = small_model(), next(batches())
    right = asked = 0
    for row, length in enumerate((batch.target != PAD).sum(1)):
        said = model(*batch.inputs)[row].argmax(-1)[:length]
        right += (said == batch.target[row, :length]).sum().item()
        asked += length.item()
    assert accuracy(model, batch) == pytest.approx(right / asked)


@pytest.mark.parametrize("training", [True, False])
def test_accuracy_leaves_the_mode_as_it_was(training):
    questions = Questions(torch.ones(2, 3).long(), torch.ones(2, 3).long())
    model = Told(questions.target).train(training)
    accuracy(model, questions)
    assert model.training is model.dropout.training is training

    model.logits = nn.Parameter(torch.zeros(2, 2, 7))  # an error within changes nothing
    with pytest.raises(ValueError, match=r"target 2, but a target of .* target 3"):
        accuracy.__wrapped__(model, questions)
    assert model.training is model.dropout.training is training


def test_accuracy_of_no_question_is_an_error():
    nothing = Questions(torch.ones(2, 3).long(), torch.zeros(2).long())
    with pytest.raises(ValueError, match="nothing is asked"):
        accuracy(Told(nothing.target), nothing)


# ------------------------------------------------------------------ what is not asked


def classifier() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 10))


def test_a_batch_says_what_is_not_asked():
    sentence = next(batches())
    assert sentence.ignored == Reversal().sample(1, seed=0).ignored == PAD
    assert Images.ignored == -100


def test_class_0_of_images_counts():
    labels = torch.tensor([0, 3, 0, -100, 5])
    images = Images(torch.rand(5, 1, 2, 2), labels)
    told = torch.tensor([0, 3, 1, 6, 0])  # right twice of four
    assert accuracy(Told(told), images) == 0.5
    logits = Told(told).logits
    loss = sequence_loss(logits, labels, ignored=images.ignored)
    assert torch.equal(loss, nn.functional.cross_entropy(logits, labels))
    assert not torch.equal(loss, sequence_loss(logits[:3], labels[:3]))


def test_images_of_no_known_class_are_an_error():
    nothing = Images(torch.rand(2, 1, 2, 2), torch.tensor([-100, -100]))
    with pytest.raises(ValueError, match="every target is -100, which is not asked"):
        accuracy(Told(nothing.labels.relu()), nothing)


@pytest.mark.parametrize("smoothing", [0.0, 0.3])
def test_a_step_on_images_is_torchs(smoothing):
    model, by_hand = classifier(), classifier()
    settings = {"clip_norm": 1e9, "label_smoothing": smoothing}
    images = next(Digits().batches(batch_size=13, seed=0))
    assert 0 in images.labels
    loss = update(
        model, images, torch.optim.SGD(model.parameters(), lr=0.5), **settings
    )
    expected = nn.functional.cross_entropy(
        by_hand(images.pixels), images.labels, label_smoothing=smoothing
    )
    expected.backward()
    torch.optim.SGD(by_hand.parameters(), lr=0.5).step()
    assert loss == expected.item()
    assert same_weights(model, by_hand)


def test_training_on_images_goes_on_from_its_checkpoint(tmp_path):
    def batches():
        return Digits().batches(batch_size=13, seed=0)

    whole, resumed = classifier(), classifier()
    fit(whole, batches(), steps=7)
    fit(classifier(), batches(), steps=3, checkpoint=tmp_path / "digits.pt")
    fit(resumed, batches(), steps=7, checkpoint=tmp_path / "digits.pt")
    assert same_weights(whole, resumed)


# -------------------------------------------------------------- what a batch has to say


@dataclass(frozen=True)
class Squared:
    """Numbers to be foretold, which may be elsewhere than the model."""

    source: Tensor
    target: Tensor

    @property
    def inputs(self):
        return (self.source,)

    def loss(self, output, target):
        return (output - target).square().mean()


def test_a_batch_brings_its_own_loss():
    torch.manual_seed(0)
    model, by_hand = nn.Linear(3, 2), nn.Linear(3, 2)
    by_hand.load_state_dict(model.state_dict())
    batch = Squared(torch.randn(7, 3), torch.randn(7, 2))
    sgd = torch.optim.SGD(model.parameters(), lr=0.5)
    loss = update(model, batch, sgd, clip_norm=1e9)
    expected = nn.functional.mse_loss(by_hand(batch.source), batch.target)
    expected.backward()
    torch.optim.SGD(by_hand.parameters(), lr=0.5).step()
    assert loss == expected.item()
    assert same_weights(model, by_hand)


class Shy(nn.Linear):
    """A layer that is to answer little: it adds its mean square to the loss."""

    def auxiliary_loss(self, x):
        return self(x).square().mean()


def test_a_module_adds_its_loss_each_time_it_is_called():
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.shy = Shy(3, 3)

        def forward(self, x):
            return self.shy(self.shy(x))

    torch.manual_seed(0)
    model, batch = Twice(), Squared(torch.randn(7, 3), torch.randn(7, 3))
    once = model.shy(batch.source)
    twice = model.shy(once)
    expected = batch.loss(twice, batch.target) + once.square().mean()
    expected = (expected + twice.square().mean()).item()
    sgd = torch.optim.SGD(model.parameters(), lr=0.0)
    found = [update(model, batch, sgd, clip_norm=1e9) for _ in range(2)]
    assert found == pytest.approx([expected, expected])
    assert not model.shy._forward_hooks


@pytest.mark.parametrize("wrap", [tuple, list, torch.stack])
def test_a_pair_as_a_data_loader_gives_it_is_no_batch(wrap, as_readers_run_it):
    pair = wrap([torch.ones(2, 3), torch.ones(2, 3)])
    said = rf"a batch is of type {type(pair).__name__}, .*Questions\(x, y\) of tokens"
    with pytest.raises(TypeError, match=said):
        fit(nn.Linear(3, 3), [pair], steps=1)
    with pytest.raises(TypeError, match=said):
        accuracy(nn.Linear(3, 3), pair)


def test_a_pair_is_no_batch_either_where_training_goes_on(tmp_path):
    path = tmp_path / "run.pt"
    fit(small_model(), batches(), steps=2, checkpoint=path)
    pair = (torch.ones(2, 3), torch.ones(2, 3))
    with pytest.raises(
        TypeError, match=r"a batch is of type tuple, .*Questions\(x, y\)"
    ):
        fit(small_model(), iter([pair] * 9), steps=5, checkpoint=path)


@pytest.mark.usefixtures("as_readers_run_it")
def test_lists_in_a_batch_are_named():
    questions = Questions([[5, 6]], [3])
    with pytest.raises(
        TypeError, match=r"input 0 of the model is of type list, .*torch"
    ):
        fit(nn.Linear(3, 3), [questions], steps=1)
    with pytest.raises(TypeError, match="input 1 of the model is of type list"):
        accuracy(nn.Linear(3, 3), Questions(torch.ones(1, 2), [3]))


class Elsewhere:
    """A tensor on another device, as far as a model can tell: it has to be fetched."""

    def __init__(self, tensor: Tensor) -> None:
        self.tensor = tensor

    def __len__(self) -> int:
        return len(self.tensor)

    def to(self, device: torch.device) -> Tensor:
        assert device == torch.device("cpu")
        return self.tensor


def test_a_batch_goes_where_the_model_is(as_readers_run_it):
    source, target = torch.randn(7, 3), torch.randn(7, 2)
    losses = []
    for batch in (
        Squared(source, target),
        Squared(Elsewhere(source), Elsewhere(target)),
    ):
        torch.manual_seed(0)
        losses.append(fit(nn.Linear(3, 2), [batch] * 3, steps=3).losses)
    assert losses[0] == losses[1]
    images = next(Digits().batches(batch_size=13, seed=0))
    elsewhere = Images(Elsewhere(images.pixels), Elsewhere(images.labels))
    model = classifier()
    assert accuracy(model, elsewhere) == accuracy(model, images)


def test_tensors_are_brought_to_a_model_and_stay_where_there_is_no_weight():
    x = torch.ones(2)
    assert beside(nn.Linear(2, 2, device="meta"), x, x)[1].is_meta
    assert beside(nn.Flatten(), x)[0] is x


# ------------------------------------------------------------------------------- loop


def test_fit_is_the_loop_anyone_would_write():
    model, by_hand = small_model(), small_model()
    history = fit(model, batches(), steps=7)

    optimizer = torch.optim.Adam(by_hand.parameters(), lr=3e-3, fused=True)
    losses = []
    for batch in islice(batches(), 7):
        logits = by_hand(batch.source, batch.source_lengths, batch.target_in)
        loss = nn.functional.cross_entropy(
            logits.flatten(0, 1), batch.target.flatten(), ignore_index=PAD
        )
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(by_hand.parameters(), 1.0)
        optimizer.step()
        losses.append(loss.item())
    assert history.losses == losses
    assert same_weights(model, by_hand)


def test_fit_learns():
    quickly = FitSettings(learning_rate=0.03)
    history = fit(small_model(), batches(), steps=60, settings=quickly)
    assert sum(history.losses[-5:]) < 0.8 * sum(history.losses[:5])
    assert history.cpu_seconds > 0
    assert repr(history) == "History(60 steps, 0 times watched)"


def test_settings_are_used():
    still, clipped, free = small_model(), small_model(), small_model()
    fit(still, batches(), steps=1, settings=FitSettings(learning_rate=1e-30))
    assert same_weights(still, small_model())
    # Adam's first step does not depend on the gradient's length, its second does
    fit(clipped, batches(), steps=2, settings=FitSettings(clip_norm=0.1))
    fit(free, batches(), steps=2, settings=FitSettings(clip_norm=1e9))
    assert not same_weights(clipped, free)


def test_the_learning_rate_falls_in_a_straight_line():
    by_hand, model = small_model(), small_model()
    optimizer = torch.optim.Adam(by_hand.parameters(), lr=0.01, fused=True)
    schedule = torch.optim.lr_scheduler.LinearLR(
        optimizer, start_factor=1.0, end_factor=1e-12, total_iters=5
    )
    for batch in islice(batches(), 5):
        update(by_hand, batch, optimizer, clip_norm=1.0)
        schedule.step()
    fit(model, batches(), steps=5, settings=FitSettings(0.01, decay_over=5))
    for ours, torchs in zip(model.parameters(), by_hand.parameters(), strict=True):
        torch.testing.assert_close(ours, torchs)
    before = [p.clone() for p in model.parameters()]
    fit(model, batches(), steps=1, settings=FitSettings(0.01, decay_over=1))
    assert not all(map(torch.equal, before, model.parameters()))


@pytest.mark.parametrize(
    "wrong",
    [
        {"learning_rate": -1.0},
        {"decay_over": -1},
        {"clip_norm": -1.0},
        {"save_every": -1},
    ],
    ids=str,
)
def test_settings_are_positive(wrong):
    (name,) = wrong
    with pytest.raises(ValueError, match=f"{name} must be .*, not -1"):
        FitSettings(**wrong)


@pytest.mark.usefixtures("as_readers_run_it")
@pytest.mark.parametrize("name", ["decay_over", "save_every", "warmup"])
def test_settings_that_count_are_whole_numbers(name):
    with pytest.raises(TypeError, match=f"{name} is 2.5, but must be a whole number"):
        FitSettings(**{name: 2.5})


@pytest.mark.usefixtures("as_readers_run_it")
@pytest.mark.parametrize("name", ["steps", "watch_every"])
def test_steps_are_counted_in_whole_numbers(name):
    with pytest.raises(TypeError, match=f"{name} is 2.5, but must be a whole number"):
        fit(small_model(), batches(), **({"steps": 1} | {name: 2.5}))
    with pytest.raises(ValueError, match=f"{name} must be at least ., not -1"):
        fit(small_model(), batches(), **({"steps": 1} | {name: -1}))


@pytest.mark.parametrize(("d_model", "warmup"), [(512, 4000), (64, 7)])
def test_the_inverse_square_root_is_the_papers(d_model, warmup):
    highest = (d_model * warmup) ** -0.5
    settings = FitSettings(highest, schedule="inverse_sqrt", warmup=warmup)
    for step in [1, 2, 3, 7, 100, 3999, 4000, 4001, 100_000]:
        paper = d_model**-0.5 * min(step**-0.5, step * warmup**-1.5)
        assert settings.rate(step) == pytest.approx(paper, rel=1e-12)
    assert max(map(settings.rate, range(1, 2 * warmup))) == settings.rate(warmup)
    assert settings.rate(warmup) == highest


def rates(steps: int, **settings) -> list[float]:
    return [FitSettings(8.0, **settings).rate(n) for n in range(1, steps + 1)]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, [8, 8, 8, 8, 8]),
        ({"schedule": "constant", "warmup": 4}, [2, 4, 6, 8, 8]),
        ({"decay_over": 4}, [8, 6, 4, 2, 0]),
        ({"schedule": "linear", "decay_over": 4}, [8, 6, 4, 2, 0]),
        ({"decay_over": 6, "warmup": 2}, [4, 8, 8, 6, 4, 2, 0, 0]),
        ({"schedule": "inverse_sqrt", "warmup": 1}, [8, 8 / 2**0.5, 8 / 3**0.5, 4]),
    ],
    ids=str,
)
def test_rates_by_hand(settings, expected):
    assert rates(len(expected), **settings) == pytest.approx(expected)


def test_a_line_is_the_same_bits_as_ever():
    for over in (3, 7, 10, 300, 700):
        settings = FitSettings(1e-2, decay_over=over)
        for step in range(over + 2):
            assert settings.rate(step + 1) == 1e-2 * max(0.0, 1 - step / over)


@pytest.mark.parametrize(
    "settings",
    [
        FitSettings(0.05, schedule="inverse_sqrt", warmup=3),
        FitSettings(0.05, warmup=3),
        FitSettings(0.05, decay_over=7, warmup=2),
        FitSettings(0.05, label_smoothing=0.3, clip_norm=0.5),
    ],
    ids=str,
)
def test_fit_follows_its_schedule_and_smooths(settings):
    model, by_hand = small_model(), small_model()
    history = fit(model, batches(), steps=7, settings=settings)
    optimizer = torch.optim.Adam(by_hand.parameters(), lr=1.0, fused=True)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda before: settings.rate(before + 1)
    )
    losses = []
    for batch in islice(batches(), 7):
        logits = by_hand(batch.source, batch.source_lengths, batch.target_in)
        loss = nn.functional.cross_entropy(
            logits.flatten(0, 1),
            batch.target.flatten(),
            ignore_index=PAD,
            label_smoothing=settings.label_smoothing,
        )
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(by_hand.parameters(), settings.clip_norm)
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
    assert history.losses == losses
    assert same_weights(model, by_hand)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"warmup": -1}, "warmup must be at least 0, not -1"),
        ({"schedule": "cosine"}, "'cosine', but training knows 'constant', 'linear'"),
        ({"schedule": "linear"}, "'linear' and decay_over None, but 'linear' needs"),
        ({"schedule": "constant", "decay_over": 5}, "'constant' and decay_over 5"),
        (
            {"schedule": "inverse_sqrt", "warmup": 2, "decay_over": 5},
            "'inverse_sqrt' and decay_over 5",
        ),
        ({"schedule": "inverse_sqrt"}, "falls from the end of warmup, which is 0"),
        ({"decay_over": 5, "warmup": 5}, "warmup is 5 and decay_over 5"),
    ],
    ids=str,
)
def test_settings_that_contradict_each_other_are_refused(wrong, said):
    with pytest.raises(ValueError, match=said):
        FitSettings(**wrong)


def test_watch_sees_each_step_once():
    seen = []

    def watch(model: nn.Module) -> float:
        assert not model.training
        seen.append(len(seen))
        return 0.5 * len(seen)

    model = small_model()
    history = fit(model, batches(), steps=7, watch=watch, watch_every=3)
    assert [step for step, _, _ in history.watched] == [0, 3, 6, 7]
    assert [value for _, _, value in history.watched] == [0.5, 1.0, 1.5, 2.0]
    assert [spent for _, spent, _ in history.watched] == sorted(
        spent for _, spent, _ in history.watched
    )
    assert seen == [0, 1, 2, 3]


def test_watching_changes_nothing():
    watched = forgetful()
    fit(watched, batches(), steps=7, watch=lambda m: torch.rand(()), watch_every=2)
    unwatched = forgetful()
    fit(unwatched, batches(), steps=7)
    assert same_weights(watched, unwatched)


@pytest.mark.parametrize("training", [True, False])
def test_the_model_is_left_in_the_mode_it_was_in(training):
    model = small_model().train(training)
    fit(model, batches(), steps=1)
    assert model.training is training


def test_watch_every_is_positive():
    with pytest.raises(ValueError, match="watch_every must be at least 1, not 0"):
        fit(small_model(), batches(), steps=1, watch_every=0)


def test_batches_that_end_early_are_an_error():
    with pytest.raises(ValueError, match="the batches end after 2, and 5 steps"):
        fit(small_model(), list(islice(batches(), 2)), steps=5)


def test_a_loss_that_is_not_finite_names_its_step():
    model = small_model()

    def watch(model: nn.Module) -> float:
        with torch.no_grad():
            next(model.parameters()).fill_(math.nan)
        return 0.0

    # the first watching is before the first step
    with pytest.raises(FloatingPointError, match=r"step 1: the loss is nan"):
        fit(model, batches(), steps=5, watch=watch)


class Steep(nn.Module):
    """Its loss is finite, its gradient is not: the root of zero is zero, and steep."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(()))

    def forward(self, source, source_lengths, target_in):
        return self.weight.sqrt() * torch.randn(*target_in.shape, 13)


class Blind(Steep):
    """Its gradient is finite, its loss is not: one token has no chance at all."""

    def forward(self, source, source_lengths, target_in):
        chances = torch.zeros(*target_in.shape, 13).index_fill(
            2, torch.tensor(EOS), -math.inf
        )
        return chances + self.weight * torch.arange(13)


@pytest.mark.parametrize(
    ("kind", "said"), [(Steep, "gradient (nan|inf) long"), (Blind, "the loss is inf")]
)
def test_what_is_not_finite_moves_nothing(kind, said):
    model = kind()
    optimizer = torch.optim.Adam(model.parameters())
    with pytest.raises(FloatingPointError, match=said):
        update(model, next(batches()), optimizer, clip_norm=1.0)
    assert model.weight == 0


# ------------------------------------------------------- interruption and resumption


def stopping(at: int, exception: BaseException):
    """A stream that raises instead of giving its ``at``-th batch."""
    yield from islice(batches(), at)
    raise exception


@pytest.fixture
def uninterrupted() -> tuple[Forgetful, History]:
    model = forgetful()
    return model, fit(model, batches(), steps=9, watch=mean_weight, watch_every=2)


def mean_weight(model: nn.Module) -> float:
    return sum(p.mean().item() for p in model.parameters())


def assert_resumes(path: Path, uninterrupted: tuple[Forgetful, History]) -> None:
    torch.manual_seed(1234)  # another model, other random numbers: none may count
    model = Forgetful()
    for parameter in model.parameters():
        nn.init.constant_(parameter, 0.5)
    history = fit(
        model, batches(), steps=9, watch=mean_weight, watch_every=2, checkpoint=path
    )
    expected_model, expected = uninterrupted
    assert same_weights(model, expected_model)
    assert history.losses == expected.losses
    assert [(s, v) for s, _, v in history.watched] == [
        (s, v) for s, _, v in expected.watched
    ]


@pytest.mark.parametrize("at", [1, 4, 8])
def test_interrupted_by_its_batches_and_resumed(tmp_path, uninterrupted, at):
    path = tmp_path / "run.pt"
    with pytest.raises(KeyboardInterrupt):
        fit(
            forgetful(),
            stopping(at, KeyboardInterrupt()),
            steps=9,
            watch=mean_weight,
            watch_every=2,
            checkpoint=path,
        )
    assert_resumes(path, uninterrupted)


def test_interrupted_while_watched_and_resumed(tmp_path, uninterrupted):
    path, seen = tmp_path / "run.pt", []

    def watch(model: nn.Module) -> float:
        seen.append(torch.rand(()))
        if len(seen) == 3:
            raise KeyboardInterrupt
        return mean_weight(model)

    model = forgetful()
    with pytest.raises(KeyboardInterrupt):
        fit(model, batches(), steps=9, watch=watch, watch_every=2, checkpoint=path)
    assert_resumes(path, uninterrupted)


@pytest.fixture
def stop_button() -> Iterator[None]:
    """Have SIGINT raise, also where the tests run behind a shell that ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("stop_button")
@pytest.mark.parametrize("place", ["forward", "backward"])
def test_a_signal_within_a_step_waits_for_its_end(tmp_path, uninterrupted, place):
    path, model, count = tmp_path / "run.pt", forgetful(), []

    def press(*_):
        count.append(place)
        if len(count) == 5:
            os.kill(os.getpid(), signal.SIGINT)

    if place == "forward":
        model.register_forward_hook(press)
    else:
        next(model.parameters()).register_hook(press)
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        fit(
            model,
            batches(),
            steps=9,
            watch=mean_weight,
            watch_every=2,
            checkpoint=path,
        )
    assert signal.getsignal(signal.SIGINT) is before
    assert len(torch.load(path, weights_only=True)["losses"]) == 5
    assert_resumes(path, uninterrupted)


KILLED = """
import os, signal, sys
sys.path[:0] = {path!r}
from tests.unit.test_training import *
torch.set_num_threads(1)
stream = (b for n, b in enumerate(batches()) if n != 7 or os.kill(os.getpid(), 9))
settings = FitSettings(save_every=3)
fit(forgetful(), stream, steps=9, watch=mean_weight, watch_every=2,
    checkpoint=sys.argv[1], settings=settings)
"""


def test_killed_and_resumed_from_the_last_writing(tmp_path, uninterrupted):
    path = tmp_path / "run.pt"
    script = KILLED.format(path=[str(Path(__file__).resolve().parents[2])])
    done = subprocess.run([sys.executable, "-c", script, str(path)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert len(torch.load(path, weights_only=True)["losses"]) == 6
    assert_resumes(path, uninterrupted)


def test_a_finished_run_is_loaded_not_repeated(tmp_path):
    path, model, again = tmp_path / "run.pt", small_model(), small_model(1)
    history = fit(model, batches(), steps=3, checkpoint=path)
    written = path.read_bytes()
    assert fit(again, batches(), steps=3, checkpoint=path) == history
    assert same_weights(model, again)
    assert torch.load(path, weights_only=True)["losses"] == history.losses
    assert written


def test_a_finished_run_can_be_made_longer(tmp_path):
    path, model, at_once = tmp_path / "run.pt", small_model(), small_model()
    fit(small_model(), batches(), steps=3, checkpoint=path)
    fit(model, batches(), steps=7, checkpoint=path)
    fit(at_once, batches(), steps=7)
    assert same_weights(model, at_once)


def test_a_falling_rate_goes_on_falling_after_an_interruption(tmp_path):
    path, model, at_once = tmp_path / "run.pt", small_model(), small_model()
    falling = {"steps": 9, "settings": FitSettings(0.01, decay_over=9)}
    stream = stopping(4, KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        fit(small_model(), stream, checkpoint=path, **falling)
    fit(model, batches(), checkpoint=path, **falling)
    fit(at_once, batches(), **falling)
    assert same_weights(model, at_once)


def test_warming_up_goes_on_after_an_interruption(tmp_path):
    path, model, at_once = tmp_path / "run.pt", small_model(), small_model()
    chosen = FitSettings(0.05, schedule="inverse_sqrt", warmup=6, label_smoothing=0.1)
    with pytest.raises(KeyboardInterrupt):
        fit(
            small_model(),
            stopping(4, KeyboardInterrupt()),
            steps=9,
            checkpoint=path,
            settings=chosen,
        )
    history = fit(model, batches(), steps=9, checkpoint=path, settings=chosen)
    assert history.losses == fit(at_once, batches(), steps=9, settings=chosen).losses
    assert same_weights(model, at_once)


def test_an_interruption_before_the_first_step_writes_nothing(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        fit(
            small_model(),
            stopping(0, KeyboardInterrupt()),
            steps=3,
            checkpoint=tmp_path / "run.pt",
        )
    assert list(tmp_path.iterdir()) == []


def test_a_failed_writing_leaves_the_old_checkpoint(tmp_path, monkeypatch):
    path = tmp_path / "run.pt"
    fit(small_model(), batches(), steps=3, checkpoint=path)
    written = path.read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        fit(small_model(), batches(), steps=5, checkpoint=path)
    assert path.read_bytes() == written
    assert list(tmp_path.iterdir()) == [path]


# -------------------------------------------------------------------------- questions


class Sum(nn.Module):
    """A small model that draws random numbers, of tokens that may have parts."""

    def __init__(self, task, answers: tuple[int, ...]) -> None:
        super().__init__()
        sizes = task.n_source
        sizes = sizes if isinstance(sizes, tuple) else (sizes,)
        self.parts = nn.ModuleList(nn.Embedding(size, 5) for size in sizes)
        self.dropout = nn.Dropout(0.3)
        self.answers = (*answers, task.n_target)
        self.out = nn.Linear(5, math.prod(self.answers))

    def forward(self, source):
        numbers = source.unsqueeze(-1) if len(self.parts) == 1 else source
        parts = zip(self.parts, numbers.unbind(-1), strict=True)
        tokens = sum(part(number) for part, number in parts)
        return self.out(self.dropout(tokens)).unflatten(-1, self.answers)


class Last(Sum):
    """The same, and answers the last token alone."""

    def forward(self, source):
        return super().forward(source)[:, -1]


ASKED = [
    pytest.param(AssociativeRecall(3, 5, 7), Last, (), id="one answer"),
    pytest.param(Reversal(5), Sum, (), id="an answer a token"),
    pytest.param(FourNeighbours(5), Sum, (4,), id="four answers a token"),
    pytest.param(TokenBack(3, (4, 7)), Sum, (), id="lengths that vary"),
    pytest.param(DateLanguage(), Sum, (), id="a language"),
]


def made(kind, task, answers):
    torch.manual_seed(0)
    return kind(task, answers)


@pytest.mark.parametrize(("task", "kind", "answers"), ASKED)
def test_fit_answers_questions(task, kind, answers):
    model = made(kind, task, answers)
    history = fit(model, task.batches(batch_size=11, seed=0), steps=5)

    by_hand = made(kind, task, answers)
    optimizer = torch.optim.Adam(by_hand.parameters(), lr=3e-3, fused=True)
    losses = []
    for questions in islice(task.batches(batch_size=11, seed=0), 5):
        logits = by_hand(questions.source).flatten(0, -2)
        target = questions.target.flatten()
        loss = nn.functional.cross_entropy(logits, target, ignore_index=0)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(by_hand.parameters(), 1.0)
        optimizer.step()
        losses.append(loss.item())
    assert history.losses == losses
    assert same_weights(model, by_hand)


@pytest.mark.parametrize(("task", "kind", "answers"), ASKED)
def test_questions_interrupted_and_resumed(tmp_path, task, kind, answers):
    path, sample = tmp_path / "run.pt", task.sample(13, seed=1)

    def train(model, stream, **more):
        def watch(model):
            return accuracy(model, sample)

        return fit(model, stream, steps=7, watch=watch, watch_every=2, **more)

    def stream(end=None):
        yield from islice(task.batches(batch_size=11, seed=0), end)
        raise KeyboardInterrupt

    at_once = made(kind, task, answers)
    expected = train(at_once, stream())
    with pytest.raises(KeyboardInterrupt):
        train(made(kind, task, answers), stream(4), checkpoint=path)
    torch.manual_seed(1234)  # other random numbers: none may count
    resumed = kind(task, answers)
    history = train(resumed, stream(), checkpoint=path)
    assert same_weights(resumed, at_once)
    assert history.losses == expected.losses
    assert [(s, v) for s, _, v in history.watched] == [
        (s, v) for s, _, v in expected.watched
    ]


# ----------------------------------------------------------------- refused checkpoints


@pytest.fixture
def checkpoint(tmp_path) -> Path:
    path = tmp_path / "run.pt"
    fit(small_model(), batches(), steps=3, checkpoint=path)
    return path


def assert_refused(path: Path, said: str, **changed) -> None:
    given = {"model": small_model(), "batches": batches(), "steps": 5} | changed
    written, random = path.read_bytes(), torch.get_rng_state()
    weights = {k: v.clone() for k, v in given["model"].state_dict().items()}
    with pytest.raises(ValueError, match=said) as caught:
        fit(given.pop("model"), given.pop("batches"), checkpoint=path, **given)
    assert "It is left as it is" in str(caught.value)
    assert path.read_bytes() == written
    assert torch.equal(torch.get_rng_state(), random)
    model = changed.get("model")
    if model is not None:
        assert all(torch.equal(weights[k], v) for k, v in model.state_dict().items())


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.9, 0.999])
def test_a_truncated_checkpoint_is_refused(checkpoint, share):
    written = checkpoint.read_bytes()
    checkpoint.write_bytes(written[: int(share * len(written))])
    assert_refused(checkpoint, r"run\.pt is not a checkpoint of this book, or is cut")


@pytest.mark.parametrize("state", [{"weight": torch.ones(3)}, torch.ones(3), [1]])
def test_a_file_of_torch_that_is_no_checkpoint_is_refused(tmp_path, state):
    torch.save(state, tmp_path / "run.pt")
    assert_refused(tmp_path / "run.pt", "is not a checkpoint of this book")


def test_one_bit_that_flipped_is_noticed_or_does_not_matter(checkpoint):
    written, whole, refused = checkpoint.read_bytes(), small_model(), []
    fit(whole, batches(), steps=3, checkpoint=checkpoint)
    for place in torch.linspace(0, len(written) - 1, 40).long().tolist():
        flipped = bytes([written[place] ^ 4])
        checkpoint.write_bytes(written[:place] + flipped + written[place + 1 :])
        resumed = small_model(1)
        try:
            fit(resumed, batches(), steps=3, checkpoint=checkpoint)
        except ValueError as error:
            refused.append(str(error))
        else:
            assert same_weights(resumed, whole), f"byte {place}"
    assert len(refused) > 20
    assert all("is cut short or damaged" in said for said in refused)


def read_as(error: Exception):
    def refuse(*_):
        raise error

    return refuse


@pytest.mark.parametrize(
    "error",
    [
        PermissionError(13, "Permission denied", "run.pt"),
        OSError(5, "Input/output error", "run.pt"),
        MemoryError("no room"),
    ],
    ids=["permission", "disk", "memory"],
)
def test_a_good_checkpoint_that_cannot_be_read_is_not_to_be_deleted(
    checkpoint, monkeypatch, error
):
    monkeypatch.setattr(Path, "read_bytes", read_as(error))
    with pytest.raises(type(error)) as caught:
        fit(small_model(), batches(), steps=5, checkpoint=checkpoint)
    assert str(caught.value) == str(error)


@pytest.mark.parametrize(
    "error",
    [
        MemoryError("no more to be had"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory"),
    ],
)
def test_torch_without_memory_for_a_good_checkpoint_says_so(
    checkpoint, monkeypatch, error
):
    monkeypatch.setattr(torch, "load", lambda *_, **__: read_as(error)())
    with pytest.raises(MemoryError, match=r"can't allocate memory|no more"):
        fit(small_model(), batches(), steps=5, checkpoint=checkpoint)


class Harmful:
    def __reduce__(self):
        return os.mkdir, ("harm_was_done",)


def test_a_checkpoint_cannot_run_code(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save({"format": "qkv checkpoint 1", "model": Harmful()}, tmp_path / "run.pt")
    assert_refused(tmp_path / "run.pt", "is not a checkpoint of this book")
    assert not Path("harm_was_done").exists()


def test_a_text_file_is_refused(tmp_path):
    (tmp_path / "run.pt").write_text("my diary", encoding="utf-8")
    assert_refused(tmp_path / "run.pt", "is not a checkpoint of this book")


def test_the_checkpoint_of_another_model_is_refused(checkpoint):
    assert_refused(
        checkpoint,
        "is of another model: .* is .* there and .* here",
        model=small_model(kind=AttentionSeq2Seq),
    )


def test_the_checkpoint_of_another_size_is_refused(checkpoint):
    other = Seq2Seq(13, 13, d_embedding=5, d_hidden=11)
    assert_refused(
        checkpoint, "bias_hh is float32 21 there and float32 33 here", model=other
    )


def test_the_checkpoint_of_another_precision_is_refused(checkpoint):
    assert_refused(
        checkpoint, "there and float64", model=small_model().to(torch.float64)
    )


def test_the_checkpoint_of_other_settings_is_refused(checkpoint):
    assert_refused(
        checkpoint,
        r"'learning_rate': 0\.003.* not with .*0\.1",
        settings=FitSettings(learning_rate=0.1),
    )


@pytest.mark.parametrize(
    "settings",
    [
        FitSettings(warmup=2),
        FitSettings(label_smoothing=0.1),
        FitSettings(schedule="inverse_sqrt", warmup=2),
        FitSettings(decay_over=9),
        FitSettings(clip_norm=2.0),
    ],
    ids=str,
)
def test_the_checkpoint_of_any_other_setting_is_refused(checkpoint, settings):
    assert_refused(checkpoint, r"was made with \{.*not with \{", settings=settings)


def test_two_names_of_one_schedule_are_no_other_settings(tmp_path):
    for number, (one, other) in enumerate(
        [
            ({}, {"schedule": "constant"}),
            ({"decay_over": 9}, {"decay_over": 9, "schedule": "linear"}),
            ({"warmup": 2}, {"warmup": 2, "save_every": 1}),
        ]
    ):
        path = tmp_path / f"{number}.pt"
        fit(
            small_model(),
            batches(),
            steps=2,
            checkpoint=path,
            settings=FitSettings(**one),
        )
        again = fit(
            small_model(),
            batches(),
            steps=3,
            checkpoint=path,
            settings=FitSettings(**other),
        )
        assert len(again.losses) == 3


@pytest.mark.usefixtures("as_readers_run_it")
def test_settings_of_numpy_are_saved_in_plain_numbers_and_found_again(tmp_path):
    path, plain = tmp_path / "run.pt", FitSettings(0.5, 9, 2.0, 3, None, 1, 0.125)
    given = FitSettings(
        np.float64(0.5),
        np.int64(9),
        torch.tensor(2.0),
        np.int64(3),
        None,
        np.int64(1),
        np.float32(0.125),
    )
    assert given == plain
    assert {type(value) for value in vars(given).values()} == {float, int, type(None)}
    fit(small_model(), batches(), steps=2, checkpoint=path, settings=given)
    history = fit(small_model(), batches(), steps=5, checkpoint=path, settings=plain)
    assert len(history.losses) == 5


def test_the_checkpoint_of_more_steps_is_refused(checkpoint):
    assert_refused(checkpoint, "has 3 steps, more than the 2 asked", steps=2)


@pytest.mark.parametrize("taken", [0, 1])
def test_the_checkpoint_of_other_batches_is_refused(checkpoint, taken):
    stream = batches(seed=0 if taken else 1)
    for _ in range(taken):
        next(stream)
    assert_refused(checkpoint, "was made with other batches", batches=stream)


def changed_in(part: str) -> Iterator[Batch]:
    """The same stream, but for one of the tensors of each batch."""
    for batch in batches():
        tensors = dict(vars(batch))
        tensors[part] = tensors[part].clone()
        tensors[part][0] = 1
        yield Batch(**tensors)


@pytest.mark.parametrize("part", ["source", "source_lengths", "target"])
def test_all_of_the_last_batch_is_compared(checkpoint, part):
    assert_refused(checkpoint, "was made with other batches", batches=changed_in(part))


def test_the_checkpoint_of_other_questions_is_refused(tmp_path):
    path, task = tmp_path / "run.pt", Reversal(5)
    fit(
        made(Sum, task, ()),
        task.batches(batch_size=3, seed=0),
        steps=2,
        checkpoint=path,
    )
    others = [task.batches(batch_size=3, seed=1), task.batches(batch_size=5, seed=0)]
    others.append(TokenBack(1, (5, 5)).batches(batch_size=3, seed=0))
    for other in others:
        with pytest.raises(ValueError, match="was made with other batches"):
            fit(made(Sum, task, ()), other, steps=5, checkpoint=path)


def test_a_checkpoint_in_no_folder_is_refused_before_training(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        fit(small_model(), batches(), steps=1, checkpoint=tmp_path / "no" / "run.pt")


def test_a_folder_that_may_not_be_written_is_found_out_before_training(
    tmp_path, monkeypatch
):
    can_open = Path.open

    def refuse(path, *mode, **named):
        if path.is_relative_to(tmp_path):
            raise PermissionError(13, "Permission denied", str(path))
        return can_open(path, *mode, **named)

    monkeypatch.setattr(Path, "open", refuse)
    link = tmp_path / "link.pt"
    link.symlink_to(tmp_path / "run.pt")
    for path in (tmp_path / "run.pt", link):
        said = f"Permission denied, .* name another file, in a folder .*{path.name}'$"
        with pytest.raises(PermissionError, match=said):
            fit(small_model(), iter(()), steps=1, checkpoint=path)


def test_a_name_that_no_file_can_have_is_found_out_before_training(tmp_path):
    with pytest.raises(OSError, match=r"too long, .* name another file") as caught:
        fit(small_model(), iter(()), steps=1, checkpoint=tmp_path / ("n" * 250))
    assert caught.value.errno == errno.ENAMETOOLONG


def test_trying_whether_a_checkpoint_can_be_written_leaves_nothing(tmp_path):
    fit(small_model(), iter(()), steps=0, checkpoint=tmp_path / "run.pt")
    assert list(tmp_path.iterdir()) == []


# --------------------------------------------------------------------- progress bar

SPOKEN = """
import torch
from qkv.data import DictatedNumbers
from qkv.recurrent import Seq2Seq
from qkv.training import fit
numbers = DictatedNumbers((1, 3))
fit(Seq2Seq(13, 13, d_hidden=5), numbers.batches(batch_size=3, seed=0), steps=4)
"""


def run_at_a_terminal(**environment: str) -> str:
    import pty
    import termios

    here, there = pty.openpty()
    termios.tcsetwinsize(there, (24, 80))
    env = {k: v for k, v in os.environ.items() if k != "QKV_QUIET"} | environment
    subprocess.run([sys.executable, "-c", SPOKEN], stdout=there, env=env, check=True)
    os.set_blocking(here, False)
    try:
        return os.read(here, 100_000).decode()
    except BlockingIOError:
        return ""


def test_a_person_at_a_terminal_sees_a_bar():
    assert "4/4" in run_at_a_terminal()


def test_the_bar_can_be_silenced():
    assert run_at_a_terminal(QKV_QUIET="1") == ""


def test_a_log_file_gets_no_bar():
    env = {k: v for k, v in os.environ.items() if k != "QKV_QUIET"}
    done = subprocess.run(
        [sys.executable, "-c", SPOKEN], env=env, check=True, capture_output=True
    )
    assert done.stdout == done.stderr == b""


@pytest.mark.parametrize("asked", [True, False], ids=["a person", "a program"])
def test_a_notebook_shows_the_bar_to_a_person_only(asked, monkeypatch):
    from jupyter_client.manager import start_new_kernel

    monkeypatch.delenv("QKV_QUIET", raising=False)
    manager, client = start_new_kernel(kernel_name="python3")
    said = []
    try:
        client.execute_interactive(
            SPOKEN, allow_stdin=asked, output_hook=said.append, timeout=600
        )
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    spoken = [m["content"] for m in said if m["msg_type"] == "stream"]
    assert {content["name"] for content in spoken} == ({"stdout"} if asked else set())
    assert ("4/4" in "".join(content["text"] for content in spoken)) is asked
