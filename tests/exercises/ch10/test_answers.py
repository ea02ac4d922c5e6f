"""Chapter 10's references mean what the package means; what they say is true."""

from collections.abc import Callable

import pytest
import torch

from qkv import vision
from qkv.attention import attend
from qkv.checking.exercise import Exercise
from qkv.checking.judge import judge
from qkv.data import Scenes
from qkv.data.text.grammar.hangul import particle
from qkv.exercises.ch10.equal_looking import EXERCISE as EQUAL
from qkv.exercises.ch10.equal_looking import equal_looking
from qkv.exercises.ch10.gated_context import EXERCISE as GATE
from qkv.exercises.ch10.glimpse import EXERCISE as HUNT
from qkv.exercises.ch10.glimpse import glimpse
from qkv.exercises.ch10.hiding_curve import hiding_curve
from qkv.exercises.ch10.look import EXERCISE as LOOK
from qkv.exercises.ch10.particles import EXERCISE as PARTICLES
from qkv.exercises.ch10.particles import particles
from qkv.exercises.ch10.peaks_in_box import EXERCISE as PEAKS
from qkv.exercises.ch10.peaks_in_box import peaks_in_box
from qkv.exercises.ch10.shared import viewed
from qkv.exercises.ch10.to_places import to_places
from qkv.exercises.draw import normal


def test_places_are_the_packages() -> None:
    features = normal(2, 5, 3, 7)
    assert torch.equal(to_places(features), vision.places(features))


@torch.no_grad()
def test_a_glimpse_is_one_look_of_the_packages_captioner() -> None:
    torch.manual_seed(0)
    encoder = vision.GridEncoder(vision.GridConfig(positions=False)).eval()
    model = vision.Captioner(encoder, 15).eval()
    asked = Scenes().sample(3, seed=0)
    trace = model.trace(*asked.inputs)
    score = model.score
    s = trace.queries[:, 0]
    weights, context = glimpse(
        trace.features, s, score.W.weight, score.U.weight, score.v.weight[0]
    )
    torch.testing.assert_close(weights, trace.weights[:, 0])
    torch.testing.assert_close(context, trace.attention.context[:, 0])


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_peaks_are_counted_as_captions_say_where_a_word_looks(seed: int) -> None:
    """A cell belongs where its centre is, there and here."""
    asked = Scenes().sample(1, seed=seed)
    covers = asked.covers(7)[0].float()
    words = asked.speaks_of[0]
    weights = (normal(len(words), 49, seed=seed) + 2 * covers).softmax(-1)
    share = peaks_in_box(weights.view(-1, 7, 7), words, asked.boxes[0], 4)
    hits = covers.gather(1, weights.argmax(1, keepdim=True))[words >= 0]
    assert share == pytest.approx(hits.mean().item())


def test_what_is_hidden_is_masked_as_attend_masks() -> None:
    scores, h, W = 2 * normal(7), normal(7, 5, seed=1), normal(3, 5, seed=2)
    curve = hiding_curve(scores, h, W, 1)
    visible = torch.ones(7, dtype=torch.bool)
    for step in range(7):
        context = attend(scores[None], h, visible[None]).context[0]
        assert curve[step] == pytest.approx((W @ context).softmax(0)[1].item())
        visible[scores.masked_fill(~visible, -torch.inf).argmax()] = False


def test_added_up_over_the_places_the_penalty_is_nothing() -> None:
    """As its text says: 0, and so is its gradient."""
    scores = normal(2, 5, 7).requires_grad_()
    real = torch.ones(2, 5, dtype=torch.bool)
    wrong = EQUAL.mistakes["over the places"].wrong(scores.softmax(-1), real)
    wrong.backward()
    assert wrong.item() == pytest.approx(0, abs=1e-9)
    assert scores.grad is not None
    assert scores.grad.abs().max() < 1e-6
    assert equal_looking(scores.softmax(-1), real) > 0.1


def test_a_gate_before_the_softmax_closes_nothing() -> None:
    """A context of equal cells is that cell, however small β is."""
    h = torch.ones(1, 7, 3)
    given = normal(1, 7), h, normal(1, 5), normal(1, 5, seed=1), torch.zeros(5), -9.0
    _, closed = GATE.reference(*given)
    _, open_still = GATE.mistakes["before the softmax"].wrong(*given)
    assert closed.max() < 1e-3
    torch.testing.assert_close(open_still, torch.ones(1, 3))


def test_the_hunted_code_looks_at_pieces_of_single_channels() -> None:
    """Its hint: one cell full of ones is spread over a grid that is read wrongly."""
    features = torch.zeros(1, 4, 2, 2)
    features[0, :, 0, 0] = 1
    assert to_places(features)[0, 0].tolist() == [1] * 4
    assert viewed(features)[0].tolist() == [[1, 0, 0, 0]] * 4
    given = (normal(1, 3), normal(5, 3), normal(5, 4), normal(5))
    assert HUNT.given is not None
    weights, _ = HUNT.given(features, *given)
    torch.testing.assert_close(weights, torch.full((1, 2, 2), 0.25))


def test_particles_are_the_grammars() -> None:
    for case in PARTICLES.cases.values():
        (word,) = case()
        assert particles(word) == (particle(word, "and"), particle(word, "subject"))


def _named(exercise: Exercise, attempt: Callable) -> str | None:
    return judge(exercise, attempt).mistake


def test_who_forgets_the_state_is_not_told_of_a_tanh_alone() -> None:
    """Both come to the same weights, so that the message names both."""

    def stateless(s, h, W, U, v):
        weights = (torch.tanh(h @ U.T) @ v).flatten().softmax(0).view(h.shape[:2])
        return weights, torch.einsum("rc,rcd->d", weights, h)

    name = _named(LOOK, stateless)
    assert name == "no say for the state"
    assert "s is not in the score" in LOOK.mistakes[name].says


def test_who_always_takes_a_consonant_is_not_told_of_a_number() -> None:
    assert _named(PARTICLES, lambda word: ("과", "이")) == "always a consonant"
    by_28 = PARTICLES.mistakes["not from 0xAC00"].wrong
    assert _named(PARTICLES, by_28) == "not from 0xAC00"


def test_a_box_of_height_and_width_is_not_taken_for_its_edge() -> None:
    """Few words come to few shares: a long caption tells such mistakes apart."""

    def peaks(weights, speaks_of, boxes, cell):
        corner, size = boxes.split(2, dim=1)
        return peaks_in_box(
            weights, speaks_of, torch.cat([corner, corner + size], 1), cell
        )

    assert _named(PEAKS, peaks) == "height and width"
