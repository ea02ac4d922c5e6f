"""Layers of experts: equal to dense mixtures, to a batch's parts, and to the papers."""

from functools import partial
from math import comb

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from qkv.data import Topics
from qkv.exercises.ch12.shared import room
from qkv.experts import (
    MixtureOfExperts,
    RoutingBias,
    balance_loss,
    expected_dropped,
    gates,
    kept,
    loads,
    places,
    purity,
)
from qkv.layers import FeedForward
from qkv.trace import walk
from qkv.training import FitSettings, fit
from qkv.transformer import EncoderLayer, LanguageModel, TransformerConfig
from tests.unit.away import another_device

few = settings(max_examples=15, deadline=None)
seeds = st.integers(0, 2**31)
D_MODEL, D_FF = 7, 11


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def layer(experts: int, k: int = 1, *, seed: int = 0, **options) -> MixtureOfExperts:
    torch.manual_seed(seed)
    return MixtureOfExperts(D_MODEL, D_FF, experts, k, **options).double()


def dense(moe: MixtureOfExperts, x: torch.Tensor, *, k: int) -> torch.Tensor:
    """The definition: every expert on every token, with gates of 0 for the rest."""
    p = torch.einsum("...d,ed->...e", x, moe.router.weight).softmax(-1)
    least = p.sort(descending=True).values[..., k - 1 : k]
    gate = torch.where(p >= least, p, torch.zeros(()).double())
    up = torch.stack([e.linear1.weight for e in moe.experts])
    down = torch.stack([e.linear2.weight for e in moe.experts])
    one = torch.stack([e.linear1.bias for e in moe.experts])
    two = torch.stack([e.linear2.bias for e in moe.experts])
    hidden = torch.relu(torch.einsum("...d,efd->...ef", x, up) + one)
    said = torch.einsum("...ef,edf->...ed", hidden, down) + two
    return torch.einsum("...e,...ed->...d", gate, said)


def gradients(output: torch.Tensor, inputs, seed: int):
    pull = normal(*output.shape, seed=seed + 1)
    return torch.autograd.grad(output, inputs, pull)


# ------------------------------------------------------------------- the layer itself


@few
@given(seeds, st.sampled_from([(1, 1), (3, 1), (5, 2), (5, 5)]), st.integers(1, 3))
def test_kernel_and_trace_are_the_dense_einsum_with_its_gradients(seed, sizes, axes):
    experts, k = sizes
    moe = layer(experts, k, seed=seed)
    x = normal(*(2, 3, 5)[-axes:], D_MODEL, seed=seed).requires_grad_()
    inputs = (x, *moe.parameters())
    wanted = dense(moe, x, k=k)
    pulled = gradients(wanted, inputs, seed)
    for output in (moe(x), moe.trace(x).output):
        torch.testing.assert_close(output, wanted)
        torch.testing.assert_close(gradients(output, inputs, seed), pulled)


@few
@given(seeds)
def test_all_chosen_are_the_dense_mixture(seed):
    moe, x = layer(5, 5, seed=seed), normal(3, 2, D_MODEL, seed=seed)
    p = moe.router(x).softmax(-1)
    wanted = sum(p[..., i, None] * e(x) for i, e in enumerate(moe.experts))
    torch.testing.assert_close(moe(x), wanted)


def test_one_expert_is_a_feed_forward_network():
    moe, x = layer(1), normal(5, 3, D_MODEL)
    network = FeedForward(D_MODEL, D_FF).double()
    network.load_state_dict(moe.experts[0].state_dict())
    torch.testing.assert_close(moe(x), network(x))
    assert moe.trace(x).weights.eq(1).all()


@few
@given(seeds, st.permutations(range(5)))
def test_the_order_of_the_experts_does_not_matter(seed, order):
    moe, other = layer(5, 2, seed=seed), layer(5, 2)
    x = normal(11, D_MODEL, seed=seed)
    other.router.weight.data = moe.router.weight.data[list(order)]
    for own, given_to in zip(order, other.experts, strict=True):
        given_to.load_state_dict(moe.experts[own].state_dict())
    torch.testing.assert_close(other(x), moe(x))


