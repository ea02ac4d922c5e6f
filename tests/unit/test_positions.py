"""Positions, by the properties that define them."""

import math
from itertools import product

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from qkv import positions
from qkv.positions import Learned, Sinusoidal, alibi, rotate, shift, sinusoidal

few = settings(max_examples=20, deadline=None)
sizes = st.sampled_from([2, 6, 10, 14])
lengths = st.sampled_from([1, 3, 5, 11])
starts = st.integers(-50, 50)
bases = st.sampled_from([2.0, 100.0, 10000.0])


def close(one, other):
    torch.testing.assert_close(one, other, rtol=0, atol=1e-5)


def random(*shape, dtype=torch.float64):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0), dtype=dtype)


# ------------------------------------------------------------------------- sinusoidal


def test_sinusoids_by_the_formula():
    encoding = sinusoidal(7, 6, base=100.0, start=2)
    for row, p in enumerate(range(2, 9)):
        for i in range(3):
            angle = p / 100 ** (2 * i / 6)
            assert encoding[row, 2 * i].item() == pytest.approx(math.sin(angle))
            assert encoding[row, 2 * i + 1].item() == pytest.approx(math.cos(angle))


def test_sinusoids_are_right_far_out():
    encoding = sinusoidal(1, 4, start=1_000_003)
    angles = [1_000_003, 1_000_003 / 100]
    expected = [turn(angle) for angle in angles for turn in (math.sin, math.cos)]
    torch.testing.assert_close(encoding[0], torch.tensor(expected))


def test_no_position_has_no_row():
    assert sinusoidal(0, 6).shape == (0, 6)


@few
@given(lengths, sizes, starts, st.integers(-30, 30), bases)
def test_a_shift_turns_one_position_into_another(length, d_model, start, k, base):
    here = sinusoidal(length, d_model, base=base, start=start)
    there = sinusoidal(length, d_model, base=base, start=start + k)
    close(shift(here, k, base=base), there)


def test_a_shift_is_one_rotation_for_all_positions():
    d_model = 10
    matrix = shift(torch.eye(d_model, dtype=torch.float64), 3)
    close(matrix @ matrix.T, torch.eye(d_model, dtype=torch.float64))
    assert torch.linalg.det(matrix).item() == pytest.approx(1)
    assert (matrix != 0).sum() == 2 * d_model  # a block of 2 × 2 for each pair
    encoding = sinusoidal(7, d_model)
    close(encoding @ matrix.float(), sinusoidal(7, d_model, start=3))


def test_shifts_add_up_and_serve_any_batch():
    encoding = random(2, 3, 5, 6)
    close(shift(shift(encoding, 4), -1.5), shift(encoding, 2.5))
    assert torch.equal(shift(encoding, 0), encoding)


def test_the_similarity_of_two_positions_depends_on_their_distance():
    similarity = sinusoidal(11, 14) @ sinusoidal(11, 14).T
    for distance in range(11):
        diagonal = similarity.diagonal(distance)
        close(diagonal, diagonal[:1].expand_as(diagonal))


def test_the_layer_adds_what_the_function_gives():
    x = random(2, 5, 6)
    layer = Sinusoidal(6, base=50.0)
    added = sinusoidal(5, 6, base=50.0, start=7).double().expand_as(x)
    close(layer(x, start=7) - x, added)
    assert list(layer.parameters()) == []
    assert layer.state_dict() == {}
    assert repr(layer) == "Sinusoidal(d_model=6)"
    assert layer(random(999, 6)).shape == (999, 6)


@pytest.mark.parametrize("start", [-3, 0, 1, 7, 8, 60, 64])
def test_the_layer_adds_the_same_wherever_it_starts(start):
    x = random(5, 6)
    close(Sinusoidal(6)(x, start=start) - x, sinusoidal(5, 6, start=start).double())


@pytest.mark.parametrize("layer", [Learned(17, 6), Sinusoidal(6)], ids=repr)
def test_every_row_of_a_batch_may_start_elsewhere(layer):
    x = random(2, 3, 5, 6, dtype=torch.float32)
    starts = torch.tensor([[0, 12, 7], [7, 1, 3]])
    together = layer(x, start=starts)
    for place in product(range(2), range(3)):
        close(together[place], layer(x[place], start=starts[place].item()))


def test_rows_may_start_before_the_first_position():
    x, starts = random(3, 5, 6), torch.tensor([-3, 4, 0])
    together = Sinusoidal(6)(x, start=starts)
    for row, start in enumerate(starts.tolist()):
        close(together[row], Sinusoidal(6)(x[row], start=start))


