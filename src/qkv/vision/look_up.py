"""A convolutional network that looks up: trunk, self-attention, an answer by cell."""

from copy import deepcopy
from dataclasses import asdict, dataclass, replace

from jaxtyping import Float
from torch import Tensor, nn

from qkv._checks import like_the_weights, pixels_like, settle, whole, whole_batch
from qkv.trace import step
from qkv.transformer.checkpoint import serialised
from qkv.vision.convolutional import convolutions, three_widths, without_norms
from qkv.vision.self_attention import SelfAttention2d, SelfAttention2dTrace

LOOK_UP = "qkv.vision.LookUpNetwork, 1"  # the one name in a checkpoint's metadata


class Trunk(nn.Module):
    """See what is where: three 3 × 3 convolutions, a pooling after the first two.

    Batch norm and a ReLU follow each convolution. A picture of 28 × 28 becomes a grid
    of 7 × 7 places, and a place sees 18 × 18 pixels.

    Parameters
    ----------
    channels : 3 for red, green and blue.
    widths : how many patterns each convolution looks for.
    norm : have batch norm; False where it is already folded into the convolutions.

    Raises
    ------
    ValueError
        If there are not three widths, or a size is below 1, or images have no batch
        axis, or are smaller than 4 × 4.
    TypeError
        If a size is not whole, or pixels are of another kind than the weights.

    Examples
    --------
    >>> import torch
    >>> Trunk()(torch.rand(5, 3, 28, 28)).shape
    torch.Size([5, 48, 7, 7])
    """

    def __init__(
        self,
        channels: int = 3,
        widths: tuple[int, int, int] = (12, 24, 48),
        *,
        norm: bool = True,
    ):
        """Make the convolutions."""
        super().__init__()
        whole(1, channels=channels)
        self.convolutions = convolutions(channels, three_widths(widths), norm=norm)

    def forward(
        self, images: Float[Tensor, "batch channel height width"]
    ) -> Float[Tensor, "batch d_hidden row column"]:
        """Return the grid."""
        pixels_like(images, next(self.convolutions.parameters()))
        whole_batch("images", images, "batch channel height width")
        height, width = images.shape[-2:]
        if min(height, width) < 4:
            raise ValueError(
                f"the images have height = {height} and width = {width}; the trunk "
                "halves both twice, so that each must be at least 4"
            )
        return self.convolutions(images)


class CellHead(nn.Module):
    """Answer at every cell of a grid, from what stands there alone.

    Parameters
    ----------
    channels : the numbers of a cell.
    classes : how many answers there are.
    hidden : the width of a layer before the last one; none if not given.

    Raises
    ------
    ValueError
        If a size is below 1.
    TypeError
        If a size is not whole, or a grid holds other numbers than the weights.

    Examples
    --------
    >>> import torch
    >>> CellHead(6, classes=4, hidden=11)(torch.rand(5, 6, 7, 3)).shape
    torch.Size([5, 7, 3, 4])
    """

    def __init__(self, channels: int, classes: int, *, hidden: int | None = None):
        """Make one or two 1 × 1 convolutions."""
        super().__init__()
        width = channels if hidden is None else hidden
        whole(1, channels=channels, classes=classes, hidden=width)
        first = () if hidden is None else (nn.Conv2d(channels, width, 1), nn.ReLU())
        self.layers = nn.Sequential(*first, nn.Conv2d(width, classes, 1))

    def forward(
        self, grid: Float[Tensor, "batch channel row column"]
    ) -> Float[Tensor, "batch row column classes"]:
        """Return the logits of each cell."""
        like_the_weights("grid", grid, next(self.parameters()))
        return self.layers(grid).movedim(-3, -1)


@dataclass(frozen=True)
class LookUpConfig:
    """The sizes of a :class:`LookUpNetwork`.

    Parameters
    ----------
    channels : 3 for red, green and blue.
    widths : how many patterns each convolution of the trunk looks for.
    d_k : the width of queries, keys and values.
    hidden : the width of the head's first layer.
    classes : how many answers there are.
    norm : have batch norm; False where it is already folded into the convolutions.
    """

    channels: int = 3
    widths: tuple[int, int, int] = (12, 24, 48)
    d_k: int = 48
    hidden: int = 48
    classes: int = 4
    norm: bool = True

    def __post_init__(self) -> None:
        """Refuse what no network can be made of.

        Raises
        ------
        ValueError
            If a size is below 1, or there are not three widths.
        TypeError
            If a size is no whole number.
        """
        settle(self, widths=three_widths(self.widths))
        sizes = "channels", "d_k", "hidden", "classes"
        settle(self, **whole(1, **{name: getattr(self, name) for name in sizes}))


@dataclass(frozen=True, eq=False)
class LookUpTrace:
    """A convolutional network that looks up, from its grid to the answers."""

    grid: Float[Tensor, "batch channel row column"] = step(
        "See what is in each place", formula=r"x_i", reads=("images",)
    )
    block: SelfAttention2dTrace = step(
        "Let each place look at all places", reads=("grid",)
    )
    logits: Float[Tensor, "batch row column classes"] = step(
        "Score every answer at each place",
        formula=r"s_i = W_2\, \mathrm{ReLU}(W_1 y_i)",
        reads=("block",),
    )
    probabilities: Float[Tensor, "batch row column classes"] = step(
        "Say how likely each answer is",
        formula=r"\mathrm{softmax}(s_i)",
        reads=("logits",),
    )


class LookUpNetwork(nn.Module):
    """Answer at every cell of a picture, also what stands far away from it.

    A :class:`Trunk`, a :class:`SelfAttention2d` and a :class:`CellHead`, one after the
    other.

    Parameters
    ----------
    config : its sizes.

    Examples
    --------
    >>> import torch
    >>> model = LookUpNetwork()
    >>> images = torch.rand(5, 3, 28, 28)
    >>> model(images).shape, model.trace(images).block.looks.shape
    (torch.Size([5, 7, 7, 4]), torch.Size([5, 7, 7, 7, 7]))
    """

    def __init__(self, config: LookUpConfig = LookUpConfig()):
        """Make the parts in the order of their use."""
        super().__init__()
        self.config = config
        width = config.widths[-1]
        self.trunk = Trunk(config.channels, config.widths, norm=config.norm)
        self.block = SelfAttention2d(width, config.d_k, config.d_k)
        self.head = CellHead(width, config.classes, hidden=config.hidden)

    def forward(
        self, images: Float[Tensor, "batch channel height width"]
    ) -> Float[Tensor, "batch row column classes"]:
        """Return the logits of each cell."""
        return self.head(self.block(self.trunk(images)))

    def trace(self, images: Float[Tensor, "batch channel height width"]) -> LookUpTrace:
        """Return the steps of :meth:`forward`, one by one."""
        grid = self.trunk(images)
        block = self.block.trace(grid)
        logits = self.head(block.output)
        return LookUpTrace(
            grid=grid,
            block=block,
            logits=logits,
            probabilities=logits.softmax(-1),
        )

    def to_bytes(self) -> bytes:
        """Return what :func:`~qkv.vision.save` writes: batch norm is folded.

        Raises
        ------
        ValueError
            If a weight is NaN or too large for float16.
        """
        same = folded(self)
        return serialised(same.state_dict(), LOOK_UP, {"config": asdict(same.config)})


def folded(model: LookUpNetwork) -> LookUpNetwork:
    """Return a network that does the same in evaluation mode, without batch norm."""
    same = deepcopy(model).eval()
    same.config = replace(model.config, norm=False)
    same.trunk.convolutions = without_norms(model.trunk.convolutions)
    return same
