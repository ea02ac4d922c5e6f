"""Chapter 13's references mean what they say, and slips are told by their names."""

import math
from collections.abc import Callable
from itertools import combinations

import pytest
import torch
from torch.nn import functional as F

from qkv import vision
from qkv.checking.comparing import close
from qkv.checking.exercise import Exercise
from qkv.checking.judge import Stage, judge
from qkv.checking.running import call
from qkv.data import Vocabulary
from qkv.decoding import sampling_probabilities
from qkv.exercises import draw, finding
from qkv.exercises.ch13.by_hand_border import BY_HAND as BORDER
from qkv.exercises.ch13.by_hand_gumbel import BY_HAND as SOFT_DRAW
from qkv.exercises.ch13.guided import guided
from qkv.exercises.ch13.gumbel import gumbel
from qkv.exercises.ch13.kl_to_uniform import EXERCISE as KL
from qkv.exercises.ch13.kl_to_uniform import kl_to_uniform
from qkv.exercises.ch13.nearest_code import nearest_code
from qkv.exercises.ch13.one_sentence import EXERCISE as JOINED
from qkv.exercises.ch13.one_sentence import one_sentence
from qkv.exercises.ch13.picture_probabilities import picture_probabilities
from qkv.exercises.ch13.picture_tokens import EXERCISE as HUNT
from qkv.exercises.ch13.picture_tokens import picture_tokens
from qkv.exercises.ch13.straight_through import straight_through
from qkv.exercises.ch13.two_terms import EXERCISE as TERMS
from qkv.exercises.ch13.two_terms import who_moves
from qkv.transformer import LanguageModel, TransformerConfig

EXERCISES = {id: finding.find(id) for id in finding.ids(13)}


@pytest.fixture
def painter() -> vision.Painter:
    """One that nobody has trained."""
    torch.manual_seed(0)
    words = Vocabulary(["red", "blue", "circle", "star"])
    both = vision.JointVocabulary(words, text=5)
    model = LanguageModel(TransformerConfig(1, len(both)))
    return vision.Painter(model, vision.DiscreteVAE(), both).eval()


def test_the_nearest_code_is_torchs() -> None:
    z, codes = draw.normals((2, 5, 3, 7), (11, 5))
    far = torch.cdist(z.permute(0, 2, 3, 1).reshape(-1, 5), codes)
    assert torch.equal(nearest_code(z, codes).flatten(), far.argmin(1))


def test_straight_through_has_the_value_of_one_and_the_gradient_of_the_other() -> None:
    z, e = (x.requires_grad_() for x in draw.normals((7, 3), (7, 3)))
    patched, slope = straight_through(z, e), draw.normal(7, 3, seed=5)
    torch.testing.assert_close(patched, e)
    to_z, to_e = torch.autograd.grad(
        patched, (z, e), slope, allow_unused=True, materialize_grads=True
    )
    assert torch.equal(to_z, slope)
    assert not to_e.any()


def test_each_term_moves_one_of_the_two() -> None:
    z, e = (x.requires_grad_() for x in draw.normals((7, 3), (7, 3)))
    to_z, to_e = torch.autograd.grad(who_moves(z, e, 0.25), (z, e))
    torch.testing.assert_close(to_e, 2 * (e - z) / 7)
    torch.testing.assert_close(to_z, 0.25 * 2 * (z - e) / 7)


@pytest.mark.parametrize("name", ["stops exchanged", "after the patch", "codes alone"])
def test_what_moves_the_wrong_one_has_the_right_value(name: str) -> None:
    """As the texts say: no loss curve shows it."""
    z, e = draw.normals((7, 3), (7, 3))
    wrong = TERMS.mistakes[name].wrong(z, e, 0.25)
    torch.testing.assert_close(wrong, who_moves(z, e, 0.25))