@few
@given(seeds, st.integers(0, 6))
def test_a_token_alone_is_as_in_a_batch(seed, place):
    moe, x = layer(3, 2, seed=seed), normal(7, 5, D_MODEL, seed=seed)
    torch.testing.assert_close(moe(x[place : place + 1])[0], moe(x)[place])


def test_with_capacity_a_token_depends_on_its_company():
    moe, x = layer(3, capacity=1.0), normal(1, D_MODEL).expand(6, D_MODEL)
    assert (moe(x).abs().sum(-1) > 0).tolist() == [True, True] + 4 * [False]
    torch.testing.assert_close(moe(x)[:2], moe(x[:1]).expand(2, D_MODEL))


@pytest.mark.parametrize("k", [1, 2])
@pytest.mark.parametrize("capacity", [0.3, 0.7, 1.0])
def test_the_trace_drops_what_the_call_drops(k, capacity):
    moe, x = layer(5, k, capacity=capacity), normal(3, 7, D_MODEL)
    trace = moe.trace(x)
    torch.testing.assert_close(moe(x), trace.output)
    full = layer(5, k).trace(x)
    stays = kept(full.chosen, 5, places(21, 5, k, capacity=capacity))
    assert not stays.all()
    assert torch.equal(trace.weights, full.weights * stays)


def test_gradients_are_those_of_finite_differences():
    moe, x = layer(3, 2), normal(5, D_MODEL).requires_grad_()
    chosen = moe.trace(x).chosen
    torch.autograd.gradcheck(moe, (x,))
    assert torch.equal(moe.trace(x + 1e-6).chosen, chosen), "no choice on the edge"
    torch.autograd.gradcheck(moe.auxiliary_loss, (x,))


def test_an_expert_that_nobody_asks_spoils_nothing():
    moe, x = layer(3), normal(1, D_MODEL).expand(5, D_MODEL)
    lost = next(n for n in range(3) if n not in moe.trace(x).chosen)
    for weight in moe.experts[lost].parameters():
        weight.data.fill_(torch.nan)
    assert moe(x).isfinite().all()
    assert moe.trace(x).output.isfinite().all()
    moe(x).sum().backward()
    assert moe.router.weight.grad.isfinite().all()


def test_no_token_is_no_mistake():
    moe = layer(3, capacity=1.0)
    assert moe(normal(0, D_MODEL)).shape == (0, D_MODEL)
    assert layer(3).trace(normal(2, 0, D_MODEL)).output.shape == (2, 0, D_MODEL)


@pytest.mark.parametrize("capacity", [None, 1.0])
def test_autocast_lets_it_run_alone_and_in_a_block(capacity):
    torch.manual_seed(0)
    moe = MixtureOfExperts(8, 16, 3, 2, capacity=capacity)
    block, x = EncoderLayer(8, 2, 16, feed_forward=moe), torch.randn(2, 5, 8)
    for model in (moe, block):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            output, trace = model(x), model.trace(x)
        torch.testing.assert_close(output, trace.output, atol=0.02, rtol=0.02)
        output.float().sum().backward()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert moe(x).dtype is moe.experts[0](x).dtype is torch.bfloat16
        assert moe.auxiliary_loss(x).isfinite()
    assert moe.router.weight.grad.isfinite().all()


def test_the_steps_have_names_and_shapes():
    shapes = {s.path: s.shape for s in walk(layer(5, 2).trace(normal(3, D_MODEL)))}
    assert shapes["logits"] == {"token": 3, "expert": 5}
    assert shapes["chosen"] == {"token": 3, "choice": 2}
    assert shapes["experts.4.hidden"] == {"token": 3, "d_ff": D_FF}
    assert shapes["output"] == {"token": 3, "d_model": D_MODEL}


# ------------------------------------------------------------------------- the gates


