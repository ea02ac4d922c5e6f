"""Attention: equal to PyTorch's, in values and gradients; and what it refuses."""

import math
import re
from functools import partial

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from benchmarks.measure import memory
from qkv import masks
from qkv.attention import (
    AdditiveScore,
    AttentionTrace,
    DotProductScore,
    MultiHeadAttention,
    attend,
    merge_heads,
    scaled_dot_product_attention,
    split_heads,
    trace_scaled_dot_product,
)
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
        torch.autograd.grad(oracle, inputs, pull, retain_graph=True),
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


# -------------------------------------------------------------- scaled dot-product


tiles_of_3 = partial(scaled_dot_product_attention, tile=3)
KINDS = ("none", "causal", "padding", "both", "arbitrary")
WINDOWS = ("window", "padded window")
dtypes = st.sampled_from([torch.float32, torch.float64])


def arguments_of(kind: str, batch: int, query: int, key: int, seed: int) -> dict:
    """A mask of each kind, in our arguments; some rows have nothing to attend to."""
    generator = torch.Generator().manual_seed(seed)
    if kind == "arbitrary":
        mask = torch.rand(batch, query, key, generator=generator) < 0.5
        mask[0, 0] = False
        return {"mask": mask}
    lengths = torch.randint(0, key + 1, (batch,), generator=generator)
    given = {"mask": masks.padding(lengths, key)} if kind in ("padding", "both") else {}
    if kind in ("window", "padded window"):
        window = int(torch.randint(1, key + 2, (), generator=generator))
        given |= {"window": window, "causal": True}
    if kind == "padded window":
        given["mask"] = masks.padding(lengths, key)
    return given | ({"causal": True} if kind in ("causal", "both") else {})


def whole_mask(arguments: dict, batch: int, query: int, key: int) -> torch.Tensor:
    """The same as one mask "batch query key", written down entry by entry."""
    whole = torch.ones(batch, query, key, dtype=torch.bool)
    if "mask" in arguments:
        whole = whole & arguments["mask"]
    if arguments.get("causal"):
        i, j = torch.arange(query)[:, None] + key - query, torch.arange(key)
        whole = whole & (j <= i)
        whole = whole & (i - j < arguments.get("window", key))
    return whole


def assert_equal_where_something_is_seen(paths, oracle, inputs, whole, seed):
    """Compare values and gradients; where nothing is seen they are zero.

    ``oracle`` may see everything there, but no gradient comes back from there.
    """
    seen = whole.any(-1, keepdim=True)
    pull = normal(*oracle.shape, seed=seed + 1).detach().to(oracle)
    wanted = torch.autograd.grad(oracle, inputs, pull * seen, retain_graph=True)
    close = {"rtol": 1e-5, "atol": 2e-5} if oracle.dtype is torch.float32 else {}
    for ours in paths:
        torch.testing.assert_close(ours[seen[..., 0]], oracle[seen[..., 0]], **close)
        gradients = torch.autograd.grad(ours, inputs, pull * seen, retain_graph=True)
        torch.testing.assert_close(gradients, wanted, **close)


def seen_by_someone(whole: torch.Tensor) -> torch.Tensor:
    """Let the rows that see nothing see everything, so that PyTorch has no NaN."""
    return whole | ~whole.any(-1, keepdim=True)


@settings(max_examples=25, deadline=None)
@given(
    sizes=st.permutations([2, 3, 5, 7, 11]).map(tuple),
    square=st.booleans(),
    kind=st.sampled_from([*KINDS, *WINDOWS]),
    dtype=dtypes,
    tile=st.integers(1, 12),
    seed=seeds,
)
def test_all_paths_are_pytorchs_attention(sizes, square, kind, dtype, tile, seed):
    batch, *lengths, d_k, d_v = sizes
    query, key = (max(lengths),) * 2 if square else sorted(lengths)
    q = normal(batch, query, d_k, seed=seed).detach().to(dtype).requires_grad_()
    k = normal(batch, key, d_k, seed=seed + 2).detach().to(dtype).requires_grad_()
    v = normal(batch, key, d_v, seed=seed + 3).detach().to(dtype).requires_grad_()
    arguments = arguments_of(kind, batch, query, key, seed)
    whole = whole_mask(arguments, batch, query, key)
    trace = trace_scaled_dot_product(q, k, v, **arguments)
    fused = scaled_dot_product_attention(q, k, v, **arguments)
    tiled = scaled_dot_product_attention(q, k, v, **arguments, tile=tile)

    oracle = F.scaled_dot_product_attention(q, k, v, seen_by_someone(whole))
    assert_equal_where_something_is_seen(
        (fused, trace.output, tiled), oracle, (q, k, v), whole, seed
    )
    assert fused.dtype == trace.output.dtype == tiled.dtype == dtype
    assert (trace.weights[~whole] == 0).all()
    assert trace.masked[~whole].isneginf().all()
    torch.testing.assert_close(trace.masked[whole], trace.scaled[whole])
    torch.testing.assert_close(trace.scaled * d_k**0.5, trace.scores)


