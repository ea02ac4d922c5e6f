"""The references of the exercises mean what the package and PyTorch mean."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from qkv import masks, positions
from qkv.exercises import ch05, ch06
from qkv.exercises.draw import normal

LENGTHS = torch.tensor([2, 7, 5])


def test_sinusoids_and_their_shift_are_the_packages() -> None:
    ours = ch05.sinusoidal(11, 6)
    torch.testing.assert_close(ours, positions.sinusoidal(11, 6))
    torch.testing.assert_close(ch05.shift(ours, 3), positions.shift(ours, 3))


@pytest.mark.parametrize("start", [0, 13])
def test_rotary_is_the_packages(start: int) -> None:
    x = normal(2, 7, 10)
    ours = ch05.rotate(x, start + torch.arange(7))
    torch.testing.assert_close(ours, positions.rotate(x, start=start))


def test_alibi_is_the_packages() -> None:
    torch.testing.assert_close(ch05.alibi(3, 7), positions.alibi(3, 7))


def test_cached_scores_are_the_last_rows_of_all_scores() -> None:
    q, k = normal(2, 11, 6), normal(2, 11, 6, seed=1)
    everything = ch05.rotated_scores(q, k)
    torch.testing.assert_close(ch05.rotated_scores(q[:, -3:], k), everything[:, -3:])


def test_the_ceiling_is_reached_by_the_best_single_answer() -> None:
    sequences = torch.tensor([[1, 1, 2], [3, 2, 1]])
    assert ch05.order_blind_ceiling(sequences) == pytest.approx((2 / 3 + 1 / 3) / 2)


def test_masks_are_the_packages() -> None:
    assert torch.equal(ch06.causal_mask(7), masks.causal(7))
    assert torch.equal(ch06.padding_mask(LENGTHS, 7), masks.padding(LENGTHS, 7))


def test_a_query_with_nothing_to_attend_to_has_no_gradient_and_no_nan() -> None:
    scores = normal(1, 2, 3).requires_grad_()
    mask = torch.tensor([[[True, True, False], [False, False, False]]])
    weights = ch06.masked_softmax(scores, mask)
    (weights * normal(1, 2, 3, seed=1)).sum().backward()
    assert weights[~mask].eq(0).all()
    assert scores.grad[0, 0, :2].ne(0).all()
    assert scores.grad[~mask].eq(0).all()


def test_the_entropy_of_a_coin_in_letters() -> None:
    """Heads is four letters, tails six: ln 2 nats in five of them."""
    entropy = ch06.entropy_per_character(torch.tensor([0.5, 0.5]), torch.tensor([4, 6]))
    assert entropy == pytest.approx(math.log(2) / 5)


def test_pytorch_hides_the_padding_when_it_is_given_both_masks() -> None:
    key_padding_mask, sdpa_mask = ch06.for_pytorch(ch06.padding_mask(LENGTHS, 7)[:, 0])
    x, spoilt = normal(3, 7, 10), normal(3, 7, 10)
    spoilt[key_padding_mask] = 100.0
    layer = nn.MultiheadAttention(10, 2, batch_first=True)
    heads = [t.unflatten(-1, (2, 5)).transpose(1, 2) for t in (x, spoilt)]
    for answer, other in (
        [layer(x, k, k, key_padding_mask=key_padding_mask)[0] for k in (x, spoilt)],
        [
            F.scaled_dot_product_attention(heads[0], k, k, attn_mask=sdpa_mask)
            for k in heads
        ],
    ):
        torch.testing.assert_close(answer, other)


def test_causal_weights_are_those_of_the_boolean_mask() -> None:
    scores = normal(2, 5, 5)
    expected = scores.masked_fill(~masks.causal(5), -torch.inf).softmax(-1)
    torch.testing.assert_close(ch06.causal_weights(scores), expected)