def test_gates_by_hand():
    logits = torch.tensor([[1.0, 4, 3], [2, 2, 4]]).log()
    weights, chosen = gates(logits, 2)
    assert chosen.tolist() == [[1, 2], [2, 0]]  # of equals the lower number
    torch.testing.assert_close(weights, torch.tensor([[0.5, 0.375], [0.5, 0.25]]))
    torch.testing.assert_close(
        gates(logits, 2, renormalise=True)[0],
        torch.tensor([[4 / 7, 3 / 7], [2 / 3, 1 / 3]]),
    )


@few
@given(seeds)
def test_renormalised_gates_are_mixtrals_softmax_over_the_chosen(seed):
    logits = 3 * normal(5, 2, 7, seed=seed)
    weights, chosen = gates(logits, 3, renormalise=True)
    wanted = logits.gather(-1, chosen).softmax(-1)
    torch.testing.assert_close(weights, wanted)


def test_ties_go_to_the_lower_number_however_many_experts_there_are():
    assert gates(torch.zeros(2, 97), 5)[1].tolist() == 2 * [[0, 1, 2, 3, 4]]


def test_the_gate_alone_carries_the_gradient_to_the_router():
    def dead(logits, k):
        weights, chosen = gates(logits, k)
        return weights / weights.sum(-1, keepdim=True), chosen

    x, found = normal(31, D_MODEL), []
    for gate in (gates, dead):
        moe = layer(5, gate=gate)
        moe(x).square().sum().backward()
        found.append(moe.router.weight.grad.norm())
    assert found[0] > 1e-3
    assert found[1] < 1e-10


# --------------------------------------------------------------------------- balance


def mixtrals(logits, k, real=None):
    """Hugging Face's ``load_balancing_loss_func``, as its docstring and paper say it.

    That of transformers 5.23 differs from it by single precision's rounding alone.

    A mask of (token, choice, expert), its mean over the tokens, times the mean
    probability, summed, times the number of experts.
    """
    experts = logits.shape[-1]
    logits = logits.reshape(-1, experts)
    weight = torch.ones(len(logits)) if real is None else real.reshape(-1)
    weight = (weight / weight.sum()).to(logits.dtype)
    p = logits.softmax(-1)
    mask = torch.nn.functional.one_hot(p.topk(k).indices, experts).to(logits.dtype)
    share = torch.einsum("t,tke->ke", weight, mask)
    return (share * torch.einsum("t,te->e", weight, p)).sum() * experts


@few
@given(seeds, st.integers(1, 3), st.booleans())
def test_the_balance_loss_is_mixtrals(seed, k, padded):
    logits = (2 * normal(3, 7, 5, seed=seed)).requires_grad_()
    real = torch.rand(3, 7, generator=torch.Generator().manual_seed(seed)) > 0.4
    real[0, 0] = True
    real = real if padded else None
    ours = balance_loss(logits.softmax(-1), gates(logits, k)[1], real=real)
    wanted = mixtrals(logits, k, real)
    torch.testing.assert_close(ours, wanted)
    pulls = [torch.autograd.grad(loss, logits)[0] for loss in (ours, wanted)]
    torch.testing.assert_close(*pulls)


@pytest.mark.parametrize("k", [1, 2])
def test_equal_loads_cost_k_and_collapse_up_to_n(k):
    even = torch.full((6, 3), 1 / 3)
    chosen = torch.stack([torch.arange(6) % 3, torch.arange(1, 7) % 3], 1)[:, :k]
    assert balance_loss(even, chosen) == pytest.approx(k)
    sure = torch.tensor([[1.0, 0, 0]]).expand(6, 3)
    assert balance_loss(sure, torch.zeros(6, 1).long()) == pytest.approx(3)


def test_padding_changes_nothing():
    p, chosen = normal(3, 5, 7).softmax(-1), gates(normal(3, 5, 7), 2)[1]
    real = torch.arange(5) < torch.tensor([[5], [2], [3]])
    alone = balance_loss(p[real], chosen[real])
    p[~real], chosen[~real] = 1 / 7, 0
    assert balance_loss(p, chosen, real=real) == pytest.approx(alone.item())