def test_a_table_first_met_without_gradients_serves_training_too():
    x, layer = random(3, 10).requires_grad_(), Sinusoidal(10, base=77.0)
    with torch.inference_mode():
        added = layer(x) - x
    y = layer(x)
    close(y - x, added.clone())
    (y * layer(torch.zeros_like(x))).sum().backward()
    close(x.grad, added.clone())


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
def test_the_dtype_of_the_tokens_is_kept(dtype):
    x = random(3, 6, dtype=dtype)
    assert Sinusoidal(6)(x).dtype == rotate(x).dtype == shift(x, 2).dtype == dtype


# ---------------------------------------------------------------------------- learned


def test_learned_adds_its_rows():
    layer, x = Learned(7, 6), random(2, 3, 5, 6, dtype=torch.float32)
    close(layer(x, start=2) - x, layer.table.weight[2:7].expand_as(x))


def test_only_rows_that_are_used_learn():
    layer = Learned(7, 6)
    layer(torch.zeros(5, 3, 6), start=2).sum().backward()
    assert layer.table.weight.grad.sum(1).tolist() == [0, 0, 30, 30, 30, 0, 0]


@pytest.mark.parametrize(("tokens", "start"), [(8, 0), (5, 3), (1, 7)])
def test_learned_names_both_lengths(tokens, start):
    said = f"{tokens} tokens from position {start} need length 8, .* has length 7"
    with pytest.raises(ValueError, match=said):
        Learned(7, 6)(torch.zeros(tokens, 6), start=start)


def test_learned_names_the_row_that_goes_furthest():
    said = "2 tokens from position 6 need length 8, .* has length 7"
    with pytest.raises(ValueError, match=said):
        Learned(7, 6)(torch.zeros(3, 2, 6), start=torch.tensor([1, 6, 0]))
    with pytest.raises(ValueError, match="start must be at least 0, not -1"):
        Learned(7, 6)(torch.zeros(3, 2, 6), start=torch.tensor([1, -1, 0]))


def test_learned_has_no_position_before_the_first():
    with pytest.raises(ValueError, match="start must be at least 0, not -3"):
        Learned(7, 6)(torch.zeros(2, 6), start=-3)


@pytest.mark.parametrize("layer", [Learned(7, 6), Sinusoidal(6)], ids=repr)
def test_layers_name_both_sizes(layer):
    with pytest.raises(ValueError, match="have d_model 6, and x has d_model 10"):
        layer(torch.zeros(3, 10))


# ----------------------------------------------------------------------------- rotary


@few
@given(lengths, lengths, sizes, starts, bases)
def test_rotary_scores_depend_on_the_distance_alone(query, key, d_head, start, base):
    q, k = random(2, query, d_head), random(2, key, d_head)

    def scores(start):
        turned_keys = rotate(k, base=base, start=start)
        return rotate(q, base=base, start=start + 3) @ turned_keys.mT

    close(scores(start), scores(0))
    if start:
        assert not torch.allclose(rotate(q, base=base, start=start), q)


@few
@given(lengths, sizes, starts)
def test_a_rotation_keeps_lengths(length, d_head, start):
    x = random(3, length, d_head)
    close(rotate(x, start=start).norm(dim=-1), x.norm(dim=-1))


def test_rotary_is_a_product_of_complex_numbers():
    x = random(2, 7, 10)
    p = torch.arange(4, 11, dtype=torch.float64)[:, None]
    theta = 100.0 ** (-torch.arange(5, dtype=torch.float64) / 5)
    turned = torch.view_as_complex(x.unflatten(-1, (5, 2))) * torch.exp(1j * p * theta)
    close(rotate(x, base=100.0, start=4), torch.view_as_real(turned).flatten(-2))


def test_a_token_is_turned_by_its_place_not_by_its_company():
    x = random(3, 11, 6)
    assert torch.equal(rotate(x)[:, 5:], rotate(x[:, 5:], start=5))
    assert torch.equal(rotate(x)[:, 0], x[:, 0])


def test_rotary_in_halves_is_the_same_up_to_a_permutation():
    q, k, d_head = random(5, 6), random(7, 6), 6
    halves = torch.tensor(
        [0, 3, 1, 4, 2, 5]
    )  # interleaved number → its place in halves

    def rotate_halves(x):
        p = torch.arange(len(x), dtype=torch.float64)[:, None]
        theta = 10000.0 ** (-torch.arange(0, d_head, 2, dtype=torch.float64) / d_head)
        cos, sin = ((p * theta).cos(), (p * theta).sin())
        first, second = x.chunk(2, dim=-1)
        return torch.cat([first * cos - second * sin, first * sin + second * cos], -1)

    close(rotate_halves(q)[:, halves], rotate(q[:, halves]))
    assert not torch.allclose(rotate_halves(q) @ rotate_halves(k).T, rotate(q) @ k.T)


