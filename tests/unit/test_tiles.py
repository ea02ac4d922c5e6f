"""The softmax in one pass: equal to the text-book's, and never whole in memory."""

import math
from functools import partial

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.measure import memory
from qkv.attention import (
    attend,
    scaled_dot_product_attention,
    trace_scaled_dot_product,
)
from qkv.tiles import trace_row
from qkv.trace import walk


def drawn(*shape: int, seed: int, scale: float = 1.0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    made = torch.randn(*shape, generator=generator, dtype=torch.float64) * scale
    return made.requires_grad_()


@pytest.mark.parametrize("scale", [1.0, 60.0])
@pytest.mark.parametrize("arguments", [{}, {"causal": True, "window": 90}])
@pytest.mark.parametrize("tile", [64, 100, 1000])
def test_output_and_gradients_are_the_text_books_to_nine_digits(tile, arguments, scale):
    q, k, v = (drawn(2, 250, d, seed=d) for d in (8, 9, 5))
    q = (q * scale).detach().requires_grad_()
    k = k[..., :8].detach().requires_grad_()
    found = scaled_dot_product_attention(q, k, v, **arguments, tile=tile)
    wanted = trace_scaled_dot_product(q, k, v, **arguments).output
    pull = drawn(*wanted.shape, seed=1).detach()
    close = partial(torch.testing.assert_close, rtol=1e-9, atol=1e-9)
    close(found, wanted)
    gradients = torch.autograd.grad(found, (q, k, v), pull)
    close(gradients, torch.autograd.grad(wanted, (q, k, v), pull))


def test_scores_that_grow_from_tile_to_tile_stay_numbers():
    """The maximum of a tile alone would let e^(old - new) be infinite."""
    scores = torch.tensor([60.0, 0.0, -60.0, 120.0, 119.0]) * 60
    values = torch.tensor([[1.0], [2.0], [3.0], [4.0], [5.0]])
    for row in (scores, scores.flip(0)):
        assert torch.equal(
            trace_row(row, values, 2).output, attend(row[None], values).context[0]
        )


def test_what_is_held_grows_with_the_length_and_not_with_its_square():
    def needed(length: int, **arguments) -> int:
        x = torch.randn(length, 16, requires_grad=True)
        attend = partial(scaled_dot_product_attention, **arguments)
        return memory(lambda: attend(x, x, x).sum().backward()).peak

    short, long = (needed(n, tile=64) for n in (512, 1024))
    assert math.log2(long / short) < 1.1
    assert needed(1024, tile=64, causal=True) < 1024**2  # not a byte for each pair


def test_tiles_that_nobody_sees_are_not_computed():
    hidden = torch.full((64, 4), 1e30)  # whose scores would overflow
    x = torch.cat([torch.zeros(64, 4), hidden])
    first = scaled_dot_product_attention(x[:64], x[:64], x[:64], causal=True, tile=64)
    both = scaled_dot_product_attention(x, x, x, causal=True, tile=64)
    assert torch.equal(both[:64], first)


def test_a_mask_that_is_changed_before_the_backward_pass_is_noticed():
    x, mask = drawn(7, 3, seed=0), torch.ones(7, 7, dtype=torch.bool).tril()
    found = scaled_dot_product_attention(x, x, x, mask, tile=2).sum()
    mask.fill_(True)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        found.backward()


def test_there_is_no_gradient_of_the_gradient_and_none_that_is_wrong():
    """A part of it would be: what goes through the backward pass would be lost."""
    x = drawn(7, 3, seed=0)
    found = scaled_dot_product_attention(x, x, x, tile=2).square().sum()
    with pytest.raises(RuntimeError, match="leave create_graph out, or attend without"):
        torch.autograd.grad(found, x, create_graph=True)


@settings(max_examples=30, deadline=None)
@given(
    keys=st.integers(0, 11),
    d_v=st.integers(1, 3),
    tile=st.integers(1, 12),
    before=st.integers(0, 11),
    hidden=st.sets(st.integers(0, 10), max_size=3),
    scale=st.sampled_from([1.0, 60.0]),
    seed=st.integers(0, 2**31),
)
def test_a_row_ends_as_the_text_book_says(keys, d_v, tile, before, hidden, scale, seed):
    scores, values = (
        drawn(keys, seed=seed, scale=scale),
        drawn(keys, d_v, seed=seed + 1),
    )
    visible = [j >= before and j not in hidden for j in range(keys)]
    mask = torch.tensor(visible, dtype=torch.bool)
    wanted = attend(scores[None], values, mask[None])
    trace = trace_row(scores.masked_fill(~mask, -torch.inf), values, tile)
    torch.testing.assert_close(trace.output, wanted.context[0])
    assert [len(part.scores) for part in trace.tiles[:-1]] == [tile] * (
        len(trace.tiles) - 1
    )
    for count, part in enumerate(trace.tiles, start=1):
        so_far = slice(0, count * tile)
        seen = wanted.scores[0, so_far]
        assert part.maximum == seen.max()
        if mask[so_far].any():
            weights = (seen - seen.max()).exp()
            torch.testing.assert_close(part.total, weights.sum())
            torch.testing.assert_close(part.held, weights @ values[so_far])


def test_a_row_by_hand():
    ln2 = math.log(2.0)
    scores = torch.tensor([0.0, ln2, 2 * ln2, -torch.inf])
    values = torch.tensor([[4.0], [1.0], [3.0], [9.0]])
    one, two = trace_row(scores, values, 2).tiles
    found = [(t.maximum, t.shrink, t.total, t.held[0]) for t in (one, two)]
    wanted = [(ln2, 0.0, 1.5, 3.0), (2 * ln2, 0.5, 1.75, 4.5)]
    torch.testing.assert_close(torch.tensor(found), torch.tensor(wanted))
    steps = [step.path for step in walk(trace_row(scores, values, 2))]
    assert steps[5:7] == ["tiles.0.held", "tiles.1.scores"]
    assert steps[-1] == "output"


def test_tiles_that_are_all_hidden_hold_nothing():
    scores = torch.tensor([-torch.inf, -torch.inf, 1.0])
    first, second = trace_row(scores, torch.ones(3, 1), 2).tiles
    assert (first.total, first.held, second.total) == (0.0, 0.0, 1.0)
    assert trace_row(scores[:2], torch.ones(2, 1), 2).output == 0.0


@pytest.mark.usefixtures("as_readers_run_it")
class TestRefuses:
    @pytest.mark.parametrize(
        ("scores", "values"), [((3,), (2, 1)), ((1, 3), (3, 1)), ((3,), (3,))]
    )
    def test_what_is_no_row(self, scores, values):
        with pytest.raises(ValueError, match=r"a row is 'key' and 'key d_v'"):
            trace_row(torch.zeros(scores), torch.zeros(values), 2)

    def test_a_tile_of_nothing_or_of_a_half(self):
        x = torch.zeros(3, 2)
        for attention in (
            lambda tile: trace_row(x[:, 0], x, tile),
            lambda tile: scaled_dot_product_attention(x, x, x, tile=tile),
        ):
            with pytest.raises(ValueError, match="tile must be at least 1, not 0"):
                attention(0)
            with pytest.raises(TypeError, match=r"tile .*whole number"):
                attention(2.5)
