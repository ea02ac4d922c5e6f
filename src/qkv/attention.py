r"""Attention: look at all values, and average them by how well their keys match.

Every attention in the book is the same three steps, and :func:`attend` is the last
two of them:

1. *score* every key for every query (:class:`AdditiveScore`, :class:`DotProductScore`),
2. turn each query's scores into *weights* that sum to one,
3. average the values by these weights: the *context*.

:func:`scaled_dot_product_attention` is all three in one, for the score that needs no
learning, and :class:`MultiHeadAttention` does it in several heads at once. Both come in
two forms with one meaning: the plain call takes PyTorch's fused kernel, which never
holds all the weights, and the *trace* takes the steps one by one, to be looked at.
"""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional as F

from qkv import masks
from qkv._checks import (
    axes_at_least,
    finite,
    heads_divide,
    kv_heads_divide,
    like_the_weights,
    same_dtype,
    whole,
)
from qkv.tiles import Seen, attend_in_tiles
from qkv.trace import step

_ONLY_LATER = (
    "mask is True only where a query would look at later tokens, which causal=True "
    "hides, so that nothing is left to attend to; True means may attend: if yours "
    "marks the hidden, write ~mask"
)


@dataclass(frozen=True, eq=False)
class AttentionTrace:
    """The steps of one attention. Keys that may not be attended to score -∞."""

    scores: Float[Tensor, "*batch query key"] = step(
        "Score every key for every query",
        formula=r"e_{ij} = a(q_i, k_j)",
        reads=("queries", "keys"),
    )
    weights: Float[Tensor, "*batch query key"] = step(
        "Turn the scores into weights",
        formula=r"\alpha_{ij} = \frac{\exp e_{ij}}{\sum_k \exp e_{ik}}",
        reads=("scores",),
    )
    context: Float[Tensor, "*batch query d_v"] = step(
        "Average the values by weight",
        formula=r"c_i = \sum_j \alpha_{ij} v_j",
        reads=("weights", "values"),
    )


def attend(
    scores: Float[Tensor, "*batch query key"],
    values: Float[Tensor, "*batch key d_v"],
    mask: Bool[Tensor, "..."] | None = None,
) -> AttentionTrace:
    r"""Average the values by the softmax of the scores, and show every step.

    .. math:: \alpha_{ij} = \frac{\exp e_{ij}}{\sum_k \exp e_{ik}}, \qquad
              c_i = \sum_j \alpha_{ij} v_j

    Parameters
    ----------
    scores : how well each key matches each query.
    values : what there is to read, one for each key.
    mask : True where a query *may attend* to a key, of the shape of ``scores`` or
        broadcast to it: "batch 1 key" hides the padding of each source from all its
        queries. A query that may attend to nothing gets weights and a context of
        zero, and sends back gradients of zero. PyTorch's ``key_padding_mask`` has the
        opposite sense, True for *hidden*.

    Raises
    ------
    ValueError
        If ``values`` has another number of keys than ``scores``, or ``mask`` does not
        broadcast to "batch query key".
    TypeError
        If ``mask`` is not boolean, or scores and values do not hold one kind of
        floating-point numbers.

    Notes
    -----
    Bahdanau et al. (2015), equations 5 and 6.

    Examples
    --------
    >>> scores = torch.zeros(1, 3)
    >>> values = torch.tensor([[2.0], [4.0], [9.0]])
    >>> attend(scores, values).context
    tensor([[5.]])
    >>> attend(scores, values, torch.tensor([[True, True, False]])).weights
    tensor([[0.5000, 0.5000, 0.0000]])
    """
    same_dtype(scores=scores, values=values)
    axes_at_least("scores", scores, "*batch key")
    axes_at_least("values", values, "*batch key d_v")
    _same_axis("key", scores=scores.shape[-1], values=values.shape[-2])
    if mask is None:
        weights = scores.softmax(-1)
    else:
        hidden = ~masks.fitting(mask, scores.shape)
        scores = scores.masked_fill(hidden, -torch.inf)
        # The softmax of a row of -inf is NaN, and so is its gradient; filling on both
        # sides of it keeps the NaN from values and gradients alike.
        weights = scores.softmax(-1).masked_fill(hidden, 0.0)
    return AttentionTrace(scores=scores, weights=weights, context=weights @ values)