def test_the_layers_part_of_the_loss_is_alpha_times_it():
    x = normal(5, 3, D_MODEL)
    moe = layer(5, 2, balance=0.25)
    trace = moe.trace(x)
    wanted = 0.25 * balance_loss(trace.probabilities, trace.chosen)
    torch.testing.assert_close(moe.auxiliary_loss(x), wanted)
    assert layer(5, balance=0.0).auxiliary_loss(x) == 0


def test_fit_adds_it_to_the_loss():
    task = Topics(4)
    losses = []
    for balance in (0.0, 0.5):
        torch.manual_seed(0)
        moe = MixtureOfExperts(task.d_model, 5, 4, balance=balance)
        batch = task.sample(64, seed=0)
        added = moe.auxiliary_loss(batch.x).item()
        [loss] = fit(moe, iter([batch]), steps=1).losses
        losses.append(loss - added)
    assert added > 0
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)


def test_experts_find_the_topics():
    """A short run: purity far above that of the untrained router."""
    task, settings = Topics(2), FitSettings(1e-2)
    torch.manual_seed(0)
    moe = MixtureOfExperts(task.d_model, 32, 2)
    fresh = task.sample(500, seed=1)
    fit(moe, task.batches(batch_size=128, seed=0), steps=150, settings=settings)
    assert purity(moe.trace(fresh.x).chosen[:, 0], fresh.topic) > 0.95


def test_loads_by_hand():
    chosen = torch.tensor([[[0, 2]], [[0, 1]], [[2, 0]], [[0, 2]]])
    assert loads(chosen, 4).tolist() == [1.0, 0.25, 0.75, 0.0]


def biased(k: int = 1, rate: float = 0.01) -> MixtureOfExperts:
    return layer(5, k, balance=0.0, gate=RoutingBias(5, rate).double())


def test_a_bias_has_a_say_in_the_choice_alone():
    moe, x = biased(2), normal(11, D_MODEL)
    moe.gate.bias += torch.tensor([0.0, 0, 9, 0, 0])
    trace = moe.eval().trace(x)
    assert (trace.chosen[:, 0] == 2).all()
    picked = trace.probabilities.gather(-1, trace.chosen)
    torch.testing.assert_close(trace.weights, picked)
    torch.testing.assert_close(moe(x), trace.output)


def test_a_bias_makes_the_loads_equal():
    """Here the router learns nothing: what is changed is the bias."""
    moe, x = biased(), normal(500, D_MODEL) + 1
    before = loads(moe.eval().trace(x).chosen, 5)
    moe.train()
    for _ in range(200):
        moe(x)
    after = loads(moe.eval().trace(x).chosen, 5)
    assert before.max() > 0.4
    assert after.max() < 0.25


def test_a_bias_moves_in_training_alone_and_is_kept():
    moe, x = biased(), normal(11, D_MODEL)
    with torch.no_grad():
        moe(x)
    moe.eval()(x)
    assert moe.gate.bias.eq(0).all()
    moe.train()(x)
    moe(x[:0])
    load = loads(gates(moe.router(x), 1)[1], 5)
    torch.testing.assert_close(moe.gate.bias, 0.01 * (0.2 - load).double().sign())
    assert torch.equal(moe.state_dict()["gate.bias"], moe.gate.bias)


def test_to_look_at_a_layer_moves_no_bias():
    moe, x = biased(2), normal(11, D_MODEL)
    moe.gate.bias += torch.tensor([0.0, 0, 9, 0, 0])
    before, bias = moe.gate.bias.clone(), moe.gate.bias
    traces = [moe.trace(x) for _ in range(3)]
    assert moe.gate.bias is bias
    assert torch.equal(moe.gate.bias, before)
    assert all(torch.equal(trace.chosen, traces[0].chosen) for trace in traces)
    torch.testing.assert_close(moe(x), traces[0].output)
    assert not torch.equal(moe.gate.bias, before), "a call in training still learns"


# -------------------------------------------------------------------------- capacity