@pytest.mark.parametrize("path", ["fused", "trace", "tiles"])
@pytest.mark.parametrize("d_v", [7, 11])  # of another size the kernel steps aside
@pytest.mark.parametrize("key", [5, 1031])  # the kernel reads the keys in blocks of 512
def test_a_query_that_sees_nothing_gets_zeros_and_sends_zeros(path, d_v, key):
    attention = {
        "fused": scaled_dot_product_attention,
        "trace": lambda *given: trace_scaled_dot_product(*given).output,
        "tiles": tiles_of_3,
    }[path]
    q, k, v = (normal(2, 3, n, d, seed=d) for n, d in ((13, 7), (key, 7), (key, d_v)))
    mask = visible_mask(2, 1, 13, key, seed=0)
    mask[0] = False  # a sentence of nothing but padding
    mask[1, 0, 4] = False  # a token that sees nothing
    mask[1, 0, 5, :-1], mask[1, 0, 5, -1] = False, True  # blocks that hide everything
    output = attention(q, k, v, mask)
    gradients = torch.autograd.grad(output.sum(), (q, k, v))
    assert (output[0] == 0).all()
    assert (output[1, :, 4] == 0).all()
    torch.testing.assert_close(output[1, :, 5], v[1, :, -1])
    for gradient in gradients:
        assert gradient.isfinite().all()
        assert (gradient[0] == 0).all()
    assert (gradients[0][1, :, 4] == 0).all()

    rest = [i for i in range(13) if i != 4]
    oracle = F.scaled_dot_product_attention(
        q[1:, :, rest], k[1:], v[1:], mask[1:, :, rest]
    )
    torch.testing.assert_close(output[1:, :, rest], oracle)
    torch.testing.assert_close(gradients, torch.autograd.grad(oracle.sum(), (q, k, v)))


@pytest.mark.parametrize("batch", [(), (2,), (2, 3), (2, 3, 5)])
@pytest.mark.parametrize("kind", KINDS)
def test_any_number_of_batch_axes(batch, kind):
    q, k, v = (normal(*batch, 7, 11, seed=seed) for seed in range(3))
    arguments = arguments_of(kind, 2, 7, 7, seed=0)
    if "mask" in arguments:  # the first batch axis has masks of its own, if it is there
        mask = arguments["mask"]
        arguments["mask"] = mask[(slice(None), *(None,) * (len(batch) - 1))]
        if not batch:
            arguments["mask"] = mask[0]
    ours = scaled_dot_product_attention(q, k, v, **arguments)
    steps = trace_scaled_dot_product(q, k, v, **arguments).output
    assert ours.shape == (*batch, 7, 11)
    assert_same_gradients(ours, steps, (q, k, v), seed=0)
    tiled = tiles_of_3(q, k, v, **arguments)
    assert_same_gradients(tiled, steps, (q, k, v), seed=0)


def test_scaled_dot_product_by_hand():
    ln3 = math.log(3.0)
    trace = trace_scaled_dot_product(
        torch.tensor([[2 * ln3, 0.0, 0.0, 0.0]]),
        torch.tensor([[1.0, 7.0, 0.0, 0.0], [0.0, 7.0, 0.0, 0.0]]),
        torch.tensor([[4.0, 0.0], [8.0, 4.0]]),
    )
    torch.testing.assert_close(trace.scores, torch.tensor([[2 * ln3, 0.0]]))
    torch.testing.assert_close(trace.scaled, torch.tensor([[ln3, 0.0]]))
    torch.testing.assert_close(trace.weights, torch.tensor([[0.75, 0.25]]))
    torch.testing.assert_close(trace.output, torch.tensor([[5.0, 1.0]]))