def test_gradients_are_turned_back():
    x = random(3, 6).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: rotate(x, start=2), x)
    assert torch.autograd.gradcheck(lambda x: shift(x, 2), x)


# ------------------------------------------------------------------------------ alibi


def test_the_slopes_of_the_paper():
    assert slopes(8) == [2.0**-n for n in range(1, 9)]
    assert slopes(16)[:2] == pytest.approx([2**-0.5, 0.5])


@pytest.mark.parametrize("heads", [1, 3, 5, 12])
def test_slopes_are_a_geometric_sequence_for_any_number_of_heads(heads):
    expected = [2 ** (-8 * h / heads) for h in range(1, heads + 1)]
    assert slopes(heads) == pytest.approx(expected)


def slopes(heads):
    return (-alibi(heads, 2)[:, 0, 1]).tolist()


def test_the_bias_grows_with_the_distance():
    bias = alibi(3, 5)
    for i in range(5):
        for j in range(5):
            close(bias[:, i, j], -abs(i - j) * torch.tensor(slopes(3)))


def test_no_bias_is_minus_zero():
    assert not alibi(3, 5).diagonal(dim1=1, dim2=2).signbit().any()


@pytest.mark.parametrize("query", [0, 1, 3, 7])
def test_queries_are_the_last_of_the_keys(query):
    assert torch.equal(alibi(3, query, 7), alibi(3, 7)[:, 7 - query :])


# ----------------------------------------------------------------------------- errors


@pytest.mark.parametrize("size", [-2, 0, 1, 7])
@pytest.mark.parametrize(
    ("axis", "call"),
    [
        ("d_model", lambda size: sinusoidal(3, size)),
        ("d_model", Sinusoidal),
        ("d_model", lambda size: shift(torch.zeros(3, max(size, 0)), 1)),
        ("d_head", lambda size: rotate(torch.zeros(3, max(size, 0)))),
    ],
    ids=["sinusoidal", "Sinusoidal", "shift", "rotate"],
)
def test_pairs_need_an_even_size(axis, call, size):
    with pytest.raises(ValueError, match=f"{axis} must be even, .* not "):
        call(size)


def test_a_base_is_positive():
    with pytest.raises(ValueError, match="base must be positive, not -10"):
        sinusoidal(3, 6, base=-10.0)


def test_a_length_is_not_negative():
    with pytest.raises(ValueError, match="length must be at least 0, not -1"):
        sinusoidal(-1, 6)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ((0, 3), "heads must be at least 1, not 0"),
        ((2, -1), "query must be at least 0, not -1"),
        ((2, 5, 3), "5 queries are the last of the keys, and there are only 3 keys"),
    ],
)
def test_alibi_refuses(given, said):
    with pytest.raises(ValueError, match=said):
        alibi(*given)


@pytest.mark.parametrize("given", [(2.5, 3), (2, 3.0), (2, 1, 3.5)])
@pytest.mark.usefixtures("as_readers_run_it")
def test_alibi_counts_in_whole_numbers(given):
    with pytest.raises(TypeError, match="must be a whole number"):
        alibi(*given)


@pytest.mark.usefixtures("as_readers_run_it")
@pytest.mark.parametrize(
    "call", [rotate, Sinusoidal(4), Learned(5, 4), lambda x: shift(x, 1)]
)
def test_whole_numbers_are_not_cut_off(call):
    with pytest.raises(TypeError, match=r"x holds torch\.int64.*give x\.float\(\)"):
        call(torch.ones(3, 4, dtype=torch.int64))


@pytest.mark.parametrize("start", [1 << 14, 10**6, 10**12])
def test_only_the_places_asked_for_are_computed(start, monkeypatch):
    asked, compute = [], positions._encoding

    def counted(places, *sizes):
        asked.append(places.numel())
        return compute(places, *sizes)

    monkeypatch.setattr(positions, "_encoding", counted)
    x = random(2, 3, 6).float()
    layer = Sinusoidal(6)
    one = layer(x, start=start)
    rows = layer(x, start=torch.tensor([start, -5]))
    assert asked == [3, 6]
    close(one, x + sinusoidal(3, 6, start=start))
    close(rows[0], one[0])
    close(rows[1], x[1] + sinusoidal(3, 6, start=-5))
