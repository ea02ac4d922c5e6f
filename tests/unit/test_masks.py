"""Masks: True means may attend; another sense, dtype or shape is refused."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from qkv.masks import causal, combined, fitting, padding, real_tokens

few = settings(max_examples=20, deadline=None)
sizes = st.sampled_from([1, 2, 3, 5, 7, 11])


def random_mask(*shape: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(sum(shape))
    return torch.rand(*shape, generator=generator) < 0.5


def test_causal_by_hand():
    assert causal(3).tolist() == [
        [True, False, False],
        [True, True, False],
        [True, True, True],
    ]
    assert causal(2, 3).tolist() == [[True, True, False], [True, True, True]]


@few
@given(query=sizes, more=st.integers(0, 5))
def test_the_queries_are_the_last_of_the_keys(query, more):
    key = query + more
    for i, row in enumerate(causal(query, key)):
        own = i + more
        assert row[: own + 1].all()
        assert not row[own + 1 :].any()
    assert torch.equal(causal(query, key), causal(key)[-query:])


@few
@given(query=sizes, more=st.integers(0, 5), window=st.integers(1, 13))
def test_a_window_ends_with_the_token_itself(query, more, window):
    key = query + more
    for i, row in enumerate(causal(query, key, window=window)):
        own = i + more
        seen = range(max(0, own - window + 1), own + 1)
        assert row.nonzero().flatten().tolist() == list(seen)
    assert torch.equal(causal(query, key, window=key), causal(query, key))


@pytest.mark.usefixtures("as_readers_run_it")
def test_a_window_has_at_least_the_token_itself():
    with pytest.raises(ValueError, match="window must be at least 1, not 0"):
        causal(3, window=0)


@few
@given(lengths=st.lists(st.integers(0, 7), min_size=1, max_size=5))
def test_padding_hides_what_stands_after_the_end(lengths):
    mask = padding(torch.tensor(lengths), 7)
    assert mask.shape == (len(lengths), 1, 7)
    assert mask.sum(-1).flatten().tolist() == lengths
    for length, row in zip(lengths, mask[:, 0], strict=True):
        assert row[:length].all()


def test_what_is_real_ends_with_its_length():
    source = torch.full((3, 4), 7)
    real = real_tokens(source, torch.tensor([1, 4, 2]))
    assert real.int().tolist() == [[1, 0, 0, 0], [1, 1, 1, 1], [1, 1, 0, 0]]


@few
@given(batch=sizes, query=sizes, key=sizes)
def test_combined_allows_what_every_mask_allows(batch, query, key):
    one, two = random_mask(query, key), random_mask(batch, 1, key)
    three = random_mask(batch, query, 1)
    both = combined(one, two, three)
    assert both.shape == (batch, query, key)
    for b, i, j in torch.cartesian_prod(*map(torch.arange, both.shape)).tolist():
        assert both[b, i, j] == (one[i, j] and two[b, 0, j] and three[b, i, 0])
    assert torch.equal(combined(one), one)


@pytest.mark.parametrize(
    "shape", [(5,), (3, 5), (1, 5), (2, 3, 5), (2, 1, 5), (1, 3, 1)]
)
def test_a_mask_that_fits_is_given_back(shape):
    mask = random_mask(*shape)
    assert fitting(mask, (2, 3, 5)) is mask


@pytest.mark.usefixtures("as_readers_run_it")
class TestRefusals:
    def test_fewer_keys_than_queries(self):
        with pytest.raises(ValueError, match=r"query = 5 and key = 3"):
            causal(5, 3)

    @pytest.mark.parametrize("length", [-1, 8])
    def test_a_length_that_cannot_be(self, length):
        with pytest.raises(
            ValueError, match=rf"key = 7 .*length of {length}; .*0 to 7"
        ):
            padding(torch.tensor([3, length]), 7)

    @pytest.mark.parametrize("shape", [(3, 1), (1, 3), ()])
    def test_lengths_of_another_shape(self, shape):
        with pytest.raises(ValueError, match=r"lengths has shape .*lengths\.flatten"):
            padding(torch.ones(shape, dtype=torch.int64), 7)

    @pytest.mark.parametrize("dtype", [torch.bool, torch.float32])
    def test_lengths_that_are_no_numbers_of_tokens(self, dtype):
        with pytest.raises(TypeError, match=rf"wants integers.*lengths holds {dtype}"):
            padding(torch.ones(3, dtype=dtype), 7)

    @pytest.mark.parametrize(
        ("length", "said"),
        [
            (0, r"a source has length 0, but a model needs at least 1 token"),
            (5, r"source_lengths has 5, but source has only source = 4 tokens"),
        ],
    )
    def test_lengths_that_no_source_has(self, length, said):
        with pytest.raises(ValueError, match=said):
            real_tokens(torch.full((2, 4), 7), torch.tensor([3, length]))

    def test_masks_that_do_not_broadcast(self):
        with pytest.raises(
            ValueError, match=r"\(3, 3\) and \(2, 5\) .*unsqueeze\(-2\)"
        ):
            combined(causal(3), random_mask(2, 5))

    @pytest.mark.parametrize("shape", [(2, 5), (2, 5, 3), (1, 2, 3, 5)])
    def test_a_mask_of_another_shape(self, shape):
        named = ", ".join(map(str, shape))
        with pytest.raises(
            ValueError, match=rf"mask has shape \({named}\) .*\(2, 3, 5\); .*unsqueeze"
        ):
            fitting(random_mask(*shape), (2, 3, 5))

    @pytest.mark.parametrize(
        ("mask", "named"),
        [
            (causal(3).float(), "0 and 1; write mask.bool(), or ~mask.bool()"),
            (causal(3).long(), "0 and 1; write mask.bool(), or ~mask.bool()"),
            (torch.zeros(3, 3).masked_fill(~causal(3), -torch.inf), "write mask == 0"),
            (torch.full((3, 3), -0.5), "a bias"),
        ],
    )
    def test_a_mask_of_numbers_is_named(self, mask, named):
        for use in (lambda: fitting(mask, (3, 3)), lambda: combined(causal(3), mask)):
            with pytest.raises(TypeError) as raised:
                use()
            assert f"mask holds {mask.dtype}" in str(raised.value)
            assert "True where a query may attend" in str(raised.value)
            assert named in str(raised.value)