def test_places_are_rounded_up_and_no_further():
    assert places(10, 4, capacity=1.0) == 3
    assert places(200, 10, capacity=1.1) == 22  # 1.1 · 20 is 22.000000000000004
    assert places(10, 4, k=2, capacity=1.0) == 5
    assert places(1, 64, capacity=0.01) == 1


def test_an_exercises_room_is_as_many_places():
    assert room(50, 5, 1.1) == places(50, 5, capacity=1.1) == 11


@pytest.mark.parametrize("number", [torch.tensor, np.int64])
def test_numbers_of_other_libraries_become_pythons(as_readers_run_it, number):
    moe = layer(number(5), number(2), capacity=1.0)
    assert type(moe.k) is int
    assert moe(normal(3, D_MODEL)).shape == (3, D_MODEL)
    assert places(number(10), number(4), number(2), capacity=1.0) == 5
    assert kept(torch.zeros(3, 1).long(), number(2), number(2)).sum() == 2
    sizes = [number(n) for n in (256, 4, 64)]
    assert expected_dropped(*sizes) == expected_dropped(256, 4, 64)
    assert RoutingBias(number(3)).bias.shape == (3,)


def test_first_choices_come_before_second_ones():
    chosen = torch.tensor([[0, 1], [1, 0], [0, 1], [2, 0]])
    assert kept(chosen, 3, 2).tolist() == [
        [True, True],
        [True, False],
        [True, False],
        [True, False],
    ]


@few
@given(seeds, st.integers(1, 5), st.integers(1, 3))
def test_each_expert_keeps_the_first_that_come(seed, room, k):
    chosen = gates(normal(3, 7, 5, seed=seed), k)[1]
    stays = kept(chosen, 5, room)
    for expert in range(5):
        mine = [stays[..., c][chosen[..., c] == expert].tolist() for c in range(k)]
        row = [stay for of_choice in mine for stay in of_choice]
        assert row == [n < room for n in range(len(row))]


def test_one_token_needs_no_batch_axis():
    logits = normal(5)
    chosen, real = gates(logits, 3)[1], torch.tensor(True)
    assert torch.equal(kept(chosen, 5, 1), kept(chosen[None], 5, 1)[0])
    p = logits.softmax(-1)
    alone = balance_loss(p[None], chosen[None])
    assert balance_loss(p, chosen) == balance_loss(p, chosen, real=real) == alone


def test_expected_dropped_is_the_binomials_and_what_is_measured():
    for tokens, wanted in ((32, 0.121), (64, 0.086), (256, 0.043), (1024, 0.022)):
        found = expected_dropped(tokens, 4, places(tokens, 4, capacity=1.0))
        assert found == pytest.approx(wanted, abs=5e-4)
    assert expected_dropped(3, 2, 1) == (2 * (1 * comb(3, 2) + 2 * comb(3, 3))) / 24
    generator = torch.Generator().manual_seed(0)
    drawn = torch.randint(4, (2000, 64, 1), generator=generator)
    dropped = [1 - kept(batch, 4, 16).float().mean().item() for batch in drawn]
    expected = expected_dropped(64, 4, 16)
    assert sum(dropped) / len(dropped) == pytest.approx(expected, abs=0.005)


# ------------------------------------------------------------------------------ purity


@few
@given(seeds, st.permutations(range(5)))
def test_purity_does_not_depend_on_the_experts_numbers(seed, names):
    expert = torch.randint(5, (41,), generator=torch.Generator().manual_seed(seed))
    topic = torch.randint(3, (41,), generator=torch.Generator().manual_seed(seed + 1))
    assert purity(torch.tensor(names)[expert], topic) == purity(expert, topic)
    assert purity(torch.tensor(names)[topic], topic) == 1


def test_purity_by_hand():
    topic = torch.tensor([0, 0, 0, 1, 1, 2])
    expert = torch.tensor(
        [1, 1, 2, 0, 0, 0]
    )  # one topic has two experts, two share one
    assert purity(expert, topic) * 6 == pytest.approx(5)
    assert purity(topic, expert) * 6 == pytest.approx(5)
    assert purity(torch.zeros_like(topic), topic) == 0.5
    assert purity(torch.arange(6), topic) == 1