def test_the_last_query_may_look_at_every_key():
    q, k, v = normal(2, 1, 3, seed=0), normal(2, 5, 3, seed=1), normal(2, 5, 3, seed=2)
    for path in (scaled_dot_product_attention, trace_scaled_dot_product):
        alone, free = path(q, k, v, causal=True), path(q, k, v)
        if path is trace_scaled_dot_product:
            alone, free = alone.output, free.output
        torch.testing.assert_close(alone, free)


@pytest.mark.parametrize("queries", [1, 5])
def test_a_mask_of_the_past_beyond_the_window_leaves_rows_of_nothing(queries):
    x = normal(2, 5, 7, seed=0)
    mask = masks.causal(5).tril(-3)[-queries:]  # the mask is right: nothing to flip
    arguments = {"mask": mask, "causal": True, "window": 2}
    for found in all_forms(x[:, -queries:], x, x, **arguments):
        assert torch.equal(found, torch.zeros(2, queries, 7))


@pytest.mark.usefixtures("as_readers_run_it")
@pytest.mark.parametrize(
    "attention",
    [scaled_dot_product_attention, trace_scaled_dot_product, tiles_of_3],
    ids=["fused", "trace", "tiles"],
)
class TestScaledDotProductRefuses:
    @pytest.mark.parametrize(
        ("query", "key", "value", "match"),
        [
            ((5, 7), (3, 11), (3, 2), r"query has d_k = 7, but key has d_k = 11"),
            ((5, 7), (3, 7), (2, 7), r"key has key = 3, but value has key = 2"),
            (
                (2, 5, 7),
                (3, 5, 7),
                (3, 5, 7),
                r"query has .batch = \(2,\), but key .*3",
            ),
            ((2, 5, 7), (2, 5, 7), (5, 7), r"key has .batch = \(2,\), but value"),
        ],
    )
    def test_sizes_that_do_not_fit(self, attention, query, key, value, match):
        with pytest.raises(ValueError, match=match):
            attention(torch.zeros(query), torch.zeros(key), torch.zeros(value))

    def test_fewer_keys_than_queries_in_causal_attention(self, attention):
        x = torch.zeros(2, 5, 7)
        with pytest.raises(ValueError, match=r"query = 5 and key = 3"):
            attention(x, x[:, :3], x[:, :3], causal=True)

    def test_a_mask_of_another_dtype_or_shape(self, attention):
        x = torch.zeros(2, 5, 7)
        with pytest.raises(TypeError, match=r"mask holds torch.float32"):
            attention(x, x, x, torch.ones(5, 5))
        with pytest.raises(
            ValueError, match=r"\(3, 5\).*'\*batch query key'.*\(2, 5, 5\)"
        ):
            attention(x, x, x, torch.ones(3, 5, dtype=torch.bool))

    def test_a_causal_mask_of_the_opposite_sense(self, attention):
        x = torch.zeros(2, 5, 7)
        with pytest.raises(
            ValueError, match=r"only where .* later .*causal=True.*~mask"
        ):
            attention(x, x, x, ~masks.causal(5), causal=True)
        with pytest.raises(ValueError, match="only where a query would look at later"):
            attention(x, x, x, ~masks.causal(5), causal=True, window=2)
        attention(x, x, x, masks.padding(torch.tensor([0, 0]), 5), causal=True)

    def test_a_window_without_causal_and_one_of_nothing(self, attention):
        x = torch.zeros(2, 5, 7)
        with pytest.raises(ValueError, match=r"window = 3 .*give causal=True"):
            attention(x, x, x, window=3)
        with pytest.raises(ValueError, match="window must be at least 1, not 0"):
            attention(x, x, x, causal=True, window=0)


# ---------------------------------------------------------------------- many heads


def test_splitting_by_hand():
    x = torch.tensor([[1, 2, 3, 4, 5, 6], [10, 20, 30, 40, 50, 60]]).double()
    assert split_heads(x, 3).tolist() == [
        [[1, 2], [10, 20]],
        [[3, 4], [30, 40]],
        [[5, 6], [50, 60]],
    ]


@fast
@given(sizes=primes)
def test_merging_undoes_splitting(sizes):
    batch, more, token, heads, d_head = sizes
    x = normal(batch, more, token, heads * d_head, seed=0)
    split = split_heads(x, heads)
    assert split.shape == (batch, more, heads, token, d_head)
    assert torch.equal(merge_heads(split), x)
    for h in range(heads):
        assert torch.equal(split[:, :, h], x[..., h * d_head : (h + 1) * d_head])


