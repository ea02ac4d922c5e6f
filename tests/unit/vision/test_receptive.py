"""How far a place sees: the arithmetic and the gradient say the same."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from qkv.vision import (
    DilatedConvolutions,
    GlobalContext,
    SelfAttention2d,
    Trunk,
    extent,
    receptive_field,
    seen_by,
)

layer = st.tuples(
    st.sampled_from(["convolution", "average", "max"]),
    st.integers(1, 3),
    st.integers(1, 2),
    st.integers(1, 3),
)
few = settings(max_examples=40, deadline=None)
DRAWS = 256  # the largest of 3 × 3, three times over, is often enough at each border


def stack(layers, channels: int = 2) -> nn.Sequential:
    """One module for each layer, without padding, whose ReLUs let something pass."""
    made: list[nn.Module] = []
    for kind, kernel, stride, dilation in layers:
        if kind == "average":
            made.append(nn.AvgPool2d(kernel, stride))
        elif kind == "max":
            made.append(nn.MaxPool2d(kernel, stride, dilation=dilation))
        else:
            sizes = channels, channels, kernel, stride
            made += [nn.Conv2d(*sizes, dilation=dilation, bias=False), nn.ReLU()]
            nn.init.ones_(made[-2].weight)
    return nn.Sequential(*made)


def told(layers) -> list[tuple[int, int, int]]:
    return [(k, s, 1 if kind == "average" else d) for kind, k, s, d in layers]


@few
@given(st.lists(layer, min_size=1, max_size=3))
def test_the_gradient_reaches_as_far_as_the_arithmetic_says(layers):
    sees = receptive_field(told(layers))
    # one place is left, and it sees all there is
    seen = seen_by(stack(layers), (sees, sees), (0, 0), channels=2, draws=DRAWS)
    assert extent(seen) == (0, 0, sees, sees)


@few
@given(st.lists(layer, min_size=1, max_size=3), st.integers(0, 2), st.integers(0, 2))
def test_the_next_place_sees_as_many_pixels_further_on(layers, row, column):
    steps = 1
    for _, stride, _ in told(layers):
        steps *= stride
    sees = receptive_field(told(layers))
    size = (sees + 2 * steps, sees + 2 * steps)
    seen = seen_by(stack(layers), size, (row, column), channels=2, draws=DRAWS)
    top, left = row * steps, column * steps
    assert extent(seen) == (top, left, top + sees, left + sees)


def test_a_place_of_the_trunk_sees_18_pixels():
    trunk = Trunk()
    layers = [(3, 1), (2, 2), (3, 1), (2, 2), (3, 1)]
    assert receptive_field(layers) == 18
    top, left, bottom, right = extent(seen_by(trunk, (28, 28), (3, 3)))
    assert (bottom - top, right - left) == (18, 18)
    assert seen_by(trunk, (28, 28), (3, 3))[top:bottom, left:right].all()
    # at the border a part of it lies outside
    assert extent(seen_by(trunk, (28, 28), (0, 0))) == (0, 0, 11, 11)


@pytest.mark.parametrize(
    ("make", "sees"),
    [
        (lambda: nn.Identity(), (3, 1, 4, 2)),
        (lambda: SelfAttention2d(3), (3, 1, 4, 2)),
        (lambda: SelfAttention2d(3, gamma=0.5), (0, 0, 7, 7)),
        (lambda: GlobalContext(3), (0, 0, 7, 7)),
        (lambda: GlobalContext(3, pool="max", hidden=5), (0, 0, 7, 7)),
        (lambda: DilatedConvolutions(3), (0, 0, 7, 7)),
        (lambda: DilatedConvolutions(3, (1, 1)), (1, 0, 6, 4)),
    ],
    ids=["nothing", "closed", "open", "mean", "max", "dilated", "two convolutions"],
)
def test_what_a_block_sees(make, sees):
    torch.manual_seed(0)  # of the weights, too: a closed ReLU hides what is there
    assert extent(seen_by(make(), (7, 7), (3, 1))) == sees


def test_the_module_is_left_as_it_was():
    trunk = Trunk().train()
    before = {name: x.clone() for name, x in trunk.state_dict().items()}
    seen_by(trunk, (28, 28), (3, 3))
    assert trunk.training
    assert all(torch.equal(before[n], x) for n, x in trunk.state_dict().items())
    assert all(p.grad is None for p in trunk.parameters())


def test_a_network_of_another_kind_of_numbers_is_asked_too():
    convolution = nn.Conv2d(3, 2, 3).double()
    assert extent(seen_by(convolution, (5, 6), (1, 2))) == (1, 2, 4, 5)


def test_layers_in_a_tensor_make_a_plain_number(as_readers_run_it):
    assert type(receptive_field(torch.tensor([[3, 1, 1], [2, 2, 1]]))) is int


def test_what_cannot_be_asked_is_named(as_readers_run_it):
    with pytest.raises(ValueError, match=r"a layer is \(3,\), but is \(kernel, stride"):
        receptive_field([(3,)])
    with pytest.raises(ValueError, match="stride must be at least 1, not 0"):
        receptive_field([(3, 0)])
    with pytest.raises(ValueError, match=r"place is \(7, 0\), but the module retu"):
        seen_by(Trunk(), (28, 28), (7, 0))
    with pytest.raises(ValueError, match=r"place is \(0, -1\), but both must be at "):
        seen_by(Trunk(), (28, 28), (0, -1))
    with pytest.raises(TypeError, match="both must be whole numbers"):
        seen_by(Trunk(), (28, 28), (0.5, 1))
    with pytest.raises(ValueError, match=r"a layer is 3, but is \(kernel, stride\)"):
        receptive_field((3, 1))
    with pytest.raises(ValueError, match="is to return pictures"):
        seen_by(nn.Flatten(), (5, 5), (0, 0))
    with pytest.raises(ValueError, match="no pixel is seen"):
        extent(torch.zeros(3, 5, dtype=torch.bool))
