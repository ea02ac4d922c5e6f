"""The references of chapter 7 mean what the package and PyTorch mean."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from qkv import layers, masks
from qkv.decoding import greedy, sampling_probabilities
from qkv.exercises.ch07.beam_step import beam_step
from qkv.exercises.ch07.between_words import EXERCISE as BETWEEN
from qkv.exercises.ch07.between_words import between_words
from qkv.exercises.ch07.decoder_layer import EXERCISE, decoder_layer
from qkv.exercises.ch07.encoder_layer import encoder_layer
from qkv.exercises.ch07.greedy_loop import EXERCISE as GREEDY
from qkv.exercises.ch07.greedy_loop import write_greedily
from qkv.exercises.ch07.norm_by_head import norm_by_head
from qkv.exercises.ch07.nucleus import nucleus
from qkv.exercises.ch07.post_and_pre_norm import post_and_pre_norm
from qkv.exercises.ch07.smoothed_loss import smoothed_loss
from qkv.exercises.draw import ids, normal
from qkv.training import sequence_loss


@pytest.mark.parametrize("heads", [1, 3])
def test_a_norm_by_head_is_the_packages_layer_norm_of_each_head(heads: int) -> None:
    x, norm = 3 * normal(2, 5, 7 * heads) + 1, layers.LayerNorm(7, eps=0.1)
    with torch.no_grad():
        norm.weight.copy_(normal(7, seed=1))
        norm.bias.copy_(normal(7, seed=2))
    ours = norm_by_head(x, heads, norm.weight, norm.bias, 0.1)
    each = torch.cat([norm(part) for part in x.chunk(heads, dim=-1)], dim=-1)
    torch.testing.assert_close(ours, each)


def test_the_encoder_layer_begins_with_attention_to_oneself_alone() -> None:
    """With a network of zeros, x and what one head of attention finds in LN(x)."""
    x, W, zeros = normal(2, 5, 7), normal(3, 7, 7), torch.zeros(11, 7)
    ours = encoder_layer(x, W, zeros, zeros[:, 0], zeros.T, zeros[0])
    z = F.layer_norm(x, (7,))
    found = F.scaled_dot_product_attention(z @ W[0].T, z @ W[1].T, z @ W[2].T)
    torch.testing.assert_close(ours, x + found)


def test_both_wirings_are_the_packages() -> None:
    x, W, weight, bias = normal(2, 3, 5), normal(5, 5), normal(5), normal(5, seed=1)
    ours = post_and_pre_norm(x, W, weight, bias)
    for norm_first, result in enumerate(ours):
        theirs = layers.residual(
            x,
            lambda x: torch.tanh(x @ W.T),
            lambda x: F.layer_norm(x, (5,), weight, bias),
            norm_first=bool(norm_first),
        )
        torch.testing.assert_close(result, theirs)


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.7])
def test_the_smoothed_loss_is_the_packages(smoothing: float) -> None:
    logits, target = normal(3, 5, 7), ids(3, 5, high=7)
    assert target.eq(0).any()
    torch.testing.assert_close(
        smoothed_loss(logits, target, smoothing),
        sequence_loss(logits, target, label_smoothing=smoothing),
    )


class _Decoder(nn.Module):
    """The exercise's decoder, as a model that qkv.decoding writes with."""

    def __init__(self, E: torch.Tensor, W: torch.Tensor):
        super().__init__()
        self.E, self.W = nn.Parameter(E), W

    def start(self, memory: torch.Tensor) -> torch.Tensor:
        return memory

    def step(self, token: torch.Tensor, read: torch.Tensor) -> tuple:
        read = read + self.E[token]
        return torch.tanh(read) @ self.W.T, read


@pytest.mark.parametrize("case", GREEDY.cases)
def test_greedy_decoding_is_the_packages(case: str) -> None:
    memory, E, W, longest = GREEDY.cases[case]()
    theirs = greedy(_Decoder(E, W), memory, max_length=longest)
    ours = write_greedily(memory, E, W, longest)
    assert torch.equal(ours, F.pad(theirs, (0, longest - theirs.shape[1])))


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_the_nucleus_is_the_packages(p: float) -> None:
    logits = 2 * normal(5, 13)
    ours = nucleus(logits.softmax(-1), p)
    torch.testing.assert_close(ours, sampling_probabilities(logits, top_p=p).float())


def test_beam_steps_find_the_best_of_all_where_nothing_is_dropped() -> None:
    """Two tokens of a chain, whose second depends on the first."""
    first, second = (normal(5, 5, seed=n).log_softmax(-1) for n in (0, 1))
    first = first[:1].expand(5, 5)
    start = torch.full((5,), -math.inf)
    start[0] = 0.0
    scores, _, tokens = beam_step(first, start)
    best, parents, last = beam_step(second[tokens], scores)
    every = first[0][:, None] + second
    torch.testing.assert_close(best, every.flatten().topk(5).values)
    torch.testing.assert_close(best, every[tokens[parents], last])


@pytest.mark.parametrize("heads", [1, 2, 3])
def test_the_decoder_layer_is_pytorchs(heads: int) -> None:
    layer = nn.TransformerDecoderLayer(
        6, heads, 11, dropout=0.0, batch_first=True, norm_first=True, bias=False
    )
    both = layer.self_attn, layer.multihead_attn
    W_self, W_cross = (
        torch.stack([*part.in_proj_weight.chunk(3), part.out_proj.weight])
        for part in both
    )
    x, memory = normal(2, 5, 6), normal(2, 7, 6, seed=1)
    ours = decoder_layer(
        x, memory, W_self, W_cross, layer.linear1.weight, layer.linear2.weight, heads
    )
    hidden = ~masks.causal(5)
    torch.testing.assert_close(ours, layer(x, memory, tgt_mask=hidden))


def test_each_of_the_three_bugs_shows_where_its_hint_says() -> None:
    """The mask in an earlier row, the scale with two heads, the residual alone."""
    x, memory, W_self, W_cross, W_1, W_2, heads = EXERCISE.cases["a longer source"]()
    last = x.clone()
    last[:, -1, 0] += 1
    given, right = EXERCISE.given, decoder_layer
    rest = memory, W_self, W_cross, W_1, W_2, heads
    for function, seen in ((right, False), (given, True)):
        changed = (function(x, *rest) - function(last, *rest)).abs().amax((0, 2)) > 1e-4
        assert changed.tolist() == [False] * 3 + [seen, True]
    deaf = memory, W_self, 0 * W_cross, W_1, W_2, 1
    alone = memory, 0 * W_self, 0 * W_cross, W_1, W_2, 1
    for function, heard in ((right, True), (given, False)):
        same = torch.allclose(function(x, *deaf), function(x, *alone))
        assert same is not heard


@pytest.mark.parametrize("case", BETWEEN.cases)
def test_attention_between_words_sums_to_one_and_is_itself_of_whole_words(case) -> None:
    weights, target_words, source_words = BETWEEN.cases[case]()
    found = between_words(weights, target_words, source_words)
    torch.testing.assert_close(found.sum(-1), torch.ones(len(found)))
    if case == "as many pieces as words":
        torch.testing.assert_close(found, weights)