def pytorchs(ours: MultiHeadAttention, *, bias: bool) -> nn.MultiheadAttention:
    theirs = nn.MultiheadAttention(
        ours.d_model, ours.heads, bias=bias, batch_first=True
    ).to(ours.in_proj_weight)
    theirs.load_state_dict(ours.state_dict())
    return theirs


@settings(max_examples=25, deadline=None)
@given(
    sizes=st.permutations([2, 3, 5, 7, 11]).map(tuple),
    inputs=st.sampled_from(["self", "cross", "three"]),
    kind=st.sampled_from(KINDS),
    bias=st.booleans(),
    dtype=dtypes,
    seed=seeds,
)
def test_multi_head_is_pytorchs(sizes, inputs, kind, bias, dtype, seed):
    batch, *lengths, heads, d_head = sizes
    query, key = (max(lengths),) * 2 if inputs == "self" else sorted(lengths)
    torch.manual_seed(seed)
    ours = MultiHeadAttention(heads * d_head, heads, bias=bias).to(dtype)
    for parameter in ours.parameters():  # biases too should not be zero
        nn.init.normal_(parameter, std=0.1)
    x, memory, third = (
        normal(batch, n, heads * d_head, seed=seed + i).detach().to(dtype)
        for i, n in enumerate((query, key, key))
    )
    given = {"self": (x,), "cross": (x, memory), "three": (x, memory, third)}[inputs]
    for each in given:
        each.requires_grad_()
    arguments = arguments_of(kind, batch, query, key, seed)
    whole = whole_mask(arguments, batch, query, key)
    trace = ours.trace(*given, **arguments)
    torch.testing.assert_close(
        trace.attention.output, split_heads(trace.merged, heads), rtol=0, atol=0
    )

    theirs = pytorchs(ours, bias=bias)
    hidden = ~seen_by_someone(whole).repeat_interleave(heads, 0)  # True is hidden there
    key, value = (*given, *given[-1:] * 2)[1:3]
    oracle, _ = theirs(given[0], key, value, attn_mask=hidden, need_weights=False)
    assert_equal_where_something_is_seen(
        (ours(*given, **arguments), trace.output), oracle, given, whole, seed
    )
    pull = torch.randn(oracle.shape).to(oracle) * whole.any(-1, keepdim=True)
    close = {"rtol": 1e-4, "atol": 1e-4} if dtype is torch.float32 else {}
    wanted = torch.autograd.grad(oracle, tuple(theirs.parameters()), pull)
    for path in (ours(*given, **arguments), ours.trace(*given, **arguments).output):
        gradients = torch.autograd.grad(path, tuple(ours.parameters()), pull)
        torch.testing.assert_close(gradients, wanted, **close)


@pytest.mark.parametrize("bias", [True, False])
def test_weights_go_both_ways_and_begin_alike(bias):
    torch.manual_seed(3)
    ours = MultiHeadAttention(10, 5, bias=bias)
    torch.manual_seed(3)
    theirs = nn.MultiheadAttention(10, 5, bias=bias, batch_first=True)
    assert ours.state_dict().keys() == theirs.state_dict().keys()
    for name, weight in theirs.state_dict().items():
        assert torch.equal(ours.state_dict()[name], weight)
    ours.load_state_dict(theirs.state_dict())
    theirs.load_state_dict(ours.state_dict())


@pytest.mark.parametrize("kind", KINDS)
def test_a_sentence_alone_and_in_a_batch(kind):
    torch.manual_seed(0)
    attention = MultiHeadAttention(6, 2).double()
    x, arguments = normal(3, 5, 6, seed=0), arguments_of(kind, 3, 5, 5, seed=0)
    together = attention(x, **arguments)
    for b in range(3):
        alone = arguments | (
            {"mask": arguments["mask"][b]} if "mask" in arguments else {}
        )
        torch.testing.assert_close(attention(x[b], **alone), together[b])
        torch.testing.assert_close(attention.trace(x[b], **alone).output, together[b])


def test_every_input_that_is_left_out_is_the_one_before():
    attention = MultiHeadAttention(6, 2)
    x, memory = torch.randn(2, 3, 6), torch.randn(2, 5, 6)
    torch.testing.assert_close(attention(x), attention(x, x.clone(), x.clone()))
    torch.testing.assert_close(attention(x, memory), attention(x, memory, memory))