class AdditiveScore(nn.Module):
    r"""Score a key with a small network that sees it next to the query.

    .. math:: e_{ij} = v^\top \tanh(W q_i + U k_j)

    W is "d_hidden d_query", U "d_hidden d_key", v has d_hidden entries. The half that
    belongs to the keys does not depend on the query: call :meth:`project` once for a
    source, then the module itself once for each new query.

    Raises
    ------
    ValueError
        If a size is below 1, or queries or keys have another.
    TypeError
        If they are no tensors, or hold another kind of numbers than the weights.

    Notes
    -----
    Bahdanau et al. (2015), appendix A.1.2.

    Examples
    --------
    >>> score = AdditiveScore(d_query=2, d_key=3, d_hidden=4)
    >>> projected = score.project(torch.ones(7, 3))
    >>> score(torch.ones(5, 2), projected).shape
    torch.Size([5, 7])
    """

    def __init__(self, d_query: int, d_key: int, d_hidden: int):
        """Make the two projections and the vector that reads their sum."""
        super().__init__()
        whole(1, d_query=d_query, d_key=d_key, d_hidden=d_hidden)
        self.W = nn.Linear(d_query, d_hidden, bias=False)
        self.U = nn.Linear(d_key, d_hidden, bias=False)
        self.v = nn.Linear(d_hidden, 1, bias=False)

    def project(
        self, keys: Float[Tensor, "*batch key d_key"]
    ) -> Float[Tensor, "*batch key d_hidden"]:
        """Return U k for every key: once for a source, not at every step."""
        like_the_weights("keys", keys, self.U.weight)
        _same_axis("d_key", score=self.U.in_features, keys=keys.shape[-1])
        return self.U(keys)

    def forward(
        self,
        query: Float[Tensor, "*batch query d_query"],
        projected: Float[Tensor, "*batch key d_hidden"],
    ) -> Float[Tensor, "*batch query key"]:
        """Score every projected key for every query."""
        like_the_weights("query", query, self.W.weight)
        like_the_weights("projected", projected, self.U.weight)
        _same_axis("d_query", score=self.W.in_features, query=query.shape[-1])
        _same_axis("d_hidden", score=self.U.out_features, projected=projected.shape[-1])
        return self.unchecked(query, projected)

    def unchecked(self, query: Tensor, projected: Tensor) -> Tensor:
        """Do what a call does with sizes that are known to fit: at each token.

        For one token a call of a module costs as much as the product in it.
        """
        asked = F.linear(query, self.W.weight)
        together = asked.unsqueeze(-2) + projected.unsqueeze(-3)
        return F.linear(torch.tanh(together), self.v.weight).squeeze(-1)


class DotProductScore(nn.Module):
    r"""Score a key by its dot product with the query.

    .. math:: e_{ij} = q_i^\top k_j \qquad\text{or, if general,}\qquad
              e_{ij} = q_i^\top W k_j

    The plain score has nothing to learn and needs d_query = d_key. The general one has
    a matrix W, "d_query d_key", which :meth:`project` applies to the keys, once.

    Raises
    ------
    ValueError
        If d_query and d_key differ and the score is not general, if a size is below 1,
        or if queries or keys have another.
    TypeError
        If queries and keys are no tensors, or hold different kinds of numbers.

    Notes
    -----
    Luong et al. (2015), section 3.1: "dot" and "general".

    Examples
    --------
    >>> score = DotProductScore(d_query=2, d_key=2)
    >>> keys = torch.tensor([[1.0, 0.0], [3.0, 5.0]])
    >>> score(torch.tensor([[2.0, 1.0]]), score.project(keys))
    tensor([[ 2., 11.]])
    """

    def __init__(self, d_query: int, d_key: int, *, general: bool = False):
        """Make W, if general."""
        super().__init__()
        whole(1, d_query=d_query, d_key=d_key)
        if d_query != d_key and not general:
            raise ValueError(
                f"a dot product needs d_query = d_key, but d_query = {d_query} and "
                f"d_key = {d_key}; make them equal, or give general=True"
            )
        self.d_query, self.d_key = d_query, d_key
        self.W = nn.Linear(d_key, d_query, bias=False) if general else nn.Identity()

    def project(
        self, keys: Float[Tensor, "*batch key d_key"]
    ) -> Float[Tensor, "*batch key d_query"]:
        """Return W k for every key, or the keys themselves where there is no W."""
        if isinstance(self.W, nn.Linear):
            like_the_weights("keys", keys, self.W.weight)
        else:
            same_dtype(keys=keys)
        _same_axis("d_key", score=self.d_key, keys=keys.shape[-1])
        return self.W(keys)

    def forward(
        self,
        query: Float[Tensor, "*batch query d_query"],
        projected: Float[Tensor, "*batch key d_query"],
    ) -> Float[Tensor, "*batch query key"]:
        """Score every projected key for every query."""
        same_dtype(query=query, projected=projected)
        _same_axis("d_query", score=self.d_query, query=query.shape[-1])
        _same_axis("d_query", score=self.d_query, projected=projected.shape[-1])
        return self.unchecked(query, projected)

    def unchecked(self, query: Tensor, projected: Tensor) -> Tensor:
        """Do what a call does with sizes that are known to fit: at each token."""
        return query @ projected.mT