# --------------------------------------------------------------------- in other models


def test_it_stands_in_place_of_the_feed_forward_network_of_a_block():
    torch.manual_seed(0)
    block = EncoderLayer(8, 2, 16, feed_forward=MixtureOfExperts(8, 16, 3, 2))
    x = torch.randn(2, 5, 8)
    trace = block.trace(x)
    torch.testing.assert_close(trace.output, block(x))
    paths = [s.path for s in walk(trace)]
    assert "feed_forward.probabilities" in paths
    assert "feed_forward.experts.2.activated" in paths


def test_dropless_it_decodes_from_a_cache_as_without():
    torch.manual_seed(0)
    config = TransformerConfig(11, 11, d_model=8, heads=2, layers=(1, 1))
    make = partial(MixtureOfExperts, 8, 16, 3, 2)
    model = LanguageModel(config, feed_forward=make).eval()
    tokens = torch.tensor([[1, 5, 4, 3], [1, 7, 6, 2]])
    logits, state = model(tokens), model.empty(batch=2)
    for i, expected in enumerate(logits.unbind(1)):
        found, state = model.step(tokens[:, i], state)
        torch.testing.assert_close(found, expected)


def test_it_runs_on_another_device(monkeypatch):
    moe, x = layer(3, 2, capacity=1.0), normal(7, D_MODEL)
    here, loss = moe(x), moe.auxiliary_loss(x)
    with another_device() as bring:
        away = bring(moe)(bring(x))
        torch.testing.assert_close(away.detach().cpu(), here.detach())
        added = bring(moe).auxiliary_loss(bring(x)).detach().cpu()
        torch.testing.assert_close(added, loss.detach())


# ------------------------------------------------------------------------------ errors

