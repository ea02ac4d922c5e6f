"""Forecasts: windows, baselines, linear models, patches, look-ups, one's own series."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import Ridge
from torch import nn

from qkv.attention import scaled_dot_product_attention
from qkv.data import Motifs, RandomWalk, Seasons, Series, Windows, co2
from qkv.series import (
    DLinear,
    PatchConfig,
    PatchTransformer,
    RecentTransformer,
    forecast,
    lookup,
    moving_mean,
    naive,
    ridge,
    seasonal_naive,
    trace_lookup,
    windows,
)
from qkv.trace import walk
from qkv.training import fit

CONFIG = PatchConfig(length=21, horizon=5, patch=3, d_model=8, heads=2, d_ff=13)


def drawn(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


# windows and the naive forecasts


@given(st.integers(1, 7), st.integers(1, 5), st.integers(1, 3), st.integers(0, 11))
def test_a_window_is_what_a_slice_is(length, horizon, stride, more):
    series = drawn(length + horizon + more)
    past, future = windows(series, length, horizon, stride=stride)
    begins = range(0, more + 1, stride)
    assert len(past) == len(future) == len(begins)
    for row, begin in enumerate(begins):
        now = begin + length
        assert torch.equal(past[row], series[begin:now])
        assert torch.equal(future[row], series[now : now + horizon])


def test_windows_of_several_series_are_those_of_each():
    series = drawn(3, 13)
    past, future = windows(series, 5, 2)
    assert past.shape == (3, 7, 5)
    for n, one in enumerate(series):
        assert torch.equal(past[n], windows(one, 5, 2)[0])
        assert torch.equal(future[n], windows(one, 5, 2)[1])


def test_windows_are_copies():
    series = torch.arange(7.0)
    past, future = windows(series, 3, 2)
    past.zero_()
    future.zero_()
    assert torch.equal(series, torch.arange(7.0))
    past[0, 1] = 9.0
    assert past[1, 0] == 0, "a window that is written to changes another"


def test_too_short_a_series_is_refused():
    said = r"time = 6, but a window of length = 5 and horizon = 2 needs 7; give a lon"
    with pytest.raises(ValueError, match=said):
        windows(torch.zeros(6), 5, 2)
    with pytest.raises(ValueError, match="horizon must be at least 1, not 0"):
        windows(torch.zeros(6), 5, 0)


def test_naive_repeats_the_last_value():
    past = drawn(3, 7)
    assert torch.equal(naive(past, 2), past[:, -1:].expand(-1, 2))


@given(st.integers(1, 9), st.integers(1, 5), st.integers(0, 4))
def test_seasonal_naive_is_a_season_ago(horizon, season, more):
    past = drawn(2, season + more)
    known = past
    for _ in range(horizon):
        known = torch.cat([known, known[:, -season, None]], -1)
    assert torch.equal(seasonal_naive(past, horizon, season), known[:, -horizon:])


def test_a_season_longer_than_the_past_is_refused():
    with pytest.raises(ValueError, match=r"length = 3, but a season has 5 steps; read"):
        seasonal_naive(torch.zeros(2, 3), 4, 5)


# linear forecasts


@pytest.mark.parametrize("penalty", [0.01, 1.0, 300.0])
def test_ridge_is_scikit_learns(penalty):
    past, future = drawn(53, 7) * 3 + 5, drawn(53, 2, seed=1) - 40
    ours = ridge(past, future, penalty)
    theirs = Ridge(alpha=penalty).fit(past.double().numpy(), future.double().numpy())
    np.testing.assert_allclose(ours.weight.numpy(), theirs.coef_, atol=1e-6)
    np.testing.assert_allclose(ours.bias.numpy(), theirs.intercept_, rtol=1e-6)


def test_ridge_without_a_penalty_is_least_squares():
    past, future = drawn(29, 5).double(), drawn(29, 3, seed=1).double()
    ones = torch.ones(29, 1, dtype=torch.float64)
    solved = torch.linalg.lstsq(torch.cat([past, ones], 1), future).solution
    model = ridge(past, future, 0.0)
    torch.testing.assert_close(model.weight, solved[:-1].mT)
    torch.testing.assert_close(model.bias, solved[-1])


def test_a_layer_that_is_solved_is_not_trained():
    model = ridge(drawn(11, 3), drawn(11, 2))
    assert not any(p.requires_grad for p in model.parameters())


def test_ridge_refuses_what_it_cannot_solve(as_readers_run_it):
    with pytest.raises(ValueError, match="window = 5, but future has window = 3; give"):
        ridge(drawn(5, 2), drawn(3, 1))
    with pytest.raises(ValueError, match="penalty is -1"):
        ridge(drawn(5, 2), drawn(5, 1), -1.0)
    twice = drawn(11, 1).repeat(1, 2)
    with pytest.raises(ValueError, match=r"penalty is 0\.0, but .* small penalty"):
        ridge(twice, drawn(11, 1), 0.0)


def test_ridge_refuses_values_that_follow_from_others_but_for_rounding():
    """Else its weights are 2e7, and its forecasts good on what it was fitted to."""
    rows = torch.arange(12.0).view(4, 3) / 7
    for past in (rows, rows.double(), drawn(29, 5) @ drawn(5, 7, seed=1)):
        with pytest.raises(ValueError, match="such as") as raised:
            ridge(past, past[:, :1], 0.0)
        enough = float(str(raised.value).split("such as ")[1])
        assert ridge(past, past[:, :1], enough).weight.abs().max() < 2


@pytest.mark.parametrize("wrong", [torch.nan, torch.inf])
def test_ridge_names_what_is_no_number(wrong):
    past, future = drawn(11, 3), drawn(11, 2)
    with pytest.raises(ValueError, match=f"penalty is {wrong}, but it must be finite"):
        ridge(past, future, wrong)
    past[4, 1] = future[5, 0] = wrong
    with pytest.raises(ValueError, match=rf"future has {wrong} at \[5, 0\], but"):
        ridge(drawn(11, 3), future)
    with pytest.raises(ValueError, match=rf"past has {wrong} at \[4, 1\], but"):
        ridge(past, future)


def test_ridge_reads_windows(as_readers_run_it):
    for past in (drawn(11), drawn(11, 2, 3)):
        with pytest.raises(ValueError, match="axes are to be 'window length'"):
            ridge(past, drawn(11, 2))
    with pytest.raises(ValueError, match=r"future has .* to be 'window horizon'"):
        ridge(drawn(11, 3), drawn(11))
    with pytest.raises(ValueError, match="past has window = 0"):
        ridge(drawn(0, 3), drawn(0, 2))


def test_ridge_gives_no_gradient():
    model = ridge(drawn(11, 3).requires_grad_(), drawn(11, 2))
    assert model.weight.is_leaf
    assert not model(drawn(3)).requires_grad


@given(st.sampled_from([1, 3, 5, 11]), st.integers(1, 13))
def test_a_moving_mean_repeats_the_edges(kernel, length):
    x = drawn(3, length)
    side = kernel // 2
    padded = nn.functional.pad(x[:, None], (side, side), mode="replicate")
    expected = nn.functional.avg_pool1d(padded, kernel, stride=1)[:, 0]
    torch.testing.assert_close(moving_mean(x, kernel), expected)


def test_a_moving_mean_has_a_middle():
    with pytest.raises(ValueError, match=r"kernel is 4, but .* no middle; take 5"):
        moving_mean(torch.zeros(7), 4)


def test_a_moving_mean_is_of_numbers_with_fractions(as_readers_run_it):
    with pytest.raises(ValueError, match="x has length = 0"):
        moving_mean(torch.zeros(3, 0), 3)
    with pytest.raises(TypeError, match=r"x holds torch.int64, but .* x\.float"):
        moving_mean(torch.arange(7), 3)


def test_dlinears_sizes_are_pythons_own(as_readers_run_it):
    model = DLinear(torch.tensor(11), torch.tensor(3), kernel=torch.tensor(5))
    sizes = model.length, model.kernel, model.trend.out_features
    assert [(size, type(size)) for size in sizes] == [(11, int), (5, int), (3, int)]


def test_dlinear_is_one_linear_map():
    """So that it can do nothing that a single layer could not."""
    model = DLinear(length=11, horizon=3, kernel=5)
    at_zero = model(torch.zeros(11))
    weight = model(torch.eye(11)) - at_zero
    x = drawn(7, 11)
    torch.testing.assert_close(model(x), x @ weight + at_zero)


# the patch Transformer


@pytest.mark.parametrize("normalise", ["mean", "last", "none"])
@pytest.mark.parametrize("read", ["in order", "mean"])
def test_a_patch_transformers_trace_is_its_call(normalise, read):
    config = PatchConfig(
        **vars(CONFIG) | {"normalise": normalise, "read": read, "dropout": 0.5}
    )
    torch.manual_seed(0)
    model = PatchTransformer(config).eval()
    past = 3 * drawn(2, 21) + 7
    trace = model.trace(past)
    torch.testing.assert_close(trace.forecast, model(past))
    assert next(s.path for s in walk(trace)) == "level"
    assert trace.patches.shape == (2, 7, 3)
    torch.testing.assert_close(trace.patches.flatten(1), trace.normalised)


def test_what_normalising_takes_away_is_given_back():
    torch.manual_seed(0)
    model = PatchTransformer(CONFIG)
    past = drawn(3, 21)
    moved = model(5 * past + 100)
    torch.testing.assert_close(moved, 5 * model(past) + 100, rtol=1e-3, atol=1e-2)


def test_less_its_last_value_only_the_level_is_given_back():
    torch.manual_seed(0)
    model = PatchTransformer(PatchConfig(**vars(CONFIG) | {"normalise": "last"}))
    nn.init.zeros_(model.head.weight)
    nn.init.zeros_(model.head.bias)
    past = drawn(3, 21)
    assert torch.equal(model(past), naive(past, 5)), "a head of zeros is naive"


def test_a_window_that_does_not_move_is_forecast():
    torch.manual_seed(0)
    assert PatchTransformer(CONFIG)(torch.full((2, 21), 4.0)).isfinite().all()


def test_without_positions_and_order_patches_may_change_places():
    """The control of chapter 14: a head that averages is blind to order."""
    torch.manual_seed(0)
    past = drawn(2, 21)
    swapped = past.unflatten(1, (7, 3)).flip(1).flatten(1)
    blind = {"positions": False, "read": "mean", "normalise": "none"}
    for changes, alike in ((blind, True), (blind | {"read": "in order"}, False)):
        model = PatchTransformer(PatchConfig(**vars(CONFIG) | changes))
        same = torch.allclose(model(past), model(swapped), atol=1e-5)
        assert same is alike


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"patch": 4}, "patch = 4 does not divide length = 21; read 20 values"),
        ({"heads": 3}, "heads = 3 does not divide d_model = 8"),
        ({"normalise": "std"}, "normalise is 'std', but the model knows 'mean'"),
        ({"read": "last"}, "read is 'last', but the head knows 'in order', 'mean'"),
        ({"dropout": 1.0}, "dropout must be from 0 to below 1"),
        ({"horizon": 0}, "horizon must be at least 1, not 0"),
    ],
)
def test_what_no_model_can_be_made_of_is_refused(changes, said):
    with pytest.raises(ValueError, match=said):
        PatchConfig(**vars(CONFIG) | changes)


@pytest.mark.parametrize("model", [PatchTransformer(CONFIG), DLinear(21, 5)])
def test_windows_of_another_length_are_refused(model):
    said = "has length = 21, but past has length = 20; cut windows of 21, or make"
    with pytest.raises(ValueError, match=said):
        model(torch.zeros(2, 20))


def test_a_patch_transformer_learns_a_season():
    torch.manual_seed(0)
    time = torch.arange(400.0)
    past, future = windows(torch.sin(time * 2 * torch.pi / 12), 21, 5)
    model = PatchTransformer(CONFIG)
    batches = Windows(past, future).batches(batch_size=32, seed=0)
    history = fit(model, batches, steps=150)
    assert history.losses[-1] < 0.1 * history.losses[0]


# look-up attention


def test_a_look_up_by_hand():
    """Squared distances 0, 2 and 4; h = 1."""
    query = torch.tensor([[1.0, 2.0]])
    key = torch.tensor([[1.0, 2.0], [2.0, 3.0], [3.0, 2.0]])
    value = torch.tensor([[6.0], [2.0], [4.0]])
    trace = trace_lookup(query, key, value, bandwidth=1.0)
    torch.testing.assert_close(trace.scores, torch.tensor([[0.0, -1.0, -2.0]]))
    weights = torch.tensor([[0.6652, 0.2447, 0.0900]])
    torch.testing.assert_close(trace.weights, weights, atol=1e-4, rtol=0)
    expected = 6 * 0.6652 + 2 * 0.2447 + 4 * 0.0900
    assert trace.forecast.item() == pytest.approx(expected, abs=1e-3)


def test_a_look_up_is_a_loop_over_all_that_was():
    query, key, value = drawn(3, 5), drawn(7, 5, seed=1), drawn(7, 2, seed=2)
    for n, forecast_of_one in enumerate(lookup(query, key, value, bandwidth=0.7)):
        near = [
            float(torch.exp(-((query[n] - k) ** 2).sum() / (2 * 0.49))) for k in key
        ]
        expected = sum(w * v for w, v in zip(near, value, strict=True)) / sum(near)
        torch.testing.assert_close(forecast_of_one, expected)


def test_keys_of_one_length_make_it_scaled_dot_product_attention():
    """‖q − k‖² is ‖q‖² − 2 q·k + ‖k‖², and softmax forgets what all keys share."""
    query, key = drawn(3, 5), nn.functional.normalize(drawn(7, 5, seed=1), dim=-1)
    value, h = drawn(7, 2, seed=2), 0.6
    dots = scaled_dot_product_attention(query * 5**0.5 / h**2, key, value)
    torch.testing.assert_close(lookup(query, key, value, bandwidth=h), dots)


def test_a_look_up_keeps_the_digits_of_large_numbers():
    query, key, value = drawn(3, 5), drawn(7, 5, seed=1), drawn(7, 2, seed=2)
    far = lookup(
        query.double() + 1e6, key.double() + 1e6, value.double(), bandwidth=0.5
    )
    near = lookup(query.double(), key.double(), value.double(), bandwidth=0.5)
    torch.testing.assert_close(far, near)


def test_a_look_up_refuses_a_bandwidth_that_leaves_no_nearest():
    """Its square is 0 in float32, or each score -∞: NaN, or 0 for all."""
    query, key, value = drawn(3, 5), drawn(7, 5, seed=1), drawn(7, 2, seed=2)
    sees_one = torch.arange(7).expand(3, 7) == 3
    for h, mask in [(1e-30, None), (1e-19, None), (1e-19, sees_one)]:
        with pytest.raises(ValueError, match=f"bandwidth is {h}, but torch.float32"):
            lookup(100 * query, key, value, bandwidth=h, mask=mask)
    nearest = torch.cdist(query, key).argmin(-1)
    wide = [x.double() for x in (query, key, value)]
    assert torch.equal(lookup(*wide, bandwidth=1e-30), wide[2][nearest])
    assert torch.equal(lookup(query, key, value, bandwidth=1e-3), value[nearest])


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16])
def test_a_look_up_in_half_precision(kind):
    query, key, value = drawn(3, 5), drawn(7, 5, seed=1), drawn(7, 2, seed=2)
    found = lookup(query.to(kind), key.to(kind), value.to(kind), bandwidth=1.0)
    assert found.dtype == kind
    wanted = lookup(query, key, value, bandwidth=1.0)
    torch.testing.assert_close(found.float(), wanted, atol=0.05, rtol=0)


def test_a_look_up_has_its_gradient():
    """In all three, where query and key are the same too, and where nothing is seen."""
    query, value = drawn(3, 5).double(), drawn(7, 2, seed=2).double()
    key = torch.cat([query[:1] + 1, drawn(6, 5, seed=1).double()])
    mask = torch.arange(7) < torch.tensor([[7], [3], [0]])
    inputs = [x.requires_grad_() for x in (query, key, value)]
    assert torch.autograd.gradcheck(
        lambda q, k, v: lookup(q, k, v, bandwidth=0.9, mask=mask), inputs
    )
    found = lookup(query, torch.cat([query, key]), drawn(10, 2).double(), bandwidth=1.0)
    found.sum().backward()
    assert query.grad is not None
    assert query.grad.isfinite().all()


def test_an_empty_series_has_no_tokens(as_readers_run_it):
    model = RecentTransformer(d_model=8, heads=2, d_ff=13)
    with pytest.raises(ValueError, match="series has time = 0"):
        model(torch.zeros(2, 0))


def test_who_may_look_at_nothing_forecasts_zero():
    mask = torch.tensor([[False, False], [True, False]])
    query, key, value = drawn(2, 3), drawn(2, 3, seed=1), drawn(2, 1, seed=2)
    found = lookup(query, key, value, bandwidth=1.0, mask=mask)
    assert found[0].item() == 0
    assert found[1] == value[0]


def test_a_look_up_refuses_what_does_not_fit(as_readers_run_it):
    query, key, value = drawn(3, 5), drawn(7, 4), drawn(7, 2)
    with pytest.raises(ValueError, match="d_k = 5, but key has d_k = 4; compare"):
        lookup(query, key, value, bandwidth=1.0)
    with pytest.raises(ValueError, match="bandwidth must be positive, not 0"):
        lookup(query, query, value, bandwidth=0)
    with pytest.raises(ValueError, match="key = 7, but values has key = 3"):
        lookup(query, drawn(7, 5), drawn(3, 2), bandwidth=1.0)


def test_a_recent_transformers_trace_is_its_call():
    torch.manual_seed(0)
    model = RecentTransformer(width=3, d_model=8, heads=2, d_ff=13, layers=2).eval()
    series = drawn(2, 11)
    trace = model.trace(series)
    torch.testing.assert_close(trace.forecast, model(series))
    assert trace.recent[0, 0].tolist() == [0, 0, series[0, 0].item()]
    assert torch.equal(trace.recent[:, 4], series[:, 2:5])


def test_no_forecast_knows_what_comes_after():
    torch.manual_seed(0)
    model = RecentTransformer(d_model=8, heads=2, d_ff=13).eval()
    series = drawn(2, 11)
    changed = series.clone()
    changed[:, 7:] += 1
    one, other = model(series), model(changed)
    assert torch.equal(one[:, :7], other[:, :7])
    assert not torch.isclose(one[:, 7:], other[:, 7:]).any()


def test_the_model_of_the_text_has_38209_parameters():
    assert sum(p.numel() for p in RecentTransformer().parameters()) == 38_209


def test_a_recent_transformer_trains_on_motifs():
    torch.manual_seed(0)
    model = RecentTransformer(d_model=8, heads=2, d_ff=13)
    history = fit(model, Motifs().batches(batch_size=8, seed=0), steps=30)
    assert history.losses[-1] < history.losses[0]


# a series of one's own


def test_a_forecast_has_its_naive_baseline_beside_it():
    walk_of_one = RandomWalk(0)
    made = forecast(walk_of_one, horizon=3, length=12)
    assert list(made.ahead) == list(made.errors) == ["naive", "ridge"]
    assert made.ahead["naive"].tolist() == 3 * [walk_of_one.values[-1].item()]
    assert made.errors["ridge"] > 0.98 * made.errors["naive"], "naive is the floor"
    said = "a random walk; mean squared error on the last 1,000 steps: naive"
    assert said in repr(made)


def test_errors_are_those_of_the_test_alone():
    series = Seasons(0)
    made = forecast(series, horizon=12, length=72, season=24)
    values = series.values[series.test_start - 72 :]
    past, future = windows(values, 72, 12)
    expected = (seasonal_naive(past, 12, 24) - future).square().mean().item()
    assert made.errors["seasonal naive"] == pytest.approx(expected)
    changed = Series(series.values.clone(), "changed", parts=series.parts)
    changed.test.mul_(2)
    again = forecast(changed, horizon=12, length=72)
    assert again.errors["naive"] > 2 * made.errors["naive"]
    assert again.errors["ridge"] > 2 * made.errors["ridge"]


def test_nothing_is_fitted_to_the_test():
    series = Seasons(0)
    changed = Series(series.values.clone(), "changed", parts=series.parts)
    changed.test[:-24].mul_(-2)
    made, again = (forecast(s, horizon=3, length=24) for s in (series, changed))
    assert torch.equal(made.ahead["ridge"], again.ahead["ridge"])


def test_a_rising_level_does_no_harm():
    made = forecast(co2(), horizon=26, length=104, season=52)
    assert made.errors["ridge"] <= 0.05 * made.errors["naive"]
    assert (made.ahead["ridge"] - made.ahead["seasonal naive"]).abs().max() < 6


def test_a_constant_series_is_forecast():
    made = forecast(Series(torch.full((60,), 3.0)), horizon=2, length=5)
    assert made.errors == {"naive": 0.0, "ridge": 0.0}
    assert made.ahead["ridge"].tolist() == [3.0, 3.0]
    assert "naive 0, ridge 0)" in repr(made)


def test_a_series_of_any_size_is_forecast():
    huge = Series(1e25 * RandomWalk(0).values[:400])
    made = forecast(huge, horizon=1, length=12)
    assert made.errors["ridge"] == pytest.approx(made.errors["naive"], rel=0.2)


def test_a_tensor_has_no_parts(as_readers_run_it):
    with pytest.raises(TypeError, match=r"type Tensor, but .* give Series\(series"):
        forecast(torch.arange(60.0), horizon=1, length=5)


def test_too_short_a_part_is_named():
    short = Series(torch.arange(40.0), "forty steps")
    said = r"the part to train is too short: .* time = 24, but .* needs 25"
    with pytest.raises(ValueError, match=said):
        forecast(short, horizon=5, length=20)
    with pytest.raises(ValueError, match=r"the part to validate is too short"):
        forecast(short, horizon=8, length=7)