@dataclass(frozen=True, eq=False)
class ScaledDotProductTrace:
    """The steps of scaled dot-product attention."""

    scores: Float[Tensor, "*batch query key"] = step(
        "Multiply every query with every key",
        formula=r"s_{ij} = q_i \cdot k_j",
        reads=("queries", "keys"),
        by=("compare", "queries", "keys"),
    )
    scaled: Float[Tensor, "*batch query key"] = step(
        "Divide by the square root of their length",
        formula=r"e_{ij} = \frac{s_{ij}}{\sqrt{d_k}}",
        reads=("scores",),
        by=("root", "scores", "queries"),
    )
    masked: Float[Tensor, "*batch query key"] = step(
        "Hide what may not be attended to",
        formula=r"e_{ij} = -\infty \text{ where hidden}",
        reads=("scaled",),
        by=("hide", "scaled"),
    )
    weights: Float[Tensor, "*batch query key"] = step(
        "Turn the scores into weights",
        formula=r"\alpha_{ij} = \frac{\exp e_{ij}}{\sum_k \exp e_{ik}}",
        reads=("masked",),
        by=("weigh", "masked"),
    )
    output: Float[Tensor, "*batch query d_v"] = step(
        "Average the values by weight",
        formula=r"o_i = \sum_j \alpha_{ij} v_j",
        reads=("weights", "values"),
        by=("average", "weights", "values"),
    )


def scaled_dot_product_attention(
    query: Float[Tensor, "*batch query d_k"],
    key: Float[Tensor, "*batch key d_k"],
    value: Float[Tensor, "*batch key d_v"],
    mask: Bool[Tensor, "..."] | None = None,
    *,
    causal: bool = False,
    window: int | None = None,
    tile: int | None = None,
) -> Float[Tensor, "*batch query d_v"]:
    r"""Average the values by how well their keys match each query.

    .. math:: \mathrm{Attention}(Q, K, V) =
              \mathrm{softmax}\!\left(\frac{Q K^\top}{\sqrt{d_k}}\right) V

    Parameters
    ----------
    query : what each query asks for.
    key : what each key offers.
    value : what is read where its key matches.
    mask : True where a query *may attend* to a key, of the shape "\*batch query key" or
        broadcast to it. A query that may attend to nothing gets an output of zero and
        sends back gradients of zero.
    causal : let each query attend only to its own token and those before it. Where
        there are more keys than queries, the queries are the last of them.
    window : with ``causal``, let it attend to so many of them only, itself the last.
    tile : hold the scores of so many queries and keys at a time, as
        :mod:`qkv.tiles` does, and compute them again in the backward pass. Without it
        PyTorch's kernel chooses.

    Raises
    ------
    ValueError
        If the sizes of query, key, value and mask do not fit each other, a mask
        leaves only what ``causal`` hides, and is probably of the opposite sense, there
        is a window without ``causal``, or a window or a tile is below 1.
    TypeError
        If ``mask`` is not boolean, or query, key and value do not hold one kind of
        floating-point numbers.
    FloatingPointError
        If one of them has NaN or an infinity, be it where a mask hides it (on a CPU).

    Notes
    -----
    Vaswani et al. (2017), section 3.2.1, equation 1. The weights are never in memory
    all at once, so that memory grows with the length and not with its square; a mask
    that is different for every query is itself of that size, but has no head axis.
    (PyTorch's kernel does so where d_v = d_k and there are at most two batch axes, and
    takes the steps one by one elsewhere.)

    Examples
    --------
    >>> query = torch.tensor([[1.0, 0.0]])
    >>> key = torch.tensor([[5.0, 1.0], [5.0, 2.0], [-99.0, 0.0]])
    >>> value = torch.tensor([[2.0, 0.0], [4.0, 6.0], [8.0, 8.0]])
    >>> scaled_dot_product_attention(query, key, value)
    tensor([[3., 3.]])
    """
    _check(query, key, value)
    _check_numbers(query, key, value)
    if tile is None:
        return _fused(query, key, value, mask, causal, window)
    return _in_tiles(query, key, value, mask, causal, window, tile)


