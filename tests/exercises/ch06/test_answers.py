"""The references of chapter 6 mean what the package and PyTorch mean."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from qkv import masks
from qkv.exercises.ch06.causal_mask import causal_mask
from qkv.exercises.ch06.causal_weights import causal_weights
from qkv.exercises.ch06.entropy_per_character import entropy_per_character
from qkv.exercises.ch06.for_pytorch import for_pytorch
from qkv.exercises.ch06.masked_softmax import masked_softmax
from qkv.exercises.ch06.padding_mask import padding_mask
from qkv.exercises.draw import normal

LENGTHS = torch.tensor([2, 7, 5])


def test_masks_are_the_packages() -> None:
    for query, key in ((7, 7), (3, 11)):
        assert torch.equal(causal_mask(query, key), masks.causal(query, key))
    assert torch.equal(padding_mask(LENGTHS, 7), masks.padding(LENGTHS, 7))


def test_a_query_with_nothing_to_attend_to_has_no_gradient_and_no_nan() -> None:
    scores = normal(1, 2, 3).requires_grad_()
    mask = torch.tensor([[[True, True, False], [False, False, False]]])
    weights = masked_softmax(scores, mask)
    (weights * normal(1, 2, 3, seed=1)).sum().backward()
    assert weights[~mask].eq(0).all()
    assert scores.grad[0, 0, :2].ne(0).all()
    assert scores.grad[~mask].eq(0).all()


def test_the_entropy_of_a_coin_in_letters() -> None:
    """Heads is four letters, tails six: ln 2 nats in five of them."""
    entropy = entropy_per_character(torch.tensor([0.5, 0.5]), torch.tensor([4, 6]))
    assert entropy == pytest.approx(math.log(2) / 5)


def test_pytorch_hides_the_padding_when_it_is_given_both_masks() -> None:
    key_padding_mask, sdpa_mask = for_pytorch(padding_mask(LENGTHS, 7)[:, 0])
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
    torch.testing.assert_close(causal_weights(scores), expected)
