r"""Attention: look at all values, and average them by how well their keys match.

Every attention in the book is the same three steps, and :func:`attend` is the last
two of them:

1. *score* every key for every query (:class:`AdditiveScore`, :class:`DotProductScore`),
2. turn each query's scores into *weights* that sum to one,
3. average the values by these weights: the *context*.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from qkv.trace import step


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
        If ``mask`` is not boolean.

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
    _same_axis("key", scores=scores.shape[-1], values=values.shape[-2])
    if mask is None:
        weights = scores.softmax(-1)
    else:
        hidden = ~_fitting(mask, scores)
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
        self.W = nn.Linear(d_query, d_hidden, bias=False)
        self.U = nn.Linear(d_key, d_hidden, bias=False)
        self.v = nn.Linear(d_hidden, 1, bias=False)

    def project(
        self, keys: Float[Tensor, "*batch key d_key"]
    ) -> Float[Tensor, "*batch key d_hidden"]:
        """Return U k for every key: once for a source, not at every step."""
        _same_axis("d_key", score=self.U.in_features, keys=keys.shape[-1])
        return self.U(keys)

    def forward(
        self,
        query: Float[Tensor, "*batch query d_query"],
        projected: Float[Tensor, "*batch key d_hidden"],
    ) -> Float[Tensor, "*batch query key"]:
        """Score every projected key for every query."""
        _same_axis("d_query", score=self.W.in_features, query=query.shape[-1])
        _same_axis("d_hidden", score=self.U.out_features, projected=projected.shape[-1])
        together = self.W(query).unsqueeze(-2) + projected.unsqueeze(-3)
        return self.v(torch.tanh(together)).squeeze(-1)


class DotProductScore(nn.Module):
    r"""Score a key by its dot product with the query.

    .. math:: e_{ij} = q_i^\top k_j \qquad\text{or, if general,}\qquad
              e_{ij} = q_i^\top W k_j

    The plain score has nothing to learn and needs d_query = d_key. The general one has
    a matrix W, "d_query d_key", which :meth:`project` applies to the keys, once.

    Raises
    ------
    ValueError
        If d_query and d_key differ and the score is not general.

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
        _same_axis("d_key", score=self.d_key, keys=keys.shape[-1])
        return self.W(keys)

    def forward(
        self,
        query: Float[Tensor, "*batch query d_query"],
        projected: Float[Tensor, "*batch key d_query"],
    ) -> Float[Tensor, "*batch query key"]:
        """Score every projected key for every query."""
        _same_axis("d_query", score=self.d_query, query=query.shape[-1])
        _same_axis("d_query", score=self.d_query, projected=projected.shape[-1])
        return query @ projected.mT


def _same_axis(axis: str, **sizes: int) -> None:
    (first, wanted), (second, given) = sizes.items()
    if wanted != given:
        raise ValueError(
            f"{first} has {axis} = {wanted}, but {second} has {axis} = {given}; "
            f"the two must agree"
        )


def _fitting(mask: Tensor, scores: Tensor) -> Tensor:
    if mask.dtype is not torch.bool:
        raise TypeError(
            f"mask holds {mask.dtype}, but attend wants torch.bool, True where a query "
            "may attend; write mask.bool(), or ~mask.bool() if yours marks the hidden"
        )
    try:
        return mask.expand(scores.shape)
    except RuntimeError:
        raise ValueError(
            f"mask has shape {tuple(mask.shape)} and does not broadcast to scores "
            f"'*batch query key' = {tuple(scores.shape)}; a padding mask 'batch key' "
            "needs a query axis: mask.unsqueeze(-2)"
        ) from None