def test_the_largest_sum_falls_on_a_code_as_often_as_the_softmax_says() -> None:
    logits = torch.tensor([0.0, math.log(2), math.log(4), math.log(3)])
    u = draw.uniform(10_000, 4)
    drawn = gumbel(logits.expand(10_000, 4), u, 0.5).argmax(-1)
    shares = drawn.bincount(minlength=4) / 10_000
    torch.testing.assert_close(shares, logits.softmax(-1), atol=0.02, rtol=0)
    reversed_sign = (logits + (-u.log()).log()).argmax(-1)
    shares = reversed_sign.bincount(minlength=4) / 10_000
    assert (shares - logits.softmax(-1)).abs().max() > 0.04


def test_the_divergence_is_torchs_and_lies_between_0_and_ln_k() -> None:
    logits = 3 * draw.normal(2, 3, 7)
    even = torch.distributions.Categorical(logits=torch.zeros(7))
    q = torch.distributions.Categorical(logits=logits)
    wanted = torch.distributions.kl_divergence(q, even).mean()
    torch.testing.assert_close(kl_to_uniform(logits), wanted)
    assert kl_to_uniform(torch.zeros(1, 7)).item() == pytest.approx(0, abs=1e-6)
    sure = torch.tensor([[300.0, 0, 0]])
    assert kl_to_uniform(sure).item() == pytest.approx(math.log(3))
    assert KL.mistakes["reversed"].wrong(sure) > 100


def test_a_sentence_by_hand_has_its_border_at_eos() -> None:
    words, tokens = torch.tensor([[0, 1, 4, 9, 2]]), torch.tensor([[3, 0, 7, 3]])
    fed, asked, weights = one_sentence(words, tokens, 15)
    assert fed.tolist() == [[0, 1, 4, 9, 2, 18, 15, 22]]
    assert asked.tolist() == [[1, 4, 9, 2, 18, 15, 22, 18]]
    w, p = 1 / 24, 7 / 32
    wanted = torch.tensor([[0, w, w, w, p, p, p, p]])
    torch.testing.assert_close(weights, wanted)
    [border] = (fed[0] == 2).nonzero()
    assert asked[0, border] == 18


def test_every_row_of_weights_sums_to_one() -> None:
    for case in JOINED.cases.values():
        *_, weights = one_sentence(*case())
        torch.testing.assert_close(weights.sum(1), torch.ones(len(weights)))


def test_where_parts_are_cut_on_their_own_the_picture_is_copied() -> None:
    """As its text says: asked for where it is fed."""
    case = JOINED.cases["every size different"]
    fed, asked, _ = JOINED.mistakes["each part on its own"].wrong(*case())
    assert torch.equal(fed[:, -4:], asked[:, -4:])


def test_probabilities_are_the_packages_on_the_slice() -> None:
    logits = draw.normal(2, 3, 13)
    wanted = sampling_probabilities(logits[..., 5:], temperature=0.7)
    torch.testing.assert_close(
        picture_probabilities(logits, 5, 0.7).double(), wanted, rtol=1e-5, atol=1e-6
    )


def test_soft_draws_and_their_divergence_are_the_packages() -> None:
    logits, u = draw.normal(2, 3, 5, 7), draw.uniform(2, 3, 5, 7)
    wanted = vision.gumbel_softmax(logits, u, 0.5)
    torch.testing.assert_close(gumbel(logits, u, 0.5), wanted)
    torch.testing.assert_close(
        kl_to_uniform(logits), vision.kl_to_uniform(logits).mean()
    )


def test_a_sentence_of_two_languages_is_the_packages(painter: vision.Painter) -> None:
    both = painter.vocabulary
    words = both.begin([("red", "circle"), ("star",), ()])
    tokens = draw.ids(3, 4, 4, high=both.codes)
    fed, asked, weights = one_sentence(words, tokens.flatten(1), both.offset)
    batch = vision.TextAndPicture(both.join(words, tokens), both.text)
    assert torch.equal(fed, batch.inputs[0])
    assert torch.equal(asked * (weights > 0), batch.target)
    torch.testing.assert_close(weights / 3, batch.weights)


@torch.no_grad()
def test_the_mended_code_draws_what_the_packages_painter_does(
    painter: vision.Painter,
) -> None:
    both, said = painter.vocabulary, [("red", "circle"), ("star",), ()]
    u = draw.uniform(3, both.cells)
    drawn = picture_tokens(painter.model, both.begin(said), both.offset, 0.7, u)
    wanted = painter.draw(said, uniform=u, temperature=0.7)
    assert torch.equal(drawn, wanted.flatten(1))