def _fused(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None,
    causal: bool,
    window: int | None,
) -> Tensor:
    """Attend on PyTorch's kernel, with what is known to fit.

    The third axis from the end, the head's, may be longer for queries than for keys.
    """
    square = query.shape[-2] == key.shape[-2]
    kernel_hides = causal and mask is None and window is None and square
    if not kernel_hides:
        mask = _visible(query, key, mask, causal, window)
    # The fused kernel wants four axes, and leaves a row of nothing at zero.
    absent = 4 - query.ndim
    q, k, v = (_with_axes(absent, x) for x in (query, key, value))
    fitted = None if mask is None else _with_axes(4 - mask.ndim, mask)
    grouped = q.shape[-3] != k.shape[-3]
    output = F.scaled_dot_product_attention(
        q, k, v, fitted, is_causal=kernel_hides, enable_gqa=grouped
    )
    return output if absent <= 0 else output.flatten(0, absent)


def _in_tiles(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None,
    causal: bool,
    window: int | None,
    tile: int,
) -> Tensor:
    """Attend in tiles, which ask for their part of the mask one by one."""
    whole(1, tile=tile)
    queries, keys = query.shape[-2], key.shape[-2]
    if mask is not None:
        mask = masks.fitting(mask, (*query.shape[:-1], keys))
        mask = mask.expand(*mask.shape[:-2], queries, keys)
    _window_looks_back(causal, window)
    if causal:  # what it refuses is refused; nothing is made
        masks.causal(queries, keys, window=window, device="meta")
    seen = Seen(mask, causal, window, before=keys - queries)
    past = replace(seen, window=None)
    if causal and mask is not None and mask.any() and past.nothing(queries, keys, tile):
        raise ValueError(_ONLY_LATER)
    q, k, v = (_as_summed(x) for x in (query, key, value))
    return attend_in_tiles(q, k, v, seen, tile).to(value.dtype)


def trace_scaled_dot_product(
    query: Float[Tensor, "*batch query d_k"],
    key: Float[Tensor, "*batch key d_k"],
    value: Float[Tensor, "*batch key d_v"],
    mask: Bool[Tensor, "..."] | None = None,
    *,
    causal: bool = False,
    window: int | None = None,
) -> ScaledDotProductTrace:
    """Return the steps of :func:`scaled_dot_product_attention`, all weights kept.

    Parameters, errors and result are the same. The steps of half precision are in
    float32, as in the kernel.

    Examples
    --------
    >>> query = torch.tensor([[4.0, 0.0, 0.0, 0.0]])
    >>> key = torch.tensor([[3.0, 1.0, 0.0, 0.0], [3.0, 0.0, 0.0, 5.0]])
    >>> trace = trace_scaled_dot_product(query, key, torch.tensor([[2.0], [8.0]]))
    >>> trace.scores, trace.scaled
    (tensor([[12., 12.]]), tensor([[6., 6.]]))
    >>> trace.weights, trace.output
    (tensor([[0.5000, 0.5000]]), tensor([[5.]]))
    """
    _check(query, key, value)
    _check_numbers(query, key, value)
    return _in_steps(query, key, value, mask, causal, window)


def _in_steps(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None,
    causal: bool,
    window: int | None,
) -> ScaledDotProductTrace:
    """Do the same in explicit steps."""
    visible = _visible(query, key, mask, causal, window)
    q, k, v = (_as_summed(x) for x in (query, key, value))
    scores = q @ k.mT
    scaled = scores / query.shape[-1] ** 0.5
    attended = attend(scaled, v, visible)
    return ScaledDotProductTrace(
        scores=scores,
        scaled=scaled,
        masked=attended.scores,
        weights=attended.weights,
        output=attended.context.to(value.dtype),
    )


