"""A Transformer that reads a window in patches, as chapter 8's reads an image."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from qkv._checks import heads_divide, one_of, settle, share_dropped, whole
from qkv.layers import LayerNorm
from qkv.positions import Learned
from qkv.series.linear import fitting
from qkv.trace import step
from qkv.transformer import Encoder, EncoderLayer
from qkv.transformer.traces import EncoderLayerTrace

NORMALISE = ("mean", "last", "none")
READ = ("in order", "mean")
EPSILON = 1e-5  # in the units of a squared value: a flat window is not divided by 0


@dataclass(frozen=True)
class PatchConfig:
    """The sizes and kinds of a patch Transformer.

    Parameters
    ----------
    length : how many values a window has.
    horizon : how many are forecast.
    patch : how many values make a token; it divides ``length``.
    d_model, heads, d_ff, layers : as in :class:`qkv.transformer.TransformerConfig`.
    dropout : how likely a number is set to zero in training: in the tokens and in what
        each sub-layer says.
    normalise : "mean", subtract each window's own mean and divide by its own standard
        deviation; "last", subtract its last value; "none". What was taken away is
        given back to the forecast.
    positions : whether a learned vector for its place is added to each patch.
    read : "in order", the head reads all tokens side by side; "mean", their mean.
    """

    length: int
    horizon: int
    patch: int = 8
    d_model: int = 32
    heads: int = 4
    d_ff: int = 64
    layers: int = 2
    dropout: float = 0.0
    normalise: str = "mean"
    positions: bool = True
    read: str = "in order"

    def __post_init__(self) -> None:
        """Refuse what no model can be made of.

        Raises
        ------
        ValueError
            If a size is below 1, the patch does not divide the length, heads do not
            divide d_model, dropout is not a probability below 1, or ``normalise`` or
            ``read`` is of no known kind.
        TypeError
            If a size is no whole number.
        """
        sizes = "length", "horizon", "patch", "d_model", "heads", "d_ff", "layers"
        settle(self, **whole(1, **{name: getattr(self, name) for name in sizes}))
        if self.length % self.patch:
            near = max(1, self.length // self.patch) * self.patch
            raise ValueError(
                f"patch = {self.patch} does not divide length = {self.length}; read "
                f"{near} values, or choose another patch"
            )
        heads_divide(self.d_model, self.heads)
        share_dropped(self.dropout)
        one_of("normalise", self.normalise, NORMALISE, who="the model knows")
        one_of("read", self.read, READ, who="the head knows")

    @property
    def patches(self) -> int:
        """How many patches a window has."""
        return self.length // self.patch


@dataclass(frozen=True, eq=False)
class PatchTrace:
    """A patch Transformer, from a window to its forecast."""

    level: Float[Tensor, "*batch 1"] = step(
        "The window's level", formula=r"\mu", reads=("past",)
    )
    scale: Float[Tensor, "*batch 1"] = step(
        "How far it swings", formula=r"\sigma", reads=("past", "level")
    )
    normalised: Float[Tensor, "*batch length"] = step(
        "Take both away",
        formula=r"x' = \frac{x - \mu}{\sigma}",
        reads=("past", "level", "scale"),
    )
    patches: Float[Tensor, "*batch patch d_in"] = step(
        "Cut the window into patches", formula=r"x'_p", reads=("normalised",)
    )
    embedded: Float[Tensor, "*batch patch d_model"] = step(
        "Make a token of each patch", formula=r"x'_p E + b", reads=("patches",)
    )
    positioned: Float[Tensor, "*batch patch d_model"] = step(
        "Add where each patch stands",
        formula=r"z_0 = x'_p E + b + E_{pos}",
        reads=("embedded",),
    )
    encoder: tuple[EncoderLayerTrace, ...] = step(
        "Let the patches look at each other, layer by layer", reads=("positioned",)
    )
    tokens: Float[Tensor, "*batch patch d_model"] = step(
        "Normalise what the last layer has made",
        formula=r"z = \mathrm{LN}(z_L)",
        reads=("encoder",),
    )
    read: Float[Tensor, "*batch d_hidden"] = step(
        "Put the tokens side by side, or take their mean", reads=("tokens",)
    )
    scaled: Float[Tensor, "*batch horizon"] = step(
        "Forecast from them", formula=r"\hat y' = z W + b", reads=("read",)
    )
    forecast: Float[Tensor, "*batch horizon"] = step(
        "Give level and scale back",
        formula=r"\hat y = \sigma \hat y' + \mu",
        reads=("scaled", "level", "scale"),
    )


class PatchTransformer(nn.Module):
    r"""Read a window as a sentence of patches, and forecast all steps at once.

    .. math::
        x' &= \frac{x - \mu}{\sigma} \\
        z &= \mathrm{LN}(\mathrm{Encoder}([x'_1 E; \dots; x'_N E] + E_{pos})) \\
        \hat y &= \sigma\,([z_1; \dots; z_N]\, W + b) + \mu

    A patch is a stretch of values, as chapter 8's is a square of pixels, and the
    encoder is chapter 7's. The level μ and the scale σ are each window's own
    (:class:`PatchConfig`, ``normalise``), so that a series that rises for ever still
    looks like what was trained on.

    Raises
    ------
    ValueError
        If a window has another length than the config.
    TypeError
        If windows are no tensor, or of another kind of numbers than the weights.

    Notes
    -----
    Nie et al. (2023), section 3.1, whose patches overlap and whose norm is a batch
    norm; the window's normalisation is Kim et al. (2022), section 3, without its
    learned scale; that by the last value is Zeng et al. (2023), section 4, NLinear.

    Examples
    --------
    >>> model = PatchTransformer(PatchConfig(length=24, horizon=5, patch=6))
    >>> past = torch.rand(3, 24)
    >>> model(past).shape
    torch.Size([3, 5])
    >>> trace = model.trace(past)
    >>> trace.patches.shape, trace.encoder[-1].attention.attention.weights.shape
    (torch.Size([3, 4, 6]), torch.Size([3, 4, 4, 4]))
    """

    def __init__(self, config: PatchConfig):
        """Make the parts in the order of their use."""
        super().__init__()
        self.config = config
        self.embedding = nn.Linear(config.patch, config.d_model)
        self.positions = _positions(config)
        self.encoder = Encoder(
            [
                EncoderLayer(
                    config.d_model, config.heads, config.d_ff, dropout=config.dropout
                )
                for _ in range(config.layers)
            ],
            LayerNorm(config.d_model),
        )
        tokens = config.patches if config.read == "in order" else 1
        self.head = nn.Linear(tokens * config.d_model, config.horizon)

    def forward(
        self, past: Float[Tensor, "*batch length"]
    ) -> Float[Tensor, "*batch horizon"]:
        """Return the forecast of each window."""
        normalised, level, scale = self._normalised(past)
        x = self._placed(self.embedding(self._cut(normalised)))
        if self.training and self.config.dropout:
            x = F.dropout(x, self.config.dropout)
        return scale * self.head(self._read(self.encoder(x))) + level

    def trace(self, past: Float[Tensor, "*batch length"]) -> PatchTrace:
        """Do what a call does, without dropout, and return every step."""
        normalised, level, scale = self._normalised(past)
        patches = self._cut(normalised)
        embedded = self.embedding(patches)
        positioned = self._placed(embedded)
        encoder, tokens = self.encoder.trace(positioned)
        read = self._read(tokens)
        scaled = self.head(read)
        return PatchTrace(
            level=level,
            scale=scale,
            normalised=normalised,
            patches=patches,
            embedded=embedded,
            positioned=positioned,
            encoder=encoder,
            tokens=tokens,
            read=read,
            scaled=scaled,
            forecast=scale * scaled + level,
        )

    def _normalised(self, past: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        fitting("the patch Transformer", self.config.length, past, self.head.weight)
        level, scale = _level(past, self.config.normalise)
        return (past - level) / scale, level, scale

    def _cut(self, normalised: Tensor) -> Tensor:
        return normalised.unflatten(-1, (self.config.patches, self.config.patch))

    def _placed(self, tokens: Tensor) -> Tensor:
        return tokens if self.positions is None else self.positions(tokens)

    def _read(self, tokens: Tensor) -> Tensor:
        return tokens.flatten(-2) if self.config.read == "in order" else tokens.mean(-2)


def _level(past: Tensor, normalise: str) -> tuple[Tensor, Tensor]:
    """Return what is taken from each window, and what it is divided by."""
    if normalise == "mean":
        variance, mean = torch.var_mean(past, -1, correction=0, keepdim=True)
        return mean, (variance + EPSILON).sqrt()
    last = past[..., -1:]
    level = last if normalise == "last" else torch.zeros_like(last)
    return level, torch.ones_like(last)


def _positions(config: PatchConfig) -> Learned | None:
    if not config.positions:
        return None
    learned = Learned(config.patches, config.d_model)
    # Small, so that the patches are heard next to them.
    nn.init.normal_(learned.table.weight, std=0.02)
    return learned
