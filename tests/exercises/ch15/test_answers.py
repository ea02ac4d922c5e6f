"""Chapter 15's references mean what the package means; students' slips have names."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from qkv import masks
from qkv.attention import MultiHeadAttention, attend, scaled_dot_product_attention
from qkv.checking.comparing import close
from qkv.checking.exercise import Exercise
from qkv.checking.judge import Stage, judge
from qkv.exercises.ch15.attend_in_tiles import EXERCISE as TILES
from qkv.exercises.ch15.attend_in_tiles import attend_in_tiles
from qkv.exercises.ch15.cache_bytes import EXERCISE as CACHE
from qkv.exercises.ch15.cache_bytes import cache_bytes
from qkv.exercises.ch15.decode_step import EXERCISE as HUNT
from qkv.exercises.ch15.decode_step import decode_step
from qkv.exercises.ch15.grouped_attention import EXERCISE as GROUPED
from qkv.exercises.ch15.grouped_attention import grouped_attention
from qkv.exercises.ch15.linear_attention import EXERCISE as LINEAR
from qkv.exercises.ch15.linear_attention import linear_attention
from qkv.exercises.ch15.logsumexp_in_tiles import EXERCISE as ONE_PASS
from qkv.exercises.ch15.logsumexp_in_tiles import logsumexp_in_tiles
from qkv.exercises.ch15.loss_of_process import EXERCISE as LOSS
from qkv.exercises.ch15.loss_of_process import loss_of_process
from qkv.exercises.ch15.window_mask import EXERCISE as WINDOW
from qkv.exercises.ch15.window_mask import window_mask
from qkv.exercises.draw import normal, normals
from qkv.transformer import LanguageModel, TransformerConfig

ALL = (CACHE, GROUPED, WINDOW, ONE_PASS, TILES, LINEAR, LOSS, HUNT)
DRAWS = range(12)  # what 50 find of the named mistakes, the first three find
LARGE = "× 60"  # scores that overflow in single precision, and not in double
WITH_ROUNDING = [
    pytest.param(exercise, wrong, id=f"{exercise.id} {name}")
    for exercise in (GROUPED, ONE_PASS, TILES, LINEAR, LOSS, HUNT)
    for name, wrong in [
        ("right", exercise.reference),
        *((name, mistake.wrong) for name, mistake in exercise.mistakes.items()),
    ]
]


def doubled(x: object) -> object:
    return x.double() if isinstance(x, Tensor) and x.is_floating_point() else x


@pytest.mark.parametrize(("exercise", "function"), WITH_ROUNDING)
def test_rounding_takes_a_small_part_of_the_tolerance(exercise, function) -> None:
    """Else another order of the same sums would not be what it is."""
    for case, given in exercise.cases.items():
        if LARGE in case or "heights" in case:
            continue
        want = function(*map(doubled, given()))
        assert close(function(*given()), want, exercise.tolerance / 3), case


@pytest.mark.parametrize("exercise", ALL, ids=lambda e: e.id)
def test_no_two_mistakes_are_nearly_the_same(exercise: Exercise) -> None:
    """They differ by far more than the tolerance, on some input, or in what is NaN."""
    results = {
        name: [mistake.wrong(*case()) for case in exercise.cases.values()]
        for name, mistake in [("right", Right(exercise)), *exercise.mistakes.items()]
    }
    names = list(results)
    for n, one in enumerate(names):
        for other in names[n + 1 :]:
            pairs = zip(results[one], results[other], strict=True)
            assert not all(close(a, b, 30 * exercise.tolerance) for a, b in pairs), (
                one,
                other,
            )


class Right:
    """The right answer, where mistakes are listed."""

    def __init__(self, exercise: Exercise):
        self.wrong = exercise.reference


@pytest.mark.parametrize("kv_heads", [1, 2, 4])
def test_bytes_are_those_of_the_packages_cache(kv_heads: int) -> None:
    config = TransformerConfig(
        11, 11, d_model=24, heads=4, kv_heads=kv_heads, layers=(3, 3), max_length=7
    )
    store = LanguageModel(config).empty(5).cache.store
    capacity = store.shape[-2]
    size = cache_bytes(5, capacity, 3, 4, kv_heads, 24, 32)
    assert size == store.numel() * store.element_size()


@pytest.mark.parametrize("seed", DRAWS)
def test_grouped_attention_is_pytorchs(seed: int) -> None:
    heads, kv_heads = [(6, 2), (6, 3), (4, 2), (5, 1), (3, 3)][seed % 5]
    q = normal(2, heads, 3, 7, seed=seed)
    k, v = (normal(2, kv_heads, 5, 7, seed=seed + n) for n in (100, 200))
    theirs = F.scaled_dot_product_attention(q, k, v, enable_gqa=True)
    torch.testing.assert_close(grouped_attention(q, k, v), theirs)


@pytest.mark.parametrize("window", [1, 2, 5, 9])
def test_a_window_is_the_packages(window: int) -> None:
    for query, key in ((7, 7), (3, 11), (1, 5)):
        theirs = masks.causal(query, key, window=window)
        assert torch.equal(window_mask(query, key, window), theirs)


@pytest.mark.parametrize("window", [1, 2, 4])
def test_a_window_is_as_far_as_a_gradient_reaches(window: int) -> None:
    torch.manual_seed(0)
    layer = MultiHeadAttention(6, 2)
    x = normal(1, 11, 6).requires_grad_()
    layer(x, mask=window_mask(11, 11, window))[0, -1].sum().backward()
    assert x.grad is not None
    reached = x.grad[0].abs().sum(-1) > 0
    assert torch.equal(reached, window_mask(11, 11, window)[-1])


def hidden_scores(seed: int) -> Tensor:
    """Scores of any size, some hidden; in some rows the first tiles, but not all."""
    scores = [1, 20, 300][seed % 3] * normal(7, 11, seed=seed)
    scores = scores.masked_fill(normal(7, 11, seed=seed + 100) > 1, -torch.inf)
    scores[seed % 7, : seed % 11] = -torch.inf
    scores[:, -1] = normal(7, seed=seed + 200)
    return scores


@pytest.mark.parametrize("seed", DRAWS)
def test_the_sum_in_tiles_is_pytorchs(seed: int) -> None:
    scores = hidden_scores(seed)
    for size in (1, 2, 3, 5, 11, 13):
        ours = logsumexp_in_tiles(scores, size)
        torch.testing.assert_close(ours, scores.logsumexp(-1))


@pytest.mark.parametrize("seed", DRAWS)
def test_attention_in_tiles_is_the_text_books(seed: int) -> None:
    q, k, v = normals((2, 5, 3), (2, 11, 3), (2, 11, 7))
    q = [1, 60][seed % 2] * (q + normal(2, 5, 3, seed=seed + 100))
    scores = (q.double() @ k.double().mT) / 3**0.5
    want = attend(scores, v.double()).context
    for size in (1, 2, 4, 11, 13):
        ours = attend_in_tiles(*map(doubled, (q, k, v)), size)
        torch.testing.assert_close(ours, want)
    torch.testing.assert_close(
        attend_in_tiles(q, k, v, 4), want.float(), rtol=1e-3, atol=1e-3
    )


@pytest.mark.parametrize("seed", DRAWS)
def test_the_recurrence_is_the_masked_map(seed: int) -> None:
    q, k, v = (normal(2, 3, 7, 5, seed=seed + n).double() for n in (0, 100, 200))
    weights = ((F.elu(q) + 1) @ (F.elu(k) + 1).mT).tril()
    want = weights @ v / weights.sum(-1, keepdim=True)
    torch.testing.assert_close(linear_attention(q, k, v), want)
    ones = linear_attention(q, k, torch.ones_like(v))
    torch.testing.assert_close(ones, torch.ones_like(v))


@pytest.mark.parametrize("seed", DRAWS)
def test_the_average_of_all_processes_is_the_mean_of_the_batch(seed: int) -> None:
    """So it is for the gradients, too: the average is linear."""
    processes = 1 + seed % 4
    losses = normal(processes, 3, 5, seed=seed).square().double()
    real = normal(processes, 3, 5, seed=seed + 100) > 0
    counts = real.sum((1, 2))
    each = [loss_of_process(*own, counts) for own in zip(losses, real, strict=True)]
    torch.testing.assert_close(torch.stack(each).mean(), losses[real].mean())


@pytest.mark.parametrize("seed", DRAWS)
def test_a_decoding_step_is_the_packages_attention_in_groups(seed: int) -> None:
    heads, kv_heads = [(6, 2), (4, 2), (3, 1), (3, 3)][seed % 4]
    query = 1 + seed % 3
    q = [1, 60][seed % 2] * normal(2, heads, query, 5, seed=seed).double()
    k, v = (normal(2, kv_heads, 7, 5, seed=seed + n).double() for n in (100, 200))
    repeated = (x.repeat_interleave(heads // kv_heads, 1) for x in (k, v))
    want = scaled_dot_product_attention(q, *repeated, causal=True)
    for size in (1, 2, 3, 7, 9):
        torch.testing.assert_close(decode_step(q, k, v, size), want)


def test_the_hunted_code_reads_the_first_token_alone() -> None:
    """As its text says, exactly; and with one head and one tile a prompt is right."""
    q, k, v, size = HUNT.cases["one new token"]()
    assert HUNT.given is not None
    read = HUNT.given(q, k, v, size)
    assert torch.equal(read, v[:, :, :1].repeat(1, 2, 1, 1))
    q, k, v = normals((2, 3, 5, 7), (2, 1, 5, 7), (2, 1, 5, 7))
    torch.testing.assert_close(HUNT.given(q, k, v, 5), decode_step(q, k, v, 5))


def test_what_the_hints_of_the_hunt_say_is_true() -> None:
    """One key head hides the heads, and one tile the maximum."""
    for case in HUNT.cases.values():
        q, k, v, size = case()
        right = decode_step(q, k, v, size)
        heads = HUNT.mistakes["1 left: heads"].wrong
        maximum = HUNT.mistakes["1 left: maximum"].wrong
        assert close(
            heads(q, k[:, :1], v[:, :1], size),
            decode_step(q, k[:, :1], v[:, :1], size),
            1e-5,
        )
        assert close(maximum(q, k, v, k.shape[2]), right, 1e-4)


def test_the_mistakes_that_random_tests_miss_are_right_there() -> None:
    """With one key head, with small scores, with one tile: nothing shows."""
    q, k, v = normals((2, 3, 5, 7), (2, 1, 5, 7), (2, 1, 5, 7))
    in_turn = GROUPED.mistakes["in turn"].wrong
    torch.testing.assert_close(in_turn(q, k, v), grouped_attention(q, k, v))
    q, k, v = normals((2, 5, 3), (2, 11, 3), (2, 11, 7))
    for name in ("the maximum may fall", "no maximum", "one for all queries", "from 0"):
        wrong = TILES.mistakes[name].wrong
        torch.testing.assert_close(wrong(q, k, v, 4), attend_in_tiles(q, k, v, 4))
        large = TILES.cases["scores × 60"]()
        assert wrong(*large).isnan().any()


# What students write, in other words than ours.


def in_tiles(step: Callable, m: float = -torch.inf, end: Callable | None = None):
    """The loop of exercise 15.5, as most people write it."""

    def attempt(q, k, v, size):
        scale = q.shape[-1] ** -0.5
        held = (
            torch.full((*q.shape[:2], 1), m),
            torch.zeros(*q.shape[:2], 1),
            torch.zeros(*q.shape[:2], v.shape[-1]),
        )
        for start in range(0, k.shape[1], size):
            keys, values = k[:, start : start + size], v[:, start : start + size]
            held = step(*held, torch.einsum("bqd,bkd->bqk", q, keys) * scale, values)
        return end(*held) if end else held[2] / held[1]

    return attempt


def maximum_overwritten_first(m, total, read, s, v):
    m = torch.maximum(m, s.amax(-1, keepdim=True))
    p, shrink = (s - m).exp(), (m - m).exp()
    return m, total * shrink + p.sum(-1, keepdim=True), read * shrink + p @ v


def maximum_of_the_tile(m, total, read, s, v):
    new = s.max(-1, keepdim=True).values
    p, shrink = torch.exp(s - new), torch.exp(m - new)
    return new, total * shrink + p.sum(-1, True), read * shrink + torch.bmm(p, v)


def old_maximum_in_the_tile(m, total, read, s, v):
    new = torch.maximum(m, s.amax(-1, keepdim=True))
    p, shrink = (s - m).exp(), (m - new).exp()
    return new, total * shrink + p.sum(-1, keepdim=True), read * shrink + p @ v


def maximum_not_kept(m, total, read, s, v):
    new = torch.maximum(m, s.amax(-1, keepdim=True))
    p, shrink = (s - new).exp(), (m - new).exp()
    return m, total * shrink + p.sum(-1, keepdim=True), read * shrink + p @ v


def softmax_of_each_tile(q, k, v, size):
    tiles = zip(k.split(size, 1), v.split(size, 1), strict=True)
    read = [F.scaled_dot_product_attention(q, *tile) for tile in tiles]
    return torch.stack(read).mean(0)


def in_rounds(step: Callable, m: float = -torch.inf):
    """The loop of exercise 15.4, as most people write it."""

    def attempt(scores, size):
        held = torch.full((len(scores),), m), torch.zeros(len(scores))
        for start in range(0, scores.shape[1], size):
            held = step(*held, scores[:, start : start + size])
        return held[0] + torch.log(held[1])

    return attempt


def kept_from_nan(m, total, tile):
    new = torch.maximum(m, tile.max(1).values)
    shrink = torch.where(new == -torch.inf, 0.0, (m - new).exp())
    p = torch.where(tile == -torch.inf, 0.0, (tile - new[:, None]).exp())
    return new, total * shrink + p.sum(1)


def not_rescaled_but_safe(m, total, tile):
    new, _ = kept_from_nan(m, total, tile)
    p = torch.where(tile == -torch.inf, 0.0, (tile - new[:, None]).exp())
    return new, total + p.sum(1)


def only_shrink_is_safe(m, total, tile):
    new = torch.maximum(m, tile.amax(1))
    shrink = torch.where(m == -torch.inf, 0.0, (m - new).exp())
    return new, total * shrink + (tile - new[:, None]).exp().sum(1)


def one_maximum(m, total, tile):
    new = torch.maximum(m, tile.max())
    return new, total * (m - new).exp() + (tile - new[:, None]).exp().sum(1)


def groups_first(q, k, v):
    cut = q.unflatten(1, (-1, k.shape[1]))
    scores = cut @ k[:, None].mT / q.shape[-1] ** 0.5
    return (scores.softmax(-1) @ v[:, None]).flatten(1, 2)


def by_modulo(q, k, v):
    heads = torch.arange(q.shape[1]) % k.shape[1]
    return F.scaled_dot_product_attention(q, k[:, heads], v[:, heads])


def state_in_a_list(q, k, v):
    """+= changes the tensor that the list already holds."""
    q, k = F.elu(q) + 1, F.elu(k) + 1
    S, z = (
        torch.zeros(*k.shape[:2], k.shape[-1], v.shape[-1]),
        torch.zeros_like(k[:, :, 0]),
    )
    states, sums = [], []
    for t in range(q.shape[2]):
        S += k[:, :, t, :, None] * v[:, :, t, None, :]
        z += k[:, :, t]
        states.append(S)
        sums.append(z)
    read = torch.einsum("bhtk,tbhkv->bhtv", q, torch.stack(states))
    return read / torch.einsum("bhtk,tbhk->bht", q, torch.stack(sums))[..., None]


def strictly_before(q, k, v):
    weights = ((F.elu(q) + 1) @ (F.elu(k) + 1).mT).tril(-1)
    return weights @ v / (weights.sum(-1, keepdim=True) + 1e-6)


def causal_only_for_prompts(q, k, v, size):
    """As several programs have it: is_causal where there is more than one query."""
    return F.scaled_dot_product_attention(
        q, k, v, is_causal=q.shape[2] > 1, enable_gqa=True
    )


SLIPS = [
    (GROUPED, groups_first, "in turn"),
    (GROUPED, by_modulo, "in turn"),
    (
        WINDOW,
        lambda query, key, window: (
            torch.ones(query, key).tril().triu(1 - window).bool()
        ),
        "from the upper left",
    ),
    (
        WINDOW,
        lambda query, key, window: (
            torch.ones(query, key).tril(key - query).triu(key - query - window).bool()
        ),
        "one more",
    ),
    (ONE_PASS, in_rounds(not_rescaled_but_safe), "not rescaled"),
    (ONE_PASS, in_rounds(only_shrink_is_safe), "−∞ − −∞"),
    (ONE_PASS, in_rounds(one_maximum, -1e9), "one for all rows"),
    (ONE_PASS, in_rounds(kept_from_nan, -50.0), "from 0"),
    (TILES, in_tiles(maximum_overwritten_first), "neither rescaled"),
    (TILES, in_tiles(maximum_of_the_tile), "the maximum may fall"),
    (TILES, in_tiles(maximum_of_the_tile, -1e9), "the maximum may fall"),
    (TILES, in_tiles(old_maximum_in_the_tile), "upside down"),
    (TILES, in_tiles(maximum_not_kept), "the last tile alone"),
    (TILES, softmax_of_each_tile, "mean of tiles"),
    (LINEAR, state_in_a_list, "not causal"),
    (LINEAR, strictly_before, "read first, with a small number"),
    (
        LOSS,
        lambda losses, real, counts: (
            (losses * real).sum() / real.sum().clamp(min=1) * len(counts)
        ),
        "own count",
    ),
    (LOSS, lambda losses, real, counts: losses[real].mean(), "mean of means"),
    (HUNT, causal_only_for_prompts, "1 left: mask for several"),
    (
        HUNT,
        lambda q, k, v, size: F.scaled_dot_product_attention(
            q, k, v, is_causal=True, enable_gqa=True
        ),
        "1 left: mask",
    ),
]


@pytest.mark.parametrize(("exercise", "attempt", "name"), SLIPS)
def test_a_students_code_is_called_by_its_mistake(
    exercise: Exercise, attempt: Callable, name: str
) -> None:
    assert judge(exercise, attempt).mistake == name


@pytest.mark.parametrize("exercise", ALL, ids=lambda e: e.id)
def test_what_is_no_answer_is_told_apart(exercise: Exercise) -> None:
    """Nothing, an error, another type, another shape, and numbers nobody foresaw."""

    def a_little_off(*given):
        result = exercise.reference(*given)
        if isinstance(result, Tensor) and result.dtype == torch.bool:
            return result.flip(-1)
        return result * 1.01 + 0.01

    def one_axis_more(*given):
        return torch.as_tensor(exercise.reference(*given))[None]

    def fails(*given):
        raise RuntimeError("as it happens")

    stages = {
        Stage.UNTOUCHED: lambda *given: None,
        Stage.RAISED: fails,
        Stage.TYPE: lambda *given: "text",
        Stage.SHAPE: one_axis_more,
        Stage.VALUES: a_little_off,
    }
    for stage, attempt in stages.items():
        verdict = judge(exercise, attempt)
        assert verdict.stage is stage, verdict.message
        assert verdict.mistake is None


def test_an_input_that_is_overwritten_is_told_of() -> None:
    def in_place(q, k, v, size):
        q *= q.shape[-1] ** -0.5
        return (q @ k.mT).softmax(-1) @ v

    verdict = judge(TILES, in_place)
    assert verdict.stage is Stage.SOLVED
    assert any("overwrites" in note for note in verdict.notes)


def test_an_empty_part_that_gives_no_gradient_is_told_so() -> None:
    """The other processes would wait for it."""

    def nothing_to_do(losses, real, counts):
        if not real.any():
            return torch.tensor(0.0)
        return losses[real].sum() * len(counts) / counts.sum()

    verdict = judge(LOSS, nothing_to_do)
    assert any("no gradient" in note for note in verdict.notes)
