"""The references of chapter 7 mean what the package and PyTorch mean."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from qkv import layers, masks
from qkv.decoding import sampling_probabilities
from qkv.exercises.ch07.beam_step import beam_step
from qkv.exercises.ch07.decoder_layer import EXERCISE, decoder_layer
from qkv.exercises.ch07.feed_forward import feed_forward
from qkv.exercises.ch07.layer_norm import layer_norm
from qkv.exercises.ch07.learning_rate import learning_rate
from qkv.exercises.ch07.nucleus import nucleus
from qkv.exercises.ch07.post_and_pre_norm import post_and_pre_norm
from qkv.exercises.ch07.smoothed_loss import smoothed_loss
from qkv.exercises.draw import ids, normal
from qkv.training import FitSettings, sequence_loss


def test_layer_norm_and_feed_forward_are_the_packages() -> None:
    x = 3 * normal(2, 5, 7) + 1
    norm, network = layers.LayerNorm(7, eps=0.1), layers.FeedForward(7, 11)
    with torch.no_grad():
        norm.weight.copy_(normal(7, seed=1))
        norm.bias.copy_(normal(7, seed=2))
    ours = layer_norm(x, norm.weight, norm.bias, 0.1)
    torch.testing.assert_close(ours, norm(x))
    torch.testing.assert_close(
        feed_forward(
            x,
            network.linear1.weight,
            network.linear1.bias,
            network.linear2.weight,
            network.linear2.bias,
        ),
        network(x),
    )


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


def test_the_learning_rate_is_the_packages_and_the_papers() -> None:
    peak = (512 * 4000) ** -0.5
    settings = FitSettings(peak, schedule="inverse_sqrt", warmup=4000)
    for step in (1, 3999, 4000, 4001, 100_000):
        ours = learning_rate(step, 512, 4000)
        assert ours == pytest.approx(settings.rate(step))
    assert learning_rate(4000, 512, 4000) == pytest.approx(peak)


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