def test_guidance_of_0_changes_nothing_and_more_of_it_goes_further() -> None:
    told, untold = torch.tensor([[2.0, 0, 0]]), torch.zeros(1, 3)
    torch.testing.assert_close(guided(told, untold, 0.0), told.softmax(-1))
    first = [guided(told, untold, s)[0, 0].item() for s in (0.0, 0.5, 1.0, 2.0)]
    assert first == sorted(first)


def test_the_hunted_code_draws_the_first_token_rightly_and_later_ones_not() -> None:
    """As its text and its hint say."""
    assert HUNT.given is not None
    for case in HUNT.cases.values():
        right, wrong = HUNT.reference(*case()), HUNT.given(*case())
        assert torch.equal(right[:, 0], wrong[:, 0])
        assert not torch.equal(right, wrong)
        assert wrong.min() >= 0


def test_by_hand_are_the_numbers_that_the_text_works_out() -> None:
    soft = SOFT_DRAW.numbers()
    assert soft["noise"][0].tolist() == pytest.approx([4, 1, 2])
    assert soft["one"][0].tolist() == pytest.approx([4 / 14, 2 / 14, 8 / 14])
    assert soft["half"][0].tolist() == pytest.approx([16 / 84, 4 / 84, 64 / 84])
    fed, asked, weights = BORDER.numbers()["places"].T.tolist()
    assert fed == [1, 4, 9, 2, 18, 15, 22]
    assert asked == [4, 9, 2, 18, 15, 22, 18]
    assert weights == pytest.approx([1 / 24] * 3 + [7 / 32] * 4)


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("exercise", EXERCISES.values(), ids=EXERCISES)
def test_mistakes_differ_whatever_is_drawn(
    exercise: Exercise, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The inputs that are there are not chosen: others tell them apart as well."""
    plain = draw._source
    monkeypatch.setattr(draw, "_source", lambda of: plain(of + 1000 * seed))

    def results(function: Callable) -> list:
        runs = [
            call(function, case, backward=exercise.backward)
            for case in exercise.cases.values()
        ]
        return [run.seen for run in runs]

    answers = {name: results(m.wrong) for name, m in exercise.mistakes.items()}
    answers["right"] = results(exercise.reference)
    alike = [
        pair
        for pair in combinations(answers, 2)
        if close(answers[pair[0]], answers[pair[1]], exercise.tolerance)
    ]
    assert not alike


def _plain(tau: float) -> Callable:
    return lambda logits, u, _: F.softmax((logits - torch.log(-torch.log(u))) / tau, -1)


def _divided(chances: torch.Tensor) -> torch.Tensor:
    return chances / chances.sum(-1, keepdim=True)


SLIPS = {
    "z flattened as it is": (
        "13.3",
        lambda z, codes: (
            torch.cdist(z.reshape(-1, z.shape[1]), codes).argmin(1).view(z[:, 0].shape)
        ),
        "view",
    ),
    "argmax of the distances": (
        "13.3",
        lambda z, codes: torch.cdist(z.permute(0, 2, 3, 1), codes[None]).argmax(-1),
        "the farthest",
    ),
    "largest product": (
        "13.3",
        lambda z, codes: torch.einsum("bdij,kd->bijk", z, codes).argmax(-1),
        "dot product",
    ),
    "both normalised": (
        "13.3",
        lambda z, codes: torch.einsum(
            "bdij,kd->bijk", F.normalize(z, dim=1), F.normalize(codes, dim=1)
        ).argmax(-1),
        "angle",
    ),
    "e as it is": ("13.4", lambda z, e: e, "the code moves"),
    "z + e − z": ("13.4", lambda z, e: z + e - z, "the code moves"),
    "z + e.detach() − z": ("13.4", lambda z, e: z + e.detach() - z, "nothing moves"),
    "z + e − z.detach()": ("13.4", lambda z, e: z + e - z.detach(), "both move"),
    "all under no_grad": ("13.4", torch.no_grad()(straight_through), "nothing moves"),
    "β at the code's term": (
        "13.5",
        lambda z, e, beta: (
            beta * (z.detach() - e).square().sum(-1).mean()
            + (z - e.detach()).square().sum(-1).mean()
        ),
        "stops exchanged",
    ),
    "mse_loss": (
        "13.5",
        lambda z, e, beta: F.mse_loss(e, z.detach()) + beta * F.mse_loss(z, e.detach()),
        "mean of all numbers",
    ),
    "τ forgotten": ("13.1", _plain(1.0), "no τ"),
    "F.gumbel_softmax": (
        "13.1",
        lambda logits, u, tau: F.gumbel_softmax(logits, tau),
        "the library's own",
    ),
    "log of the softmax, no minus": (
        "13.2",
        lambda logits: (logits.softmax(-1) * logits.softmax(-1).log()).sum(-1).mean(),
        "ln K left out",
    ),
    "entropy by q.log()": (
        "13.2",
        lambda logits: -(logits.softmax(-1) * logits.softmax(-1).log()).sum(-1).mean(),
        "entropy",
    ),
    "F.kl_div with batchmean": (
        "13.2",
        lambda logits: F.kl_div(
            logits.log_softmax(-1),
            torch.full_like(logits, 1 / logits.shape[-1]),
            reduction="batchmean",
        ),
        "F.kl_div, batchmean",
    ),
    "softmax, then a slice": (
        "13.7",
        lambda logits, offset, T: (logits / T).softmax(-1)[..., offset:],
        "cut afterwards",
    ),
    "cut, then powers of probabilities": (
        "13.7",
        lambda logits, offset, T: _divided(logits[..., offset:].softmax(-1) ** (1 / T)),
        "0 / 0",
    ),
    "exp by hand, cut and divided": (
        "13.7",
        lambda logits, offset, T: _divided(_divided((logits / T).exp())[..., offset:]),
        "0 / 0",
    ),
    "T left out": (
        "13.7",
        lambda logits, offset, T: logits[..., offset:].softmax(-1),
        "T does nothing",
    ),
    "u + s (l − u)": (
        "13.8",
        lambda told, untold, s: torch.lerp(untold, told, s).softmax(-1),
        "s = 0 is no sentence",
    ),
}


@pytest.mark.parametrize(("id", "attempt", "name"), SLIPS.values(), ids=SLIPS)
def test_a_slip_is_named_as_people_write_it(
    id: str, attempt: Callable, name: str
) -> None:
    verdict = judge(EXERCISES[id], attempt)
    assert verdict.mistake == name, verdict.message


@pytest.mark.parametrize(
    ("id", "attempt", "stage", "words"),
    [
        ("13.3", lambda z, codes: 1.0, Stage.TYPE, "wanted a tensor of axes (batch, r"),
        ("13.3", lambda z, codes: z.argmin(1).float(), Stage.TYPE, "whole numbers"),
        ("13.4", lambda z, e: (z, e), Stage.TYPE, "a tuple of 2; wanted a tensor"),
        ("13.4", lambda z, e: e[:1], Stage.SHAPE, "wanted (batch 5, d_code 3)"),
        ("13.4", lambda z, e: z + 3 * (e - z).detach(), Stage.VALUES, "are off"),
        ("13.4", lambda z, e: 2 * z + (e - 2 * z).detach(), Stage.VALUES, "reaches z"),
        ("13.5", lambda z, e, beta: z - e, Stage.SHAPE, "wanted one number"),
        ("13.1", lambda logits, u: u, Stage.RAISED, "gumbel(logits, u, tau)"),
        ("13.6", lambda words, tokens, n: words, Stage.TYPE, "input, target, weights"),
        ("13.8", lambda told, untold, s: told + untold, Stage.VALUES, "are off"),
    ],
)
def test_other_wrong_answers_are_told_apart(
    id: str, attempt: Callable, stage: Stage, words: str
) -> None:
    verdict = judge(EXERCISES[id], attempt)
    assert (verdict.stage, verdict.mistake) == (stage, None), verdict.message
    assert words in verdict.message