@pytest.mark.parametrize("kind", KINDS)
def test_one_head_is_attention_between_two_projections(kind):
    torch.manual_seed(0)
    attention, x = MultiHeadAttention(5, 1).double(), normal(2, 3, 5, seed=0)
    nn.init.normal_(attention.in_proj_bias)
    arguments = arguments_of(kind, 2, 3, 3, seed=1)
    W, b = attention.in_proj_weight, attention.in_proj_bias
    parts = (F.linear(x, w, c) for w, c in zip(W.chunk(3), b.chunk(3), strict=True))
    expected = attention.out_proj(scaled_dot_product_attention(*parts, **arguments))
    trace = attention.trace(x, **arguments)
    assert trace.attention.weights.shape == (2, 1, 3, 3)
    for ours in (attention(x, **arguments), trace.output):
        torch.testing.assert_close(ours, expected)
    theirs, _ = pytorchs(attention, bias=True)(x, x, x)
    torch.testing.assert_close(attention(x), theirs)
    assert torch.equal(merge_heads(split_heads(x, 1)), x)


def test_heads_see_only_their_own_part():
    attention = MultiHeadAttention(6, 3)
    x = torch.randn(5, 6)
    trace = attention.trace(x)
    for h in range(3):
        alone = trace_scaled_dot_product(
            trace.queries[h], trace.keys[h], trace.values[h]
        )
        torch.testing.assert_close(alone.weights, trace.attention.weights[h])
        torch.testing.assert_close(alone.output, trace.merged[:, 2 * h : 2 * h + 2])


@pytest.mark.parametrize("batch", [(), (1,)])
@pytest.mark.parametrize(
    "arguments",
    [{}, {"causal": True}, {"mask": masks.padding(torch.tensor([700]), 2048)[0]}],
    ids=["none", "causal", "padding"],
)
def test_the_weights_are_never_in_memory_all_at_once(arguments, batch):
    attention, x = MultiHeadAttention(8, 2), torch.randn(*batch, 2048, 8)
    fused = memory(lambda: attention(x, **arguments).sum().backward())
    assert fused.peak < 2048**2  # not even a byte for each pair


def test_the_trace_keeps_the_weights_of_every_head():
    attention, x = MultiHeadAttention(8, 2), torch.randn(512, 8)
    assert memory(lambda: attention.trace(x)).largest == 4 * 2 * 512**2


def test_the_steps_of_many_heads_in_order():
    steps = list(walk(MultiHeadAttention(6, 2).trace(torch.zeros(5, 6))))
    assert [step.path for step in steps] == [
        "queries",
        "keys",
        "values",
        "attention.scores",
        "attention.scaled",
        "attention.masked",
        "attention.weights",
        "attention.output",
        "merged",
        "output",
    ]
    assert steps[0].axes == ("head", "query", "d_head")
    assert steps[6].axes == ("head", "query", "key")
    assert steps[-1].axes == ("query", "d_model")


# ---------------------------------------------------------------------- shared keys


def in_a_loop(attention: MultiHeadAttention, x, memory, mask) -> torch.Tensor:
    """Grouped-query attention head by head, each with a product of its own."""
    d_head = attention.d_model // attention.heads
    q, k, v = attention.in_proj_weight.split(attention.widths)
    biases = attention.in_proj_bias.split(attention.widths)
    q, k, v = (
        F.linear(y, W, b)
        for y, W, b in zip((x, memory, memory), (q, k, v), biases, strict=True)
    )
    found = []
    for head in range(attention.heads):
        shared = head * attention.kv_heads // attention.heads
        own, kept = (slice(h * d_head, (h + 1) * d_head) for h in (head, shared))
        scores = q[..., own] @ k[..., kept].mT / d_head**0.5
        found.append(attend(scores, v[..., kept], mask).context)
    return attention.out_proj(torch.cat(found, -1))


