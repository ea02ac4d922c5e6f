"""Self-attention over places: what it is equal to, what its gate does, its rivals."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from qkv.trace import walk
from qkv.vision import (
    CellHead,
    DilatedConvolutions,
    GlobalContext,
    LookUpConfig,
    LookUpNetwork,
    SelfAttention2d,
    Trunk,
    places,
)
from qkv.vision.look_up import folded

sizes = st.tuples(st.sampled_from([1, 2, 5]), *[st.sampled_from([1, 2, 3, 7])] * 5)
seeds = st.integers(0, 2**31)
fast = settings(max_examples=15, deadline=None)


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def made(*given, gamma: float = 0.75, seed: int = 0, **kinds) -> SelfAttention2d:
    """A block whose biases count, too."""
    torch.manual_seed(seed)
    block = SelfAttention2d(*given, gamma=gamma, **kinds).double()
    for W in (block.W_q, block.W_k, block.W_v, block.W_o):
        nn.init.normal_(W.bias)
    return block


def in_a_row(W: nn.Conv2d, x: torch.Tensor) -> torch.Tensor:
    """What a convolution makes of a picture, its places in a row."""
    return W(x).flatten(2).mT


@fast
@given(sizes, seeds)
def test_it_is_attention_over_the_places_in_a_row(sizes, seed):
    batch, channels, d_k, d_v, rows, columns = sizes
    block = made(channels, d_k, d_v, seed=seed)
    x = normal(batch, channels, rows, columns, seed=seed)
    q, k, v = (in_a_row(W, x) for W in (block.W_q, block.W_k, block.W_v))
    read = F.scaled_dot_product_attention(q, k, v)
    said = block.W_o(read.mT.unflatten(2, (rows, columns)))
    torch.testing.assert_close(block(x), x + 0.75 * said)


@fast
@given(seeds, st.sampled_from([(2, 3), (1, 5), (7, 1)]))
def test_it_is_pytorchs_module_with_one_head_around_which_x_goes(seed, sides):
    block = made(6, seed=seed)
    x = normal(5, 6, *sides, seed=seed).requires_grad_()
    peer = nn.MultiheadAttention(6, 1, batch_first=True).double()
    given = [block.W_q, block.W_k, block.W_v]
    peer.in_proj_weight.data = torch.cat([W.weight.flatten(1) for W in given]).detach()
    peer.in_proj_bias.data = torch.cat([W.bias for W in given]).detach()
    peer.out_proj.weight.data = block.W_o.weight.flatten(1).detach()
    peer.out_proj.bias.data = block.W_o.bias.detach()
    row = x.flatten(2).mT
    said, weights = peer(row, row, row)
    theirs = x + 0.75 * said.mT.unflatten(2, sides)
    torch.testing.assert_close(block(x), theirs)
    torch.testing.assert_close(block.trace(x).attention.weights, weights)
    pull = normal(*x.shape, seed=1)
    torch.testing.assert_close(
        torch.autograd.grad(block(x), x, pull), torch.autograd.grad(theirs, x, pull)
    )


@fast
@given(sizes, seeds, st.sampled_from([1, 2]))
def test_the_trace_ends_as_the_call_does(sizes, seed, pool):
    batch, channels, d_k, d_v, *sides = sizes
    block = made(channels, d_k, d_v, seed=seed, pool=pool)
    rows, columns = (pool * side for side in sides)
    x = normal(batch, channels, rows, columns, seed=seed)
    trace = block.trace(x)
    torch.testing.assert_close(trace.output, block(x))
    assert trace.looks.shape == (batch, rows, columns, *sides)
    to_keys = trace.attention.weights.unflatten(1, (rows, columns))
    torch.testing.assert_close(trace.looks.flatten(3), to_keys)
    torch.testing.assert_close(
        trace.looks.sum((3, 4)), torch.ones(batch, rows, columns).double()
    )
    assert [s.path for s in walk(trace)][-2:] == ["said", "output"]


def test_any_number_of_axes_leads():
    block, x = made(3, 2), normal(2, 5, 3, 4, 2)
    torch.testing.assert_close(block(x)[1], block(x[1]))
    torch.testing.assert_close(block(x)[1, 4], block(x[1, 4]))
    pooled = made(3, 2, pool=2)
    torch.testing.assert_close(pooled(x)[1, 4], pooled(x[1, 4]))


def test_a_picture_by_hand():
    block = SelfAttention2d(1, gamma=0.5)
    for W, weight in ((block.W_q, 1.0), (block.W_v, 1.0), (block.W_o, 1.0)):
        nn.init.constant_(W.weight, weight)
    nn.init.constant_(block.W_k.weight, torch.tensor(2.0).log().item())
    for W in (block.W_q, block.W_k, block.W_v, block.W_o):
        nn.init.zeros_(W.bias)
    trace = block.trace(torch.tensor([[[[0.0, 1.0], [2.0, 1.0]]]]))
    expected = torch.tensor([[1, 1, 1, 1], [1, 2, 4, 2], [1, 4, 16, 4], [1, 2, 4, 2]])
    sums = expected.sum(1, keepdim=True)
    torch.testing.assert_close(trace.attention.weights[0], expected / sums)
    read = torch.tensor([1, 12 / 9, 40 / 25, 12 / 9])
    torch.testing.assert_close(trace.said.flatten(), read)
    given = torch.tensor([0.0, 1.0, 2.0, 1.0])
    torch.testing.assert_close(trace.output.flatten(), given + read / 2)


# ------------------------------------------------------------------------- the gate


def test_put_into_a_network_it_changes_nothing_to_the_last_bit():
    torch.manual_seed(0)
    x = torch.randn(5, 6, 7, 3)
    assert torch.equal(SelfAttention2d(6)(x), x)
    trunk, head = Trunk(), CellHead(48, 4)
    images = torch.rand(2, 3, 28, 28)
    before, block = nn.Sequential(trunk, head), SelfAttention2d(48)
    after = nn.Sequential(trunk, block, head)
    assert torch.equal(before.eval()(images), after.eval()(images))


def test_in_the_first_step_the_gate_alone_has_a_gradient():
    block = made(6, gamma=0.0)
    block(normal(5, 6, 3, 2)).square().sum().backward()
    has = {name: bool(p.grad.any()) for name, p in block.named_parameters()}
    assert has.pop("gamma")
    assert not any(has.values())
    with torch.no_grad():
        block.gamma += 0.5
    block(normal(5, 6, 3, 2)).square().sum().backward()
    # a bias of all keys alike changes no weight: its gradient stays 0
    has = {n: p.grad.abs().max() > 1e-9 for n, p in block.named_parameters()}
    assert not has.pop("W_k.bias")
    assert all(has.values())


def test_a_negative_gate_is_a_positive_one_with_w_o_turned():
    block, x = made(6, 5, 2, gamma=-0.5), normal(5, 6, 3, 2)
    before = block(x)
    with torch.no_grad():
        for turned in (block.gamma, block.W_o.weight, block.W_o.bias):
            turned.neg_()
    assert torch.equal(block(x), before)


@fast
@given(seeds)
def test_places_in_another_order_answer_in_that_order(seed):
    block, x = made(6, 5, 2), normal(5, 6, 3, 4, seed=seed)
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(12, generator=generator)
    shuffled = x.flatten(2)[..., order].view_as(x)
    torch.testing.assert_close(
        block(shuffled), block(x).flatten(2)[..., order].view_as(x)
    )


# ---------------------------------------------------------------------- fewer keys


def test_pooled_keys_are_what_max_pooling_leaves():
    block, x = made(6, 5, 3, pool=2), normal(2, 6, 5, 7)
    k, v = (F.max_pool2d(W(x), 2).flatten(2).mT for W in (block.W_k, block.W_v))
    read = F.scaled_dot_product_attention(in_a_row(block.W_q, x), k, v)
    said = block.W_o(read.mT.unflatten(2, (5, 7)))
    torch.testing.assert_close(block(x), x + 0.75 * said)
    assert block.trace(x).looks.shape == (2, 5, 7, 2, 3)


def test_on_squares_that_are_all_alike_pooling_changes_nothing():
    pooled = made(6, 5, 3, pool=2)
    block = made(6, 5, 3)
    x = normal(2, 6, 3, 2).repeat_interleave(2, 2).repeat_interleave(2, 3)
    torch.testing.assert_close(pooled(x), block(x))


# ---------------------------------------------------------------- what does not fit


@pytest.mark.parametrize(
    ("x", "kind", "said"),
    [
        (
            torch.rand(5, 4, 3, 2),
            ValueError,
            "block has channel = 6, but x has channel",
        ),
        (
            torch.rand(5, 6, 1, 2),
            ValueError,
            "pool = 2, but x has row = 1 and column",
        ),
        (torch.rand(3, 2), ValueError, r"x has shape \(3, 2\), but its axes are to be"),
        (torch.rand(5, 6, 3, 2).double(), TypeError, "x holds torch.float64"),
    ],
)
def test_a_picture_that_does_not_fit_is_named(as_readers_run_it, x, kind, said):
    with pytest.raises(kind, match=said):
        SelfAttention2d(6, pool=2)(x)


def test_an_empty_batch_comes_back_empty_with_pooled_keys_too():
    assert SelfAttention2d(6, pool=2)(torch.rand(0, 6, 3, 2)).shape == (0, 6, 3, 2)


def test_sizes_that_make_no_block_are_refused():
    for wrong in ({"d_k": 0}, {"d_v": 0}, {"pool": 0}):
        with pytest.raises(ValueError, match="must be at least 1, not 0"):
            SelfAttention2d(6, **wrong)
    with pytest.raises(ValueError, match="pool is 'sum', but the block knows 'mean'"):
        GlobalContext(6, pool="sum")


# ------------------------------------------------------------------------ its rivals


@pytest.mark.parametrize("pool", ["mean", "max"])
def test_the_context_is_the_same_for_every_place(pool):
    block = GlobalContext(3, pool=pool).double()
    x = normal(5, 3, 2, 7)
    context = x.flatten(2).mean(2) if pool == "mean" else x.flatten(2).max(2).values
    row = torch.cat([places(x), context[:, None].expand(-1, 14, -1)], -1)
    weight, bias = block.after.weight.flatten(1), block.after.bias
    torch.testing.assert_close(places(block(x)), F.linear(row, weight, bias))


def test_a_context_with_a_network_pools_what_the_network_says():
    block = GlobalContext(3, pool="max", hidden=11).double()
    x = normal(5, 3, 2, 7)
    context = block.before(x).amax((2, 3), keepdim=True).expand(-1, -1, 2, 7)
    torch.testing.assert_close(block(x), block.after(torch.cat([x, context], 1)))


def test_dilated_convolutions_are_apart_and_keep_the_size():
    block = DilatedConvolutions(5, (1, 2, 3))
    convolutions = [m for m in block.modules() if isinstance(m, nn.Conv2d)]
    assert [c.dilation for c in convolutions] == [(1, 1), (2, 2), (3, 3)]
    assert block(torch.rand(2, 5, 7, 4)).shape == (2, 5, 7, 4)


@pytest.mark.parametrize(
    "block",
    [GlobalContext(6), GlobalContext(6, pool="max", hidden=3), DilatedConvolutions(6)],
)
def test_what_does_not_fit_a_rival_is_named(as_readers_run_it, block):
    x = torch.rand(5, 6, 3, 2)
    with pytest.raises(TypeError, match=r"x holds torch\.float64, but the weights"):
        block(x.double())
    with pytest.raises(ValueError, match="the batch axis is missing"):
        block(x[0])
    with pytest.raises(ValueError, match="x has batch = 0"):
        block(x[:0])  # in training it would make NaN of what a batch norm has seen


# ------------------------------------------------------------------------ the whole


@pytest.mark.parametrize("make", [lambda w: Trunk(3, w), lambda w: LookUpConfig(3, w)])
def test_widths_that_make_no_trunk_are_refused(as_readers_run_it, make):
    with pytest.raises(ValueError, match=r"widths is \(8, 16\), but .* three conv"):
        make((8, 16))
    with pytest.raises(ValueError, match="widths is 12, but there are three conv"):
        make(12)
    with pytest.raises(ValueError, match="third width must be at least 1, not 0"):
        make((8, 16, 0))
    with pytest.raises(TypeError, match=r"second width is 1\.5, but must be a whole"):
        make((8, 1.5, 3))
    with pytest.raises(ValueError, match="channels must be at least 1, not 0"):
        Trunk(0)


def test_widths_of_a_list_are_those_of_a_tuple(as_readers_run_it):
    listed = LookUpConfig(widths=[2, 3, 5])
    assert listed == LookUpConfig(widths=(2, 3, 5))
    assert hash(listed) == hash(LookUpConfig(widths=(2, 3, 5)))


def test_pictures_that_do_not_fit_a_trunk_are_named(as_readers_run_it):
    trunk, images = Trunk(widths=(2, 3, 5)), torch.rand(5, 3, 4, 8)
    assert trunk(images).shape == (5, 5, 1, 2)
    seen = {name: x.clone() for name, x in trunk.state_dict().items()}
    with pytest.raises(ValueError, match="the batch axis is missing"):
        trunk(images[0])
    with pytest.raises(ValueError, match="images has batch = 0"):
        trunk(images[:0])
    with pytest.raises(ValueError, match="height = 3 and width = 8; the trunk halves"):
        trunk(images[:, :, :3])
    assert all(torch.equal(seen[n], x) for n, x in trunk.state_dict().items())
    with pytest.raises(TypeError, match=r"grid holds torch\.float64, but the weights"):
        CellHead(3, classes=4)(images.double())


def test_the_network_is_its_parts_and_its_trace_ends_in_probabilities():
    torch.manual_seed(0)
    model = LookUpNetwork(LookUpConfig(widths=(2, 3, 5), d_k=7, hidden=11, classes=13))
    nn.init.constant_(model.block.gamma, 0.5)
    images = torch.rand(2, 3, 8, 12)
    parts = nn.Sequential(model.trunk, model.block, model.head)
    assert torch.equal(model.eval()(images), parts(images))
    trace = model.trace(images)
    assert trace.grid.shape == (2, 5, 2, 3)
    torch.testing.assert_close(trace.logits, model(images))
    torch.testing.assert_close(trace.probabilities, model(images).softmax(-1))


def test_without_batch_norm_it_says_the_same():
    torch.manual_seed(0)
    model = LookUpNetwork(LookUpConfig(widths=(2, 3, 5), d_k=7, hidden=11))
    images = torch.rand(7, 3, 8, 12)
    model(images)  # so that the norms have seen something
    same = folded(model.eval())
    torch.testing.assert_close(same(images), model(images))
    assert not [m for m in same.modules() if isinstance(m, nn.BatchNorm2d)]
    assert [m for m in model.modules() if isinstance(m, nn.BatchNorm2d)]