P, CHOSEN = torch.full((5, 3), 1 / 3), torch.zeros(5, 1).long()
WRONG_VALUES = [
    (
        lambda: gates(P, 4),
        r"k = 4 experts .* logits has expert = 3; choose k from 1 to",
    ),
    (lambda: gates(P, 0), r"k must be at least 1, not 0"),
    (lambda: gates(P, 1, renormalise=True), r"k is 1: the only weight would be 1"),
    (lambda: gates(P[:, :0], 1), r"expert = 0; a layer needs 1 or more"),
    (lambda: gates(torch.tensor(3.0), 1), r"axes are to be '\*batch expert'"),
    (lambda: layer(3, 4), r"k = 4 experts .* there are experts = 3; choose k from"),
    (lambda: layer(3, 0), r"k must be at least 1"),
    (lambda: layer(3, balance=-1.0), r"balance is -1.0, but .* 0 or above"),
    (lambda: layer(3, balance=float("nan")), r"balance is nan"),
    (lambda: layer(3, capacity=0.0), r"capacity is 0.0, but is a factor above 0"),
    (lambda: layer(3, capacity=float("inf")), r"capacity is inf, .* and None, in a"),
    (lambda: layer(3)(normal(5, 4)), r"d_model = 7, but x has d_model = 4; the two"),
    (lambda: layer(3).trace(normal(7)), r"axes are to be '\*batch token d_model'"),
    (lambda: layer(3).auxiliary_loss(normal(0, 7)), r"no expert in it; give at least"),
    (lambda: layer(3, balance=0.0).auxiliary_loss(normal(5, 4)), r"x has d_model = 4"),
    (lambda: balance_loss(P[:0], CHOSEN[:0]), r"chosen has shape \(0, 1\), and no"),
    (lambda: balance_loss(P, CHOSEN[:2]), r"tokens of shape \(2,\), but .* \(5,\)"),
    (lambda: balance_loss(P, CHOSEN + 3), r"has expert 3, but there are 3, 0 to 2"),
    (lambda: balance_loss(P, CHOSEN - 1), r"has expert -1, but there are 3"),
    (lambda: balance_loss(2 * P, CHOSEN), r"come to 2, .* give logits.softmax\(-1\)"),
    (lambda: balance_loss(P * torch.nan, CHOSEN), r"come to nan, but are to come to 1"),
    (lambda: balance_loss(P, CHOSEN, real=P[:2, 0] > 1), r"real is for tokens of"),
    (lambda: balance_loss(P, CHOSEN, real=P[:, 0] > 1), r"no expert in it"),
    (lambda: RoutingBias(0), r"experts must be at least 1"),
    (lambda: RoutingBias(3, rate=0.0), r"rate is 0.0, but is how far the bias goes"),
    (lambda: RoutingBias(3)(normal(5, 4), 1), r"expert = 4, .* RoutingBias\(4\)"),
    (lambda: RoutingBias(1)(P, 1), r"logits has expert = 3, but the bias is for 1"),
    (lambda: loads(CHOSEN, 0), r"experts must be at least 1"),
    (lambda: kept(CHOSEN, 3, 0), r"places must be at least 1"),
    (lambda: kept(CHOSEN, 0, 3), r"experts must be at least 1"),
    (lambda: places(0, 3, capacity=1.0), r"tokens must be at least 1"),
    (lambda: expected_dropped(5, 3, 0), r"places must be at least 1"),
    (lambda: purity(CHOSEN[:, 0], CHOSEN[:2, 0]), r"expert has shape \(5,\), but top"),
    (lambda: purity(CHOSEN[:0, 0], CHOSEN[:0, 0]), r"expert has no tokens, or a"),
    (lambda: purity(CHOSEN[:, 0], CHOSEN[:, 0] - 1), r"topic has no tokens, or a"),
]
WRONG_TYPES = [
    (lambda: gates([1.0], 1), r"logits is of type list, but is to be a tensor"),
    (lambda: gates(CHOSEN, 1), r"logits holds torch.int64, .* give logits.float"),
    (lambda: RoutingBias(3)([1.0], 1), r"logits is of type list, but is to be a ten"),
    (lambda: gates(P, 1.0), r"k is 1.0, but must be a whole number"),
    (lambda: layer(3.0), r"experts is 3.0, but must be a whole number"),
    (lambda: layer(3)(P), r"x holds torch.float32, but the weights are torch.float64"),
    (lambda: layer(3, balance=0.0).auxiliary_loss([1.0]), r"x is of type list"),
    (lambda: balance_loss(P, CHOSEN.float()), r"numbers of experts .* chosen.long"),
    (lambda: balance_loss(P, [0]), r"chosen is of type list"),
    (lambda: loads(P, 3), r"chosen holds torch.float32, but the numbers of experts"),
    (lambda: purity(P[:, 0], CHOSEN[:, 0]), r"expert holds torch.float32"),
]
NOT_A_NUMBER = [
    (lambda: gates(P * torch.nan, 1), r"logits has nan as the highest of the token at"),
    (lambda: gates(P / 0, 1), r"logits has inf as the highest of the token at \[0\]"),
    (lambda: gates(-P / 0, 1), r"logits has -inf as the highest"),
    (lambda: layer(3)(normal(5, 7) * torch.nan), r"too large a learning rate"),
]


@pytest.mark.parametrize(("call", "said"), WRONG_VALUES)
def test_values_that_do_not_fit_are_refused(as_readers_run_it, call, said):
    with pytest.raises(ValueError, match=said):
        call()


@pytest.mark.parametrize(("call", "said"), WRONG_TYPES)
def test_other_kinds_are_refused(as_readers_run_it, call, said):
    with pytest.raises(TypeError, match=said):
        call()


@pytest.mark.parametrize(("call", "said"), NOT_A_NUMBER)
def test_what_is_no_number_is_refused(as_readers_run_it, call, said):
    with pytest.raises(FloatingPointError, match=said):
        call()


def test_a_masked_expert_is_never_chosen():
    logits = torch.tensor([[0.5, -torch.inf, 0.25]])
    assert gates(logits, 2)[1].tolist() == [[0, 2]]


def test_what_it_says_of_itself():
    said = repr(layer(3, 2, capacity=1.25))
    assert "k=2, balance=0.01, capacity=1.25" in said
    assert "dropless" in repr(layer(3))