@settings(max_examples=25, deadline=None)
@given(
    sizes=st.permutations([2, 3, 5, 7]).map(tuple),
    sharing=st.sampled_from([1, 2, 3]),
    inputs=st.sampled_from(["self", "cross"]),
    kind=st.sampled_from([*KINDS, *WINDOWS]),
    seed=seeds,
)
def test_heads_that_share_keys_are_a_loop_and_pytorchs(
    sizes, sharing, inputs, kind, seed
):
    kv_heads, d_head, *lengths = sizes
    query, key = (max(lengths),) * 2 if inputs == "self" else sorted(lengths)
    heads = sharing * kv_heads
    arguments = arguments_of(kind, 2, query, key, seed)
    whole = whole_mask(arguments, 2, query, key)
    torch.manual_seed(seed)
    ours = MultiHeadAttention(
        heads * d_head, heads, kv_heads=kv_heads, window=arguments.pop("window", None)
    ).double()
    nn.init.normal_(ours.in_proj_bias)
    x, memory = (normal(2, n, ours.d_model, seed=seed + n) for n in (query, key))
    given = (x,) if inputs == "self" else (x, memory)
    wanted = in_a_loop(ours, x, given[-1], whole)
    of_all = (*given, *ours.parameters())
    trace = ours.trace(*given, **arguments)
    for found in (ours(*given, **arguments), trace.output):
        assert_same_gradients(found, wanted, of_all, seed)
    assert trace.keys.shape == trace.values.shape == (2, heads, key, d_head)
    theirs = F.scaled_dot_product_attention(
        trace.queries,
        trace.keys[:, ::sharing],
        trace.values[:, ::sharing],
        seen_by_someone(whole)[:, None],
        enable_gqa=True,
    )
    seen = whole.any(-1)[:, None, :, None]
    torch.testing.assert_close(trace.attention.output, theirs * seen)


def test_two_kv_heads_serve_neighbours():
    """Repeating the heads in turn, 0 1 0 1, is another attention; with one it isn't."""
    attention, x = MultiHeadAttention(8, 4, kv_heads=2), torch.randn(3, 5, 8)
    keys = attention.trace(x).keys
    assert torch.equal(keys[:, 0], keys[:, 1])
    assert torch.equal(keys[:, 2], keys[:, 3])
    assert not torch.equal(keys[:, 1], keys[:, 2])


def test_as_many_kv_heads_as_heads_is_what_it_was():
    torch.manual_seed(0)
    plain = MultiHeadAttention(12, 4)
    torch.manual_seed(0)
    named = MultiHeadAttention(12, 4, kv_heads=4)
    assert plain.kv_heads == 4
    for name, weight in plain.state_dict().items():
        assert torch.equal(weight, named.state_dict()[name])


def test_shared_keys_are_fewer_weights_of_the_same_size():
    shared = MultiHeadAttention(64, 8, kv_heads=2)
    assert shared.in_proj_weight.shape == (64 + 2 * 16, 64)
    assert shared.in_proj_bias.shape == (64 + 2 * 16,)
    bound = MultiHeadAttention(64, 8).in_proj_weight.abs().max().item()
    assert shared.in_proj_weight.abs().max().item() == pytest.approx(bound, rel=0.01)


@pytest.mark.parametrize("batch", [(), (2,), (2, 3)])
def test_shared_keys_with_any_number_of_batch_axes(batch):
    attention = MultiHeadAttention(8, 4, kv_heads=2).double()
    x = normal(*batch, 5, 8, seed=0)
    found = attention(x, causal=True)
    torch.testing.assert_close(found, attention.trace(x, causal=True).output)


@pytest.mark.parametrize("kv_heads", [1, 2])
def test_no_key_is_copied_for_the_heads_that_share_it(kv_heads):
    attention = MultiHeadAttention(64, 8, kv_heads=kv_heads)
    x = torch.randn(2, 512, 64)
    with torch.no_grad():
        few = memory(lambda: attention(x, causal=True)).peak
        many = memory(partial(MultiHeadAttention(64, 8), x, causal=True)).peak
    saved = 2 * (8 - kv_heads) * 8 * x[..., 0].numel() * 4
    assert few == pytest.approx(many - saved, rel=0.02)


@pytest.mark.usefixtures("as_readers_run_it")
class TestSharingRefuses:
    @pytest.mark.parametrize("kv_heads", [0, -1, 3, 8])
    def test_kv_heads_that_do_not_divide_the_heads(self, kv_heads):
        named = rf"kv_heads (= {kv_heads} .*heads = 4.*1, 2, 4|must be at least 1)"
        with pytest.raises(ValueError, match=named):
            MultiHeadAttention(8, 4, kv_heads=kv_heads)

    def test_a_window_that_is_not_causal(self):
        attention, x = MultiHeadAttention(8, 4, window=3), torch.zeros(2, 5, 8)
        for path in (attention, attention.trace):
            with pytest.raises(ValueError, match=r"window = 3 .*give causal=True"):
                path(x)

    def test_sizes_that_are_whole_by_another_name_are_python_s(self):
        for one in (True, torch.tensor(1)):
            made = MultiHeadAttention(8, 4, kv_heads=one, window=one)
            assert type(made.kv_heads) is type(made.window) is int
            made(torch.zeros(2, 5, 8), causal=True)

    def test_sizes_that_are_not_whole(self):
        for wrong in ({"kv_heads": 2.0}, {"window": 2.5}):
            with pytest.raises(TypeError, match="must be a whole number"):
                MultiHeadAttention(8, 4, **wrong)