def _as_summed(x: Tensor) -> Tensor:
    """Return half precision in float32, in which the kernel has its sums as well.

    A score above 65,504 is an infinity in float16.
    """
    return x.float() if x.dtype in (torch.float16, torch.bfloat16) else x


def split_heads(
    x: Float[Tensor, "*batch token d_model"], heads: int
) -> Float[Tensor, "*batch head token d_head"]:
    """Give every head its own part of each token: d_head = d_model / heads features.

    Head h gets the features h · d_head to (h + 1) · d_head of *every* token.

    Raises
    ------
    ValueError
        If ``heads`` does not divide d_model, or x has no token axis.

    Examples
    --------
    >>> split_heads(torch.tensor([[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]]), 2)
    tensor([[[1., 2.],
             [5., 6.]],
    <BLANKLINE>
            [[3., 4.],
             [7., 8.]]])
    """
    axes_at_least("x", x, "*batch token d_model")
    heads_divide(x.shape[-1], heads)
    # Head and token must change places: a view alone would mix up the tokens.
    return x.unflatten(-1, (heads, -1)).transpose(-3, -2)


def merge_heads(
    x: Float[Tensor, "*batch head token d_head"],
) -> Float[Tensor, "*batch token d_model"]:
    """Put the heads' parts of each token side by side: undo :func:`split_heads`.

    Raises
    ------
    ValueError
        If x has fewer than three axes.

    Examples
    --------
    >>> x = torch.arange(30.0).view(3, 10)
    >>> torch.equal(merge_heads(split_heads(x, 5)), x)
    True
    """
    axes_at_least("x", x, "*batch head token d_head")
    return x.transpose(-3, -2).flatten(-2)


@dataclass(frozen=True, eq=False)
class MultiHeadTrace:
    """The steps of multi-head attention."""

    queries: Float[Tensor, "*batch head query d_head"] = step(
        "Project the queries, a part for each head",
        formula=r"Q_h = X_q W^Q_h",
        reads=("query",),
    )
    keys: Float[Tensor, "*batch head key d_head"] = step(
        "Project the keys",
        formula=r"K_h = X_k W^K_h",
        reads=("key",),
    )
    values: Float[Tensor, "*batch head key d_head"] = step(
        "Project the values",
        formula=r"V_h = X_v W^V_h",
        reads=("value",),
    )
    attention: ScaledDotProductTrace = step(
        "Attend, every head for itself",
        formula=r"O_h = \mathrm{Attention}(Q_h, K_h, V_h)",
        reads=("queries", "keys", "values"),
        axes=("head",),
    )
    merged: Float[Tensor, "*batch query d_model"] = step(
        "Put the heads side by side",
        formula=r"O = [O_1; \dots; O_H]",
        reads=("attention",),
        by=("merge", "attention"),
    )
    output: Float[Tensor, "*batch query d_model"] = step(
        "Mix what the heads found",
        formula=r"Y = O W^O",
        reads=("merged",),
    )


