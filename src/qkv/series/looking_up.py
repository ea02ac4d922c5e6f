"""Look-up attention: what came after the moments that were most like this one."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional as F

from qkv._checks import axes_at_least, like_the_weights, same_dtype, whole
from qkv.attention import attend
from qkv.layers import LayerNorm
from qkv.trace import step
from qkv.transformer import Encoder, EncoderLayer
from qkv.transformer.traces import EncoderLayerTrace


@dataclass(frozen=True, eq=False)
class LookupTrace:
    """The steps of a look-up. Keys that may not be looked at score -∞."""

    scores: Float[Tensor, "*batch query key"] = step(
        "Compare the latest values with every earlier stretch",
        formula=r"e_{ij} = -\frac{\|q_i - k_j\|^2}{2 h^2}",
        reads=("query", "key"),
    )
    weights: Float[Tensor, "*batch query key"] = step(
        "Turn nearness into weights",
        formula=r"\alpha_{ij} = \frac{\exp e_{ij}}{\sum_k \exp e_{ik}}",
        reads=("scores",),
    )
    forecast: Float[Tensor, "*batch query horizon"] = step(
        "Average what came after",
        formula=r"\hat y_i = \sum_j \alpha_{ij} v_j",
        reads=("weights", "value"),
    )


def lookup(
    query: Float[Tensor, "*batch query d_k"],
    key: Float[Tensor, "*batch key d_k"],
    value: Float[Tensor, "*batch key horizon"],
    *,
    bandwidth: float,
    mask: Bool[Tensor, "..."] | None = None,
) -> Float[Tensor, "*batch query horizon"]:
    r"""Forecast what came after the stretches that were most like the present one.

    .. math:: \hat y_i = \frac{\sum_j K(q_i, k_j)\, v_j}{\sum_j K(q_i, k_j)}, \qquad
              K(q, k) = \exp\left(-\frac{\|q - k\|^2}{2 h^2}\right)

    It is attention whose score is not learned: keys are stretches of the past, values
    what followed each, as :func:`~qkv.series.windows` cuts them.

    Parameters
    ----------
    query : the latest values.
    key : earlier stretches, as long as the query.
    value : what came after each.
    bandwidth : h, in the units of the series. A small one takes the nearest alone, a
        large one the mean of all. Beside the distances it may not be so small that
        their ratio is no number.
    mask : True where a query *may look* at a key. A query that may look at nothing
        gets 0.

    Raises
    ------
    ValueError
        If ``bandwidth`` is not positive, or too small for the numbers to hold a score;
        if query and key have different lengths, or there is not one value for each key.
    TypeError
        If they are no tensors of one kind of floating-point numbers.

    Notes
    -----
    Nadaraya (1964), Watson (1964).

    Examples
    --------
    >>> from qkv.series import windows
    >>> series = torch.tensor([1.0, 2.0, 5.0, 1.0, 2.0])
    >>> key, value = windows(series, length=2, horizon=1)
    >>> lookup(series[-2:].unsqueeze(0), key, value, bandwidth=0.5)
    tensor([[5.]])
    """
    return trace_lookup(query, key, value, bandwidth=bandwidth, mask=mask).forecast


def trace_lookup(
    query: Float[Tensor, "*batch query d_k"],
    key: Float[Tensor, "*batch key d_k"],
    value: Float[Tensor, "*batch key horizon"],
    *,
    bandwidth: float,
    mask: Bool[Tensor, "..."] | None = None,
) -> LookupTrace:
    """Return the steps of :func:`lookup`: scores, weights, forecast.

    Parameters, errors and result are the same.

    Examples
    --------
    >>> query, key = torch.tensor([[0.0]]), torch.tensor([[1.0], [-1.0], [2.0]])
    >>> value = torch.tensor([[3.0], [5.0], [7.0]])
    >>> trace = trace_lookup(query, key, value, bandwidth=0.5)
    >>> trace.scores
    tensor([[-2., -2., -8.]])
    >>> trace.weights
    tensor([[0.4994, 0.4994, 0.0012]])
    """
    if not bandwidth > 0:
        raise ValueError(f"bandwidth must be positive, not {bandwidth}")
    same_dtype(query=query, key=key, value=value)
    axes_at_least("query", query, "*batch query d_k")
    axes_at_least("key", key, "*batch key d_k")
    if query.shape[-1] != key.shape[-1]:
        raise ValueError(
            f"query has d_k = {query.shape[-1]}, but key has d_k = {key.shape[-1]}; "
            "compare stretches of one length"
        )
    scores = -_apart(query, key).square() / (2 * bandwidth**2)
    attended = attend(scores.to(value.dtype), value, mask)
    _check_scores(attended.scores, mask, bandwidth)
    return LookupTrace(attended.scores, attended.weights, attended.context)


def _apart(query: Tensor, key: Tensor) -> Tensor:
    """Return the distances; a CPU has none of half precision."""
    wide = torch.promote_types(query.dtype, torch.float32)
    # without the matrix product: the distance of two large numbers would lose digits
    mode = "donot_use_mm_for_euclid_dist"
    return torch.cdist(query.to(wide), key.to(wide), compute_mode=mode)


def _check_scores(scores: Tensor, mask: Tensor | None, bandwidth: float) -> None:
    """Refuse NaN, and -∞ for all that a query may look at: there is no nearest one."""
    if not scores.shape[-1]:
        return
    wrong = ~scores.amax(-1).isfinite()
    if mask is not None:
        wrong &= mask.expand(scores.shape).any(-1)
    if wrong.any():
        raise ValueError(
            f"bandwidth is {bandwidth}, but {scores.dtype} cannot hold the scores: "
            "all are -∞, or NaN; take a larger one, and query, key and value in "
            "a wider kind, such as .double(), without NaN or infinities"
        )


class RecentEmbedding(nn.Module):
    r"""Make a token of each value: the latest ``width`` of them through a small MLP.

    .. math:: x_t = W_2 \max(0, W_1 (y_{t-w+1}, \dots, y_t) + b_1) + b_2

    Zeros stand before the first value.

    Raises
    ------
    ValueError
        If a size is below 1, or the series is empty.
    TypeError
        If the series is no tensor, or of another kind of numbers than the weights.

    Examples
    --------
    >>> RecentEmbedding(width=5, d_model=16)(torch.ones(3, 7)).shape
    torch.Size([3, 7, 16])
    """

    def __init__(self, width: int, d_model: int):
        """Make the two layers."""
        super().__init__()
        whole(1, width=width, d_model=d_model)
        self.width = width
        self.linear1 = nn.Linear(width, d_model)
        self.linear2 = nn.Linear(d_model, d_model)

    def forward(
        self, series: Float[Tensor, "*batch time"]
    ) -> Float[Tensor, "*batch time d_model"]:
        """Embed each value with those just before it."""
        return self.embed(self.recent(series))

    def recent(
        self, series: Float[Tensor, "*batch time"]
    ) -> Float[Tensor, "*batch time d_in"]:
        """Return the latest values at each step."""
        like_the_weights("series", series, self.linear1.weight)
        axes_at_least("series", series, "*batch time")
        if not series.shape[-1]:
            raise ValueError("series has time = 0, but a token is of one value or more")
        return F.pad(series, (self.width - 1, 0)).unfold(-1, self.width, 1)

    def embed(
        self, recent: Float[Tensor, "*batch time d_in"]
    ) -> Float[Tensor, "*batch time d_model"]:
        """Make a token of the latest values at each step."""
        return self.linear2(torch.relu(self.linear1(recent)))


@dataclass(frozen=True, eq=False)
class RecentTrace:
    """A causal Transformer over a series, from its values to the next ones."""

    recent: Float[Tensor, "*batch time d_in"] = step(
        "Take the latest values at each step",
        formula=r"(y_{t-w+1}, \dots, y_t)",
        reads=("series",),
    )
    embedded: Float[Tensor, "*batch time d_model"] = step(
        "Make a token of them", formula=r"x_t", reads=("recent",)
    )
    encoder: tuple[EncoderLayerTrace, ...] = step(
        "Look at where the same happened before, layer by layer", reads=("embedded",)
    )
    normalised: Float[Tensor, "*batch time d_model"] = step(
        "Normalise what the last layer has made",
        formula=r"z_t = \mathrm{LN}(z_t)",
        reads=("encoder",),
    )
    forecast: Float[Tensor, "*batch time"] = step(
        "Foretell the next value",
        formula=r"\hat y_{t+1} = w \cdot z_t + b",
        reads=("normalised",),
    )


class RecentTransformer(nn.Module):
    r"""Foretell the next value at each step, from the values until then.

    .. math:: z = \mathrm{LN}(\mathrm{Encoder}(x_1, \dots, x_T)), \qquad
              \hat y_{t+1} = w \cdot z_t + b

    Its tokens are the latest values (:class:`RecentEmbedding`), its layers chapter 7's,
    causal. It has no positions: what it looks for are contents, wherever they stand.

    Parameters
    ----------
    width : how many values a token is made of.
    d_model, heads, d_ff, layers : as in :class:`qkv.transformer.TransformerConfig`.

    Raises
    ------
    ValueError
        If a size is below 1, or ``heads`` does not divide ``d_model``.
    TypeError
        If the series is no tensor, or of another kind of numbers than the weights.

    Examples
    --------
    >>> model = RecentTransformer(d_model=16, heads=2, d_ff=32)
    >>> series = torch.rand(3, 11)
    >>> model(series).shape
    torch.Size([3, 11])
    >>> model.trace(series).encoder[0].attention.attention.weights.shape
    torch.Size([3, 2, 11, 11])
    """

    def __init__(
        self,
        width: int = 5,
        d_model: int = 64,
        *,
        heads: int = 4,
        d_ff: int = 128,
        layers: int = 1,
    ):
        """Make the parts in the order of their use."""
        super().__init__()
        whole(1, layers=layers)
        self.embedding = RecentEmbedding(width, d_model)
        self.encoder = Encoder(
            [EncoderLayer(d_model, heads, d_ff) for _ in range(layers)],
            LayerNorm(d_model),
        )
        self.head = nn.Linear(d_model, 1)

    def forward(
        self, series: Float[Tensor, "*batch time"]
    ) -> Float[Tensor, "*batch time"]:
        """Return the forecast of the next value at each step."""
        x = self.encoder(self.embedding(series), causal=True)
        return self.head(x).squeeze(-1)

    def trace(self, series: Float[Tensor, "*batch time"]) -> RecentTrace:
        """Return the steps of :meth:`forward`, one by one."""
        recent = self.embedding.recent(series)
        embedded = self.embedding.embed(recent)
        encoder, normalised = self.encoder.trace(embedded, causal=True)
        forecast = self.head(normalised).squeeze(-1)
        return RecentTrace(recent, embedded, encoder, normalised, forecast)
