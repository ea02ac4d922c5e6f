"""Attention: equal to PyTorch's, in values and gradients; and what it refuses."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from qkv.attention import AdditiveScore, AttentionTrace, DotProductScore, attend
from qkv.trace import walk

# Every axis has a size of its own, so that no two can be taken for each other.
primes = st.permutations([2, 3, 5, 7, 11]).map(tuple)
seeds = st.integers(0, 2**31)
fast = settings(max_examples=20, deadline=None)


def normal(*shape: int, seed: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    made = torch.randn(*shape, generator=generator, dtype=torch.float64)
    return made.requires_grad_()


def visible_mask(*shape: int, seed: int) -> torch.Tensor:
    """A random mask whose every row has something to attend to."""
    generator = torch.Generator().manual_seed(seed)
    mask = torch.rand(*shape, generator=generator) < 0.5
    mask[..., 0] |= ~mask.any(-1)
    return mask


def assert_same_gradients(ours, oracle, inputs, seed):
    torch.testing.assert_close(ours, oracle)
    pull = normal(*ours.shape, seed=seed + 1).detach()
    torch.testing.assert_close(
        torch.autograd.grad(ours, inputs, pull),
        torch.autograd.grad(oracle, inputs, pull),
    )


# ---------------------------------------------------------------------------- attend


def test_a_case_by_hand():
    scores = torch.tensor([[0.0, math.log(3.0)]])
    trace = attend(scores, torch.tensor([[4.0], [8.0]]))
    torch.testing.assert_close(trace.weights, torch.tensor([[0.25, 0.75]]))
    torch.testing.assert_close(trace.context, torch.tensor([[7.0]]))


@fast
@given(sizes=primes, seed=seeds, masked=st.booleans())
def test_attend_is_pytorchs_attention(sizes, seed, masked):
    batch, query, key, d_k, d_v = sizes
    queries = normal(batch, query, d_k, seed=seed)
    keys = normal(batch, key, d_k, seed=seed + 2)
    values = normal(batch, key, d_v, seed=seed + 3)
    mask = visible_mask(batch, query, key, seed=seed) if masked else None
    ours = attend(queries @ keys.mT, values, mask).context
    oracle = F.scaled_dot_product_attention(queries, keys, values, mask, scale=1.0)
    assert_same_gradients(ours, oracle, (queries, keys, values), seed)


@fast
@given(sizes=primes, seed=seeds)
def test_nothing_is_read_where_the_mask_is_false(sizes, seed):
    batch, query, key, d_v, _ = sizes
    mask = visible_mask(batch, query, key, seed=seed)
    scores, values = normal(batch, query, key, seed=seed), normal(key, d_v, seed=seed)
    trace = attend(scores, values.expand(batch, key, d_v), mask)
    assert (trace.weights[~mask] == 0).all()
    assert trace.scores[~mask].isneginf().all()
    torch.testing.assert_close(trace.scores[mask], scores[mask])
    torch.testing.assert_close(
        trace.weights.sum(-1), torch.ones(batch, query, dtype=torch.float64)
    )


def test_a_row_with_nothing_to_attend_to_gives_zeros_and_zero_gradients():
    scores, values = normal(2, 3, 5, seed=0), normal(2, 5, 7, seed=1)
    mask = torch.ones(2, 3, 5, dtype=torch.bool)
    mask[1, 2] = False
    trace = attend(scores, values, mask)
    assert (trace.weights[1, 2] == 0).all()
    assert (trace.context[1, 2] == 0).all()
    free = attend(scores[:, :2], values)
    torch.testing.assert_close(trace.context[:, :2], free.context)

    to_scores, to_values = torch.autograd.grad(trace.context.sum(), (scores, values))
    assert (to_scores[1, 2] == 0).all()
    assert to_scores.isfinite().all()
    torch.testing.assert_close(
        to_values[1], trace.weights[1].sum(0)[:, None] + 0 * values[1]
    )


def test_a_batch_of_nothing_but_padding_is_all_zeros():
    values = normal(2, 3, seed=0)
    trace = attend(normal(5, 2, seed=1), values, torch.zeros(5, 2, dtype=torch.bool))
    (gradient,) = torch.autograd.grad(trace.context.sum(), values)
    assert (trace.context == 0).all()
    assert (gradient == 0).all()


def test_a_mask_of_sources_serves_all_their_queries():
    scores, values = normal(2, 3, 5, seed=0), normal(2, 5, 7, seed=1)
    padding = visible_mask(2, 1, 5, seed=2)
    torch.testing.assert_close(
        attend(scores, values, padding).context,
        attend(scores, values, padding.expand(2, 3, 5)).context,
    )


def test_the_trace_is_walked_in_the_order_of_the_formula():
    trace = attend(torch.zeros(2, 3, 5), torch.zeros(2, 5, 7))
    assert isinstance(trace, AttentionTrace)
    assert [(s.path, s.axes) for s in walk(trace)] == [
        ("scores", ("batch", "query", "key")),
        ("weights", ("batch", "query", "key")),
        ("context", ("batch", "query", "d_v")),
    ]


@pytest.mark.usefixtures("as_readers_run_it")
class TestRefusals:
    def test_another_number_of_values_than_of_keys(self):
        with pytest.raises(ValueError, match=r"scores has key = 5.*values has key = 3"):
            attend(torch.zeros(2, 5), torch.zeros(3, 7))

    @pytest.mark.parametrize("dtype", [torch.float32, torch.int64, torch.uint8])
    def test_a_mask_of_another_dtype(self, dtype):
        mask = torch.ones(2, 5, dtype=dtype)
        with pytest.raises(TypeError, match=rf"mask holds {dtype}.*True where .* may"):
            attend(torch.zeros(2, 5), torch.zeros(5, 7), mask)

    @pytest.mark.parametrize("shape", [(2, 5), (2, 5, 3), (1, 2, 3, 5)])
    def test_a_mask_of_another_shape(self, shape):
        mask = torch.ones(*shape, dtype=torch.bool)
        with pytest.raises(ValueError, match=r"does not broadcast.*mask.unsqueeze"):
            attend(torch.zeros(2, 3, 5), torch.zeros(2, 5, 7), mask)

    def test_a_query_of_another_size(self):
        score = AdditiveScore(d_query=2, d_key=3, d_hidden=5)
        with pytest.raises(ValueError, match=r"d_query = 2.*query has d_query = 3"):
            score(torch.zeros(7, 3), score.project(torch.zeros(11, 3)))

    def test_keys_of_another_size(self):
        for score in (AdditiveScore(2, 3, 5), DotProductScore(2, 3, general=True)):
            with pytest.raises(ValueError, match=r"d_key = 3.*keys has d_key = 2"):
                score.project(torch.zeros(11, 2))

    def test_keys_that_were_not_projected(self):
        score = AdditiveScore(d_query=2, d_key=3, d_hidden=5)
        with pytest.raises(
            ValueError, match=r"d_hidden = 5.*projected has d_hidden = 3"
        ):
            score(torch.zeros(7, 2), torch.zeros(11, 3))
        general = DotProductScore(2, 3, general=True)
        with pytest.raises(ValueError, match=r"d_query = 2.*projected has d_query = 3"):
            general(torch.zeros(7, 2), torch.zeros(11, 3))
        with pytest.raises(ValueError, match=r"d_query = 2.*query has d_query = 3"):
            general(torch.zeros(7, 3), torch.zeros(11, 2))


# ---------------------------------------------------------------------------- scores


@fast
@given(sizes=primes, seed=seeds)
def test_additive_score_is_a_network_that_sees_query_and_key(sizes, seed):
    query, key, d_query, d_key, d_hidden = sizes
    torch.manual_seed(seed)
    score = AdditiveScore(d_query, d_key, d_hidden).double()
    together = nn.Linear(d_query + d_key, d_hidden, bias=False)
    together.weight = nn.Parameter(torch.cat([score.W.weight, score.U.weight], 1))
    network = nn.Sequential(together, nn.Tanh(), score.v)
    queries, keys = normal(query, d_query, seed=seed), normal(key, d_key, seed=seed + 2)

    pairs = torch.cat(
        [
            queries.unsqueeze(1).expand(query, key, d_query),
            keys.unsqueeze(0).expand(query, key, d_key),
        ],
        -1,
    )
    ours = score(queries, score.project(keys))
    oracle = network(pairs).squeeze(-1)
    inputs = (queries, keys, score.v.weight)
    assert_same_gradients(ours, oracle, inputs, seed)


def test_additive_score_by_hand():
    score = AdditiveScore(d_query=1, d_key=1, d_hidden=2)
    score.W.weight.data = torch.tensor([[1.0], [0.0]])
    score.U.weight.data = torch.tensor([[1.0], [2.0]])
    score.v.weight.data = torch.tensor([[10.0, 1.0]])
    scores = score(torch.tensor([[3.0]]), score.project(torch.tensor([[-3.0], [0.0]])))
    by_hand = [10 * math.tanh(0) + math.tanh(-6), 10 * math.tanh(3) + math.tanh(0)]
    torch.testing.assert_close(scores, torch.tensor([by_hand]))


@fast
@given(sizes=primes, seed=seeds)
def test_the_general_dot_product_is_pytorchs_bilinear_form(sizes, seed):
    query, key, d_query, d_key, _ = sizes
    torch.manual_seed(seed)
    score = DotProductScore(d_query, d_key, general=True).double()
    bilinear = nn.Bilinear(d_query, d_key, 1, bias=False).double()
    with torch.no_grad():
        bilinear.weight[0].copy_(score.W.weight)
    queries, keys = normal(query, d_query, seed=seed), normal(key, d_key, seed=seed + 2)
    ours = score(queries, score.project(keys))
    oracle = bilinear(
        queries.unsqueeze(1).expand(query, key, d_query).contiguous(),
        keys.unsqueeze(0).expand(query, key, d_key).contiguous(),
    ).squeeze(-1)
    assert_same_gradients(ours, oracle, (queries, keys), seed)


def test_the_plain_dot_product_has_nothing_to_learn():
    score = DotProductScore(3, 3)
    keys = torch.arange(6.0).view(2, 3)
    assert list(score.parameters()) == []
    assert score(torch.tensor([[1.0, 2.0, 3.0]]), score.project(keys)).tolist() == [
        [8.0, 26.0]
    ]


def test_a_plain_dot_product_of_different_sizes_is_refused():
    with pytest.raises(ValueError, match=r"d_query = 2 and d_key = 3; .*general=True"):
        DotProductScore(2, 3)


@fast
@given(sizes=primes, seed=seeds, name=st.sampled_from(["additive", "dot", "general"]))
def test_queries_are_scored_alike_alone_and_together(sizes, seed, name):
    batch, query, key, d_query, d_key = sizes
    torch.manual_seed(seed)
    score = {
        "additive": lambda: AdditiveScore(d_query, d_key, 13),
        "dot": lambda: DotProductScore(d_query, d_query),
        "general": lambda: DotProductScore(d_query, d_key, general=True),
    }[name]().double()
    keys = normal(batch, key, d_query if name == "dot" else d_key, seed=seed)
    queries = normal(batch, query, d_query, seed=seed + 1)
    projected = score.project(keys)
    alone = [score(queries[:, i : i + 1], projected) for i in range(query)]
    torch.testing.assert_close(score(queries, projected), torch.cat(alone, 1))
    torch.testing.assert_close(
        score(queries[0], projected[0]), score(queries, projected)[0]
    )
