"""Layer norm and feed-forward: equal to PyTorch's, and each trace to its fast path."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from qkv.layers import FeedForward, LayerNorm, embed, residual
from qkv.trace import walk

primes = st.permutations([2, 3, 5, 7, 11])
seeds = st.integers(0, 2**31)
dtypes = st.sampled_from([torch.float32, torch.float64])
fast = settings(max_examples=15, deadline=None)


def normal(*shape: int, seed: int, dtype=torch.float64) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    made = 3 + 5 * torch.randn(*shape, generator=generator, dtype=dtype)
    return made.requires_grad_()


def gradients(output, inputs, seed):
    pull = normal(*output.shape, seed=seed + 1, dtype=output.dtype).detach()
    return torch.autograd.grad(output, inputs, pull)


# ------------------------------------------------------------------------ layer norm


@fast
@given(sizes=primes, axes=st.integers(1, 3), dtype=dtypes, seed=seeds)
def test_layer_norm_is_pytorchs_in_kernel_and_trace(sizes, axes, dtype, seed):
    *batch, d_model = sizes[: axes + 1]
    oracle = nn.LayerNorm(d_model, eps=0.1).to(dtype)
    torch.manual_seed(seed)
    for parameter in oracle.parameters():
        nn.init.normal_(parameter)
    ours = LayerNorm(d_model, eps=0.1).to(dtype)
    ours.load_state_dict(oracle.state_dict())
    oracle.load_state_dict(ours.state_dict())

    x = normal(*batch, d_model, seed=seed, dtype=dtype)
    traced = ours.trace(x).output
    expected = oracle(x)
    wanted = gradients(expected, (x, *oracle.parameters()), seed)
    tolerance = {"rtol": 1e-3, "atol": 1e-4} if dtype is torch.float32 else {}
    for output in (ours(x), traced):
        torch.testing.assert_close(output, expected, **tolerance)
        found = gradients(output, (x, *ours.parameters()), seed)
        torch.testing.assert_close(found, wanted, **tolerance)


def test_layer_norm_by_hand():
    layer = LayerNorm(4, eps=0.0)
    layer.weight.data = torch.tensor([1.0, 10.0, 1.0, 1.0])
    layer.bias.data = torch.tensor([0.0, 0.0, 100.0, 0.0])
    trace = layer.trace(torch.tensor([[1.0, 5.0, 1.0, 5.0]]))
    assert trace.mean.tolist() == [[3.0]]
    assert trace.variance.tolist() == [[4.0]]  # 16 / 4; the unbiased one is 16 / 3
    assert trace.normalised.tolist() == [[-1.0, 1.0, -1.0, 1.0]]
    assert trace.output.tolist() == [[-1.0, 10.0, 99.0, 1.0]]


def test_epsilon_is_inside_the_root_and_saves_a_token_of_equal_features():
    layer = LayerNorm(3, eps=0.25)
    x = torch.tensor([[7.0, 7.0, 7.0]], requires_grad=True)
    for output in (layer(x), layer.trace(x).output):
        assert output.tolist() == [[0.0, 0.0, 0.0]]
        assert gradients(output, (x,), seed=0)[0].isfinite().all()
    spread = torch.tensor([[-1.5, 0.0, 1.5]])  # variance 1.5
    expected = spread / 1.75**0.5
    torch.testing.assert_close(layer.trace(spread).output, expected)


def test_the_steps_of_a_layer_norm_have_names():
    shapes = {s.path: s.shape for s in walk(LayerNorm(5).trace(torch.ones(2, 3, 5)))}
    assert shapes["mean"] == {"batch": 2, "token": 3, "1": 1}
    assert shapes["output"] == {"batch": 2, "token": 3, "d_model": 5}


# ---------------------------------------------------------------------- feed-forward


@fast
@given(sizes=primes, seed=seeds)
def test_feed_forward_is_two_layers_with_a_relu_between(sizes, seed):
    batch, token, d_model, d_ff, _ = sizes
    torch.manual_seed(seed)
    ours = FeedForward(d_model, d_ff).double()
    oracle = nn.Sequential(ours.linear1, nn.ReLU(), ours.linear2)
    x = normal(batch, token, d_model, seed=seed)
    expected, inputs = oracle(x), (x, *ours.parameters())
    wanted = gradients(expected, inputs, seed)
    for output in (ours(x), ours.trace(x).output):
        torch.testing.assert_close(output, expected)
        torch.testing.assert_close(gradients(output, inputs, seed), wanted)


def test_feed_forward_by_hand():
    layer = FeedForward(1, 2)
    layer.linear1.weight.data = torch.tensor([[1.0], [-1.0]])
    layer.linear1.bias.data = torch.tensor([0.5, 0.0])
    layer.linear2.weight.data = torch.tensor([[2.0, 3.0]])
    layer.linear2.bias.data = torch.tensor([-1.0])
    trace = layer.trace(torch.tensor([[1.0], [-2.0]]))
    assert trace.hidden.tolist() == [[1.5, -1.0], [-1.5, 2.0]]
    assert trace.activated.tolist() == [[1.5, 0.0], [0.0, 2.0]]
    assert trace.output.tolist() == [[2.0], [5.0]]


def test_feed_forward_works_on_each_token_alone():
    layer, x = FeedForward(3, 7).double(), normal(5, 3, seed=0)
    torch.testing.assert_close(layer(x)[2], layer(x[2:3])[0])


# -------------------------------------------------------------------------- residual


def test_a_residual_normalises_before_or_after():
    x = torch.tensor([[1.0, 2.0]])

    def double(x):
        return 2 * x

    def less(x):
        return x - 1

    assert residual(x, double, less, norm_first=True).tolist() == [[1.0, 4.0]]
    assert residual(x, double, less, norm_first=False).tolist() == [[2.0, 5.0]]


# ---------------------------------------------------------------------------- errors


@pytest.mark.parametrize("layer", [LayerNorm(3), FeedForward(3, 7)])
@pytest.mark.parametrize("path", ["forward", "trace"])
def test_another_width_is_refused(as_readers_run_it, layer, path):
    with pytest.raises(ValueError, match=r"d_model = 3, but x has d_model = 5"):
        getattr(layer, path)(torch.ones(2, 4, 5))


@pytest.mark.parametrize("token", [-1, 11])
def test_an_unknown_token_is_named(token):
    with pytest.raises(ValueError, match=rf"target has token {token}, but .* 0 to 10"):
        embed(nn.Embedding(11, 2), torch.tensor([3, token]), "target")


def test_an_activation_that_is_not_known_is_refused_with_those_that_are():
    with pytest.raises(ValueError, match=r"activation is 'swish'.*relu.*gelu"):
        FeedForward(5, 7, "swish")
