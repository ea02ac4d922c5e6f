"""The Vision Transformer: an encoder that reads patches, and says what is seen."""

from collections.abc import Callable
from dataclasses import asdict, dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional as F

from qkv._checks import (
    boolean,
    heads_divide,
    height_and_width,
    one_of,
    settle,
    share_dropped,
    whole,
)
from qkv.layers import ACTIVATIONS, LayerNorm
from qkv.positions import Learned
from qkv.transformer import Encoder, EncoderLayer
from qkv.transformer.blocks import made
from qkv.transformer.checkpoint import serialised
from qkv.vision.cutting import (
    PatchEmbedding,
    Sinusoidal2d,
    grid,
    of_size,
    patches,
    sinusoidal_2d,
)
from qkv.vision.traces import VisionTrace

KIND = "qkv.vision.VisionTransformer, 1"  # the one name in a checkpoint's metadata
POSITIONS = ("learned", "sinusoidal", "none")


@dataclass(frozen=True)
class VisionConfig:
    """The sizes and kinds of a Vision Transformer.

    Parameters
    ----------
    image : height and width in pixels.
    patch : the side of a patch, which divides both.
    channels : 1 for grey, 3 for red, green and blue.
    classes : how many there are to choose from.
    d_model : the width of a token.
    heads : how many heads share it in every attention.
    d_ff : the width of the feed-forward networks.
    layers : how many encoder layers.
    positions : "learned", "sinusoidal" (of row and column) or "none".
    norm_first : normalise before each sub-layer (*pre-norm*), or after it.
    dropout : how likely a number is set to zero in training: in the tokens and in
        what each sub-layer says.
    activation : "relu", or "gelu" as in the paper.
    eps : what keeps a layer norm from a division by zero.
    """

    image: tuple[int, int] = (8, 8)
    patch: int = 2
    channels: int = 1
    classes: int = 10
    d_model: int = 64
    heads: int = 4
    d_ff: int = 128
    layers: int = 2
    positions: str = "learned"
    norm_first: bool = True
    dropout: float = 0.0
    activation: str = "relu"
    eps: float = 1e-5

    def __post_init__(self) -> None:
        """Refuse what no model can be made of.

        Raises
        ------
        ValueError
            If a size is below 1, the patch does not divide the image, heads do not
            divide d_model, positions or activation are of no known kind, 4 does not
            divide d_model where positions are sinusoidal, or dropout is not a
            probability below 1.
        TypeError
            If a size is no whole number, or ``image`` is one and not two.
        """
        settle(self, **height_and_width(image=self.image))
        sizes = "patch", "channels", "classes", "d_model", "heads", "d_ff", "layers"
        settle(self, **whole(1, **{name: getattr(self, name) for name in sizes}))
        grid(self.image, self.patch)
        heads_divide(self.d_model, self.heads)
        one_of("positions", self.positions, POSITIONS, who="the model knows")
        if self.positions == "sinusoidal":
            sinusoidal_2d(1, 1, self.d_model)  # which checks the width, at no cost
        one_of("activation", self.activation, ACTIVATIONS, who="the layers know")
        share_dropped(self.dropout)

    @property
    def grid(self) -> tuple[int, int]:
        """How many rows and columns of patches there are."""
        return grid(self.image, self.patch)