class MultiHeadAttention(nn.Module):
    r"""Attend in several heads at once, each with a part of the width of its own.

    .. math:: \mathrm{head}_h = \mathrm{Attention}(X_q W^Q_h, X_k W^K_h, X_v W^V_h),
              \qquad Y = [\mathrm{head}_1; \dots; \mathrm{head}_H]\, W^O

    Every W is "d_model d_model" for all heads together, whatever their number: more
    heads are narrower heads. The parameters have the names, the shapes and the initial
    values of ``torch.nn.MultiheadAttention``, whose weights can be loaded. Where heads
    share keys and values, W of the keys and of the values has fewer rows.

    Parameters
    ----------
    d_model : the width of a token.
    heads : how many heads share it.
    bias : whether each projection adds a bias.
    kv_heads : how many heads of keys and values there are, each for the same number of
        heads that ask, neighbours: as many as ``heads`` if not given (*multi-head*),
        1 is *multi-query*, what lies between *grouped-query* attention.
    window : where it is causal, how many tokens each may attend to, itself the last;
        all if not given.

    Raises
    ------
    ValueError
        If ``heads`` does not divide ``d_model``, ``kv_heads`` does not divide
        ``heads``, sizes do not fit each other, or one with a window is not causal.
    TypeError
        If query, key or value hold another kind of numbers than the weights, or a mask
        stands in the place of one.
    FloatingPointError
        If what one of them is projected to has NaN or an infinity (on a CPU).

    Notes
    -----
    Vaswani et al. (2017), section 3.2.2. Multi-query attention is Shazeer's (2019),
    grouped-query attention Ainslie et al.'s (2023).

    Examples
    --------
    >>> attention = MultiHeadAttention(d_model=6, heads=2)
    >>> x, memory = torch.ones(3, 5, 6), torch.ones(3, 7, 6)
    >>> attention(x, causal=True).shape
    torch.Size([3, 5, 6])
    >>> attention.trace(x, memory).attention.weights.shape
    torch.Size([3, 2, 5, 7])
    """

    def __init__(
        self,
        d_model: int,
        heads: int,
        *,
        bias: bool = True,
        kv_heads: int | None = None,
        window: int | None = None,
    ):
        """Make the projections into the heads, in one matrix, and out of them."""
        super().__init__()
        heads_divide(d_model, heads)
        self.d_model, self.heads = d_model, heads
        self.kv_heads = kv_heads_divide(heads, kv_heads)
        self.window = None if window is None else whole(1, window=window)["window"]
        d_kv = d_model // heads * self.kv_heads
        self.widths = d_model, d_kv, d_kv  # of queries, keys and values, in one matrix
        width = sum(self.widths)
        self.in_proj_weight = nn.Parameter(torch.empty(width, d_model))
        self.in_proj_bias = nn.Parameter(torch.zeros(width)) if bias else None
        self.out_proj = nn.Linear(d_model, d_model, bias=bias)
        # As large at first as where no head shares a key: of a smaller matrix
        # xavier_uniform_ would make larger numbers.
        share = (d_model + width) / (4 * d_model)
        nn.init.xavier_uniform_(self.in_proj_weight, gain=share**0.5)
        if bias:
            nn.init.zeros_(self.out_proj.bias)

    def forward(
        self,
        query: Float[Tensor, "*batch query d_model"],
        key: Float[Tensor, "*batch key d_model"] | None = None,
        value: Float[Tensor, "*batch key d_model"] | None = None,
        *,
        mask: Bool[Tensor, "..."] | None = None,
        causal: bool = False,
    ) -> Float[Tensor, "*batch query d_model"]:
        r"""Attend, on the fused kernel.

        Parameters
        ----------
        query : the tokens that ask.
        key : the tokens that are looked at: the query's own if not given
            (*self-attention*).
        value : the tokens that are read: the key's if not given.
        mask : True where a query *may attend* to a key, for all heads alike: of the
            shape "\*batch query key" or broadcast to it.
        causal : see :func:`scaled_dot_product_attention`.
        """
        key, value = _default(query, key, value)
        q, k, v = self._project(query, key, value)
        mask = _for_every_head(query, key, mask)
        merged = merge_heads(_fused(q, k, v, mask, causal, self.window))
        return self.out_proj(merged)

    def trace(
        self,
        query: Float[Tensor, "*batch query d_model"],
        key: Float[Tensor, "*batch key d_model"] | None = None,
        value: Float[Tensor, "*batch key d_model"] | None = None,
        *,
        mask: Bool[Tensor, "..."] | None = None,
        causal: bool = False,
    ) -> MultiHeadTrace:
        """Return the steps of :meth:`forward`, one by one.

        Keys and values are those that each head sees: where several heads share one,
        it stands there for each of them.
        """
        key, value = _default(query, key, value)
        q, *shared = self._project(query, key, value)
        k, v = map(self._for_each_head, shared)
        mask = _for_every_head(query, key, mask)
        attention = _in_steps(q, k, v, mask, causal, self.window)
        merged = merge_heads(attention.output)
        return MultiHeadTrace(
            queries=q,
            keys=k,
            values=v,
            attention=attention,
            merged=merged,
            output=self.out_proj(merged),
        )

    def _project(self, query: Tensor, key: Tensor, value: Tensor) -> tuple[Tensor, ...]:
        if not query is key is value:
            return self._project_apart(query=query, key=key, value=value)
        self._fitting("query", query)
        # one large product is faster than three
        together = F.linear(query, self.in_proj_weight, self.in_proj_bias)
        finite("the projection of query, key and value", together)
        return self._in_heads(*together.split(self.widths, -1))

    def _project_apart(self, **inputs: Tensor) -> tuple[Tensor, ...]:
        weights, bias = self.in_proj_weight.split(self.widths), self.in_proj_bias
        biases = (None, None, None) if bias is None else bias.split(self.widths)
        projected = []
        for (name, x), W, b in zip(inputs.items(), weights, biases, strict=True):
            self._fitting(name, x)
            part = F.linear(x, W, b)
            finite(f"the projection of {name}", part)
            projected.append(part)
        _check(*inputs.values())
        return self._in_heads(*projected)

    def _in_heads(self, query: Tensor, *shared: Tensor) -> tuple[Tensor, ...]:
        kept = (split_heads(x, self.kv_heads) for x in shared)
        return split_heads(query, self.heads), *kept

    def _for_each_head(self, shared: Tensor) -> Tensor:
        if self.kv_heads == self.heads:
            return shared
        return shared.repeat_interleave(self.heads // self.kv_heads, -3)

    def _fitting(self, name: str, x: Tensor) -> None:
        like_the_weights(name, x, self.in_proj_weight)
        axes_at_least(name, x, "*batch token d_model")
        _same_axis("d_model", attention=self.d_model, **{name: x.shape[-1]})


def _default(
    query: Tensor, key: Tensor | None, value: Tensor | None
) -> tuple[Tensor, Tensor]:
    for name, x in (("key", key), ("value", value)):
        if isinstance(x, Tensor) and x.dtype is torch.bool:
            raise TypeError(
                f"{name} holds torch.bool, as a mask does; give a mask by its name: "
                "mask=mask"
            )
    key = query if key is None else key
    return key, key if value is None else value


def _for_every_head(query: Tensor, key: Tensor, mask: Tensor | None) -> Tensor | None:
    if mask is None:
        return None
    mask = masks.fitting(mask, (*query.shape[:-1], key.shape[-2]))
    return mask.unsqueeze(-3) if mask.ndim > 2 else mask


def _visible(
    query: Tensor, key: Tensor, mask: Tensor | None, causal: bool, window: int | None
) -> Tensor | None:
    queries, keys = query.shape[-2], key.shape[-2]
    if mask is not None:
        mask = masks.fitting(mask, (*query.shape[:-1], keys))
    _window_looks_back(causal, window)
    # the last token may look at all of them
    if not causal or (queries == 1 and window is None):
        return mask
    past = masks.causal(queries, keys, window=window, device=query.device)
    if mask is None:
        return past
    both = masks.combined(mask, past)
    if mask.any() and not both.any():
        # A mask may leave nothing through the window, and still mean the past.
        if window is not None:
            past = masks.causal(queries, keys, device=query.device)
        if not masks.combined(mask, past).any():
            raise ValueError(_ONLY_LATER)
    return both


def _window_looks_back(causal: bool, window: int | None) -> None:
    if window is not None and not causal:
        raise ValueError(
            f"window = {window} says how far a query looks back, but causal=False lets "
            "it look ahead; give causal=True as well"
        )


def _with_axes(absent: int, x: Tensor) -> Tensor:
    return x[(None,) * absent] if absent > 0 else x


def _check(query: Tensor, key: Tensor, value: Tensor) -> None:
    same_dtype(query=query, key=key, value=value)
    axes_at_least("query", query, "*batch query d_k")
    axes_at_least("key", key, "*batch key d_k")
    axes_at_least("value", value, "*batch key d_v")
    whole(1, d_k=query.shape[-1])
    _same_axis("d_k", query=query.shape[-1], key=key.shape[-1])
    _same_axis("key", key=key.shape[-2], value=value.shape[-2])
    _same_axis("*batch", query=query.shape[:-2], key=key.shape[:-2])
    _same_axis("*batch", key=key.shape[:-2], value=value.shape[:-2])


def _check_numbers(query: Tensor, key: Tensor, value: Tensor) -> None:
    for name, x in (("query", query), ("key", key), ("value", value)):
        finite(name, x)


def _same_axis(axis: str, **sizes: int | tuple[int, ...]) -> None:
    (first, wanted), (second, given) = sizes.items()
    if wanted != given:
        raise ValueError(
            f"{first} has {axis} = {_size(wanted)}, but {second} has {axis} = "
            f"{_size(given)}; the two must agree"
        )


def _size(size: int | tuple[int, ...]) -> str:
    return str(size if isinstance(size, int) else tuple(size))
