"""The encoder of images: gelu, another epsilon, and its first tokens alone."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from qkv.layers import (
    FeedForward,
    FeedForwardTrace,
    GeluFeedForwardTrace,
    LayerNorm,
)
from qkv.trace import walk
from qkv.transformer import Encoder, EncoderLayer, LanguageModel, TransformerConfig

seeds = st.integers(0, 2**31)
activations = st.sampled_from(["relu", "gelu"])
fast = settings(max_examples=15, deadline=None)
EPS = 0.3


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def make(layers: int = 2, *, norm_first: bool = True, activation: str) -> Encoder:
    made = [
        EncoderLayer(12, 3, 11, norm_first=norm_first, activation=activation, eps=EPS)
        for _ in range(layers)
    ]
    encoder = Encoder(made, LayerNorm(12, EPS) if norm_first else None).double()
    for parameter in encoder.parameters():
        nn.init.normal_(parameter, mean=0.1, std=0.4)
    return encoder


def same_gradients(ours, other, inputs):
    torch.testing.assert_close(ours, other)
    pull = normal(*ours.shape, seed=5)
    torch.testing.assert_close(
        torch.autograd.grad(ours, inputs, pull),
        torch.autograd.grad(other, inputs, pull),
    )


@fast
@given(norm_first=st.booleans(), activation=activations, seed=seeds)
def test_activation_and_epsilon_are_pytorchs(norm_first, activation, seed):
    torch.manual_seed(seed)
    ours = make(norm_first=norm_first, activation=activation)
    layer = nn.TransformerEncoderLayer(
        12,
        3,
        11,
        dropout=0.0,
        activation=activation,
        layer_norm_eps=EPS,
        batch_first=True,
        norm_first=norm_first,
    )
    norm = nn.LayerNorm(12, EPS) if norm_first else None
    oracle = nn.TransformerEncoder(layer, 2, norm, enable_nested_tensor=False).double()
    oracle.load_state_dict(ours.state_dict())
    x = normal(5, 7, 12, seed=seed)
    torch.testing.assert_close(ours(x), oracle(x))
    torch.testing.assert_close(ours.trace(x)[1], oracle(x))


@fast
@given(
    norm_first=st.booleans(),
    activation=activations,
    layers=st.integers(1, 3),
    count=st.integers(1, 7),
    mask=st.sampled_from(["none", "keys", "pairs"]),
    seed=seeds,
)
def test_the_first_tokens_are_those_of_a_call(
    norm_first, activation, layers, count, mask, seed
):
    torch.manual_seed(seed)
    encoder = make(layers, norm_first=norm_first, activation=activation)
    x = normal(5, 7, 12, seed=seed).requires_grad_()
    shape = {"keys": (5, 1, 7), "pairs": (5, 7, 7)}.get(mask)
    may = None if shape is None else normal(*shape, seed=seed + 1) > 0
    found = encoder.first(x, count, mask=may)
    assert found.shape == (5, count, 12)
    wanted = encoder(x, mask=may)[:, :count]
    same_gradients(found, wanted, (x, *encoder.parameters()))


def test_the_last_layer_works_on_the_first_tokens_only():
    encoder, seen = make(activation="relu"), []
    for layer in encoder.layers:
        layer.feed_forward.linear1.register_forward_hook(
            lambda *told: seen.append(told[2].shape[1])
        )
    encoder.first(normal(5, 7, 12), 2)
    assert seen == [7, 2]


@pytest.mark.parametrize("activation", ["relu", "gelu"])
def test_writing_token_by_token_has_the_same_activation(activation):
    torch.manual_seed(0)
    config = TransformerConfig(2, 17, d_model=12, heads=3, d_ff=11, layers=(1, 2))
    model = LanguageModel(config).double()
    for layer in model.decoder.layers:
        layer.feed_forward.activation = activation
    tokens = torch.arange(35).view(5, 7) % 17
    expected, state = model(tokens).detach(), model.empty(batch=5)
    for i in range(7):
        logits, state = model.step(tokens[:, i], state)
        torch.testing.assert_close(logits, expected[:, i])


@fast
@given(activation=activations, seed=seeds)
def test_a_feed_forward_networks_trace_is_the_call(activation, seed):
    torch.manual_seed(seed)
    network = FeedForward(3, 7, activation).double()
    x = normal(2, 5, 3, seed=seed).requires_grad_()
    inputs = x, *network.parameters()
    same_gradients(network.trace(x).output, network(x), inputs)


def test_the_step_says_which_activation_it_is():
    traces = {
        name: FeedForward(3, 7, name).trace(torch.ones(2, 3))
        for name in ("relu", "gelu")
    }
    assert type(traces["relu"]) is FeedForwardTrace
    assert type(traces["gelu"]) is GeluFeedForwardTrace
    formulas = {name: list(walk(trace))[1].formula for name, trace in traces.items()}
    assert formulas == {"relu": r"a = \max(0, h)", "gelu": r"a = h\,\Phi(h)"}
    names = [[s.path for s in walk(trace)] for trace in traces.values()]
    assert names[0] == names[1] == ["hidden", "activated", "output"]


def test_an_unknown_activation_is_named_at_once():
    with pytest.raises(ValueError, match="'tanh', but the layers know 'relu', 'gelu'"):
        EncoderLayer(12, 3, 11, activation="tanh")
    with pytest.raises(ValueError, match="'tanh'"):
        FeedForward(3, 7, "tanh")