class VisionTransformer(nn.Module):
    r"""Read an image as a sentence of patches, and say of which class it is.

    .. math::
        z_0 &= [x_{class};\; x_p^1 E;\; \dots;\; x_p^N E] + E_{pos} \\
        y &= \mathrm{LN}(\mathrm{Encoder}(z_0)^0) \\
        p &= \mathrm{softmax}(W y + b)

    The class token is a learned vector that stands before the patches. It belongs to no
    part of the image: what it is in the end it has found by looking at the others. The
    encoder is chapter 7's, and knows nothing of images.

    Parameters
    ----------
    config : its sizes and kinds.
    feed_forward : as in :class:`qkv.transformer.Transformer`.

    Raises
    ------
    ValueError
        If the images have another size or number of channels than the config, or
        ``visible`` does not fit them.

    Notes
    -----
    Dosovitskiy et al. (2021), equations 1 to 4. Theirs has the activation "gelu" and,
    in pre-training, another layer before the classes.

    Examples
    --------
    >>> model = VisionTransformer(VisionConfig(image=(8, 12), patch=4))
    >>> images = torch.rand(5, 1, 8, 12)
    >>> model(images).shape
    torch.Size([5, 10])
    >>> trace = model.trace(images)
    >>> trace.encoder[-1].attention.attention.weights.shape
    torch.Size([5, 4, 7, 7])
    """

    def __init__(
        self,
        config: VisionConfig,
        *,
        feed_forward: Callable[[], nn.Module] | None = None,
    ):
        """Make the parts in the order of their use."""
        super().__init__()
        self.config = config
        self.patch_embedding = PatchEmbedding(
            config.channels, config.patch, config.d_model
        )
        self.class_token = nn.Parameter(torch.empty(config.d_model))
        self.positions = _positions(config)
        self.encoder = _encoder(config, feed_forward)
        self.head = nn.Linear(config.d_model, config.classes)
        nn.init.normal_(self.class_token, std=0.02)

    def forward(
        self,
        images: Float[Tensor, "*batch channel height width"],
        visible: Bool[Tensor, "*batch patch"] | None = None,
    ) -> Float[Tensor, "*batch classes"]:
        """Return the logits of the classes.

        Parameters
        ----------
        images : the pixels.
        visible : False for each patch that no token may attend to, as if it were not
            there. The class token is always visible.
        """
        of_size(images, self.config.channels, self.config.image)
        x = self._placed(self._with_class_token(self.patch_embedding(images)))
        if self.training and self.config.dropout:
            x = F.dropout(x, self.config.dropout)
        x = self.encoder.first(x, 1, mask=_mask(x, visible))
        return self.head(x.squeeze(-2))

    def trace(
        self,
        images: Float[Tensor, "*batch channel height width"],
        visible: Bool[Tensor, "*batch patch"] | None = None,
    ) -> VisionTrace:
        """Do what a call does, without dropout, and return every step."""
        of_size(images, self.config.channels, self.config.image)
        cut = patches(images, self.config.patch)
        embedded = self.patch_embedding.project(cut)
        tokens = self._with_class_token(embedded)
        positioned = self._placed(tokens)
        mask = _mask(positioned, visible)
        encoder, normalised = self.encoder.trace(positioned, mask=mask)
        logits = self.head(normalised[..., 0, :])
        return VisionTrace(
            patches=cut,
            embedded=embedded,
            tokens=tokens,
            positioned=positioned,
            encoder=encoder,
            normalised=normalised,
            logits=logits,
            probabilities=logits.softmax(-1),
        )

    def to_bytes(self) -> bytes:
        """Return what :func:`~qkv.vision.save` writes.

        Raises
        ------
        ValueError
            If a weight is NaN or too large for float16.
        """
        return serialised(self.state_dict(), KIND, {"config": asdict(self.config)})

    def _with_class_token(self, embedded: Tensor) -> Tensor:
        first = self.class_token.expand(*embedded.shape[:-2], 1, -1)
        return torch.cat([first, embedded], -2)

    def _placed(self, tokens: Tensor) -> Tensor:
        return tokens if self.positions is None else self.positions(tokens)


def _positions(config: VisionConfig) -> nn.Module | None:
    rows, columns = config.grid
    if config.positions == "sinusoidal":
        return Sinusoidal2d(rows, columns, config.d_model)
    if config.positions == "learned":
        learned = Learned(1 + rows * columns, config.d_model)
        # Small, so that the patches are heard next to them.
        nn.init.normal_(learned.table.weight, std=0.02)
        return learned
    return None


def _encoder(
    config: VisionConfig, feed_forward: Callable[[], nn.Module] | None
) -> Encoder:
    layers = [
        EncoderLayer(
            config.d_model,
            config.heads,
            config.d_ff,
            norm_first=config.norm_first,
            dropout=config.dropout,
            activation=config.activation,
            eps=config.eps,
            feed_forward=made(feed_forward),
        )
        for _ in range(config.layers)
    ]
    norm = LayerNorm(config.d_model, config.eps) if config.norm_first else None
    return Encoder(layers, norm)


def _mask(x: Tensor, visible: Tensor | None) -> Tensor | None:
    """Return what every token may attend to: the class token, and what is visible."""
    if visible is None:
        return None
    wanted = (*x.shape[:-2], x.shape[-2] - 1)
    boolean("visible", visible)
    if visible.shape != wanted:
        raise ValueError(
            f"visible has *batch patch = {tuple(visible.shape)}, but the images have "
            f"{wanted}; say of each patch of each image whether it may be seen"
        )
    return F.pad(visible, (1, 0), value=True).unsqueeze(-2)