@pytest.mark.usefixtures("as_readers_run_it")
class TestMultiHeadRefuses:
    @pytest.mark.parametrize("heads", [0, -2, 3])
    def test_heads_that_do_not_divide_the_width(self, heads):
        named = rf"heads (= {heads} .*d_model = 10|must be at least 1, not {heads})"
        with pytest.raises(ValueError, match=named):
            MultiHeadAttention(10, heads)
        with pytest.raises(ValueError, match=named):
            split_heads(torch.zeros(5, 10), heads)

    @pytest.mark.parametrize("name", ["query", "key", "value"])
    def test_an_input_of_another_width(self, name):
        inputs = {each: torch.zeros(2, 5, 6) for each in ("query", "key", "value")}
        inputs[name] = torch.zeros(2, 5, 7)
        match = rf"attention has d_model = 6, but {name} has d_model = 7"
        attention = MultiHeadAttention(6, 2)
        for path in (attention, attention.trace):
            with pytest.raises(ValueError, match=match):
                path(**inputs)

    @pytest.mark.parametrize("shape", [(2, 2, 5, 5), (3, 5, 5), (2, 5)])
    def test_a_mask_of_another_shape(self, shape):
        attention, x = MultiHeadAttention(6, 2), torch.zeros(2, 5, 6)
        mask = torch.ones(shape, dtype=torch.bool)
        for path in (attention, attention.trace):
            with pytest.raises(ValueError, match=r"does not broadcast.*\(2, 5, 5\)"):
                path(x, mask=mask)


@pytest.mark.usefixtures("as_readers_run_it")
@pytest.mark.parametrize("form", ["forward", "trace"])
def test_a_mask_in_the_place_of_keys_or_values_is_told_its_name(form):
    attention, x = MultiHeadAttention(4, 2), torch.ones(3, 4, 4)
    mask = torch.ones(3, 4, 4, dtype=torch.bool)
    for inputs, name in (((x, mask), "key"), ((x, x, mask), "value")):
        with pytest.raises(TypeError, match=f"{name} holds torch.bool.*mask=mask"):
            getattr(attention, form)(*inputs)


@pytest.mark.usefixtures("as_readers_run_it")
@pytest.mark.parametrize("sizes", [(8, 4.0), (8.0, 4)])
def test_heads_and_widths_are_whole_numbers(sizes):
    with pytest.raises(TypeError, match="must be a whole number"):
        MultiHeadAttention(*sizes)


# ---------------------------------------------------- one meaning, or a clear refusal


def all_forms(*given, **arguments):
    """Return what kernel, steps and tiles answer: a result, or the error."""
    answers = []
    for form in (scaled_dot_product_attention, trace_scaled_dot_product, tiles_of_3):
        try:
            answer = form(*given, **arguments)
            answers.append(getattr(answer, "output", answer))
        except FloatingPointError as error:
            answers.append(str(error))
    return answers


@settings(max_examples=60, deadline=None)
@given(
    sizes=st.permutations([1, 2, 3, 5, 23]).map(tuple),
    kind=st.sampled_from(KINDS),
    wrong=st.sampled_from([math.nan, math.inf, -math.inf]),
    where=st.sampled_from(["query", "key", "value"]),
    seed=seeds,
)
def test_what_is_not_finite_is_refused_in_all_forms(sizes, kind, wrong, where, seed):
    batch, *lengths, d_k, d_v = sizes
    query, key = sorted(lengths)
    shapes = {"query": (query, d_k), "key": (key, d_k), "value": (key, d_v)}
    given = {
        name: normal(batch, *shape, seed=seed).detach().float()
        for name, shape in shapes.items()
    }
    arguments = arguments_of(kind, batch, query, key, seed)
    _, steps, _ = answers = all_forms(**given, **arguments)
    for answer in answers:
        torch.testing.assert_close(answer, steps, rtol=1e-5, atol=2e-5)
    place = [seed % size for size in given[where].shape]
    given[where][tuple(place)] = wrong
    said = f"{where} has {wrong} at {place}, which .* Put 0 where a mask hides it, and"
    for answer in all_forms(**given, **arguments):
        assert re.match(re.escape(said).replace(r"\.\*", ".*"), answer)


@pytest.mark.parametrize("form", ["forward", "trace"])
@pytest.mark.parametrize("given", [1, 2, 3])
def test_what_is_projected_to_nan_is_refused(form, given):
    attention, x = MultiHeadAttention(6, 2), torch.ones(2, 3, 6)
    inputs = [x, x.clone(), x.clone()][:given]
    getattr(attention, form)(*inputs)
    attention.in_proj_weight.data[-1, 0] = math.nan
    name = "query, key and value" if given == 1 else ("value" if given == 3 else "")
    with pytest.raises(
        FloatingPointError, match=rf"the projection of .*{name} has nan at \[0, 0, "
    ):
        getattr(attention, form)(*inputs)


def test_numbers_whose_sum_is_too_large_are_no_infinities():
    large = torch.full((3, 5, 2), 3e37)
    for answer in all_forms(torch.zeros(3, 5, 2), large, large):
        torch.testing.assert_close(answer, large)


def test_where_another_device_computes_nothing_waits_for_a_look():
    x = torch.empty(2, 3, 5, device="meta")
    assert scaled_dot_product_attention(x, x, x).is_meta


@fast
@given(
    sizes=primes,
    d_v=st.sampled_from(["d_k", "another"]),
    kind=st.sampled_from(KINDS),
    dtype=st.sampled_from([torch.float16, torch.bfloat16]),
    scale=st.sampled_from([1.0, 1000.0]),
    seed=seeds,
)
def test_half_precision_is_summed_in_float32(sizes, d_v, kind, dtype, scale, seed):
    batch, *lengths, d_k, other = sizes
    query, key = sorted(lengths)
    q = (scale * normal(batch, query, d_k, seed=seed)).detach().to(dtype)
    k = (scale * normal(batch, key, d_k, seed=seed + 2)).detach().to(dtype)
    v = normal(batch, key, d_k if d_v == "d_k" else other, seed=seed + 3).detach()
    arguments = arguments_of(kind, batch, query, key, seed)
    fused = scaled_dot_product_attention(q, k, v.to(dtype), **arguments)
    trace = trace_scaled_dot_product(q, k, v.to(dtype), **arguments)
    assert trace.scores.dtype is trace.weights.dtype is torch.float32
    tiled = tiles_of_3(q, k, v.to(dtype), **arguments)
    assert fused.dtype is trace.output.dtype is tiled.dtype is dtype
    assert trace.scores.isfinite().all()
    close = {"rtol": 0.02, "atol": 0.02 if dtype is torch.float16 else 0.05}
    torch.testing.assert_close(fused, trace.output, **close)
    torch.testing.assert_close(tiled, trace.output, **close)


def test_no_scores_overflow_in_half_precision():
    q = torch.tensor([[300.0] * 4, [-300.0] * 4], dtype=torch.float16)
    for answer in all_forms(q, q, torch.tensor([[2.0] * 4, [4.0] * 4]).half()):
        assert answer.tolist() == [[2.0] * 4, [4.0] * 4]
    assert trace_scaled_dot_product(q, q, q).scores[0, 0] == 4 * 300.0**2


@pytest.mark.parametrize("arguments", [{}, {"mask": torch.ones(3, 0).bool()}])
def test_where_there_is_no_key_there_is_nothing_to_attend_to(arguments):
    q, k, v = normal(3, 2, seed=0), normal(0, 2, seed=1), normal(0, 5, seed=2)
    for output in all_forms(q, k, v, **arguments):
        assert torch.equal(output, torch.zeros(3, 5, dtype=torch.float64))
        (gradient,) = torch.autograd.grad(output.sum(), q)
        assert torch.equal(gradient, torch.zeros_like(q))


@pytest.mark.usefixtures("as_readers_run_it")
@pytest.mark.parametrize(
    "attention", [scaled_dot_product_attention, trace_scaled_dot_product]
)
def test_queries_and_keys_of_no_number_cannot_be_compared(attention):
    x = torch.zeros(2, 3, 0)
    with pytest.raises(ValueError, match="d_k must be at least 1, not 0"):
        attention(x, x, torch.zeros(2, 3, 5))
