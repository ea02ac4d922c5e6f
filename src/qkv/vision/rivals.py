"""What else may stand in the place of self-attention: blocks of the same shape."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from qkv._checks import like_the_weights, one_of, whole, whole_batch
from qkv.vision.convolutional import convolution

POOLS = ("mean", "max")


class GlobalContext(nn.Module):
    r"""Tell every place what there is in the whole picture, as one vector.

    .. math:: c = \mathrm{pool}_j\, f(x_j), \qquad y_i = g([x_i; c])

    f and g are the same at every place. Plainly f is nothing at all, and g one linear
    map; with ``hidden`` each is a network of two layers.

    Parameters
    ----------
    channels : the numbers of a place, in and out.
    pool : "mean" or "max": what becomes of each number over all places.
    hidden : the width of f and g; none if not given.

    Raises
    ------
    ValueError
        If a size is below 1, or ``pool`` is of no known kind, or what is given has no
        batch axis.
    TypeError
        If a size is not whole, or what is given holds other numbers than the weights.

    Notes
    -----
    The mean that is told to every place is the idea of Hu et al. (2018).

    Examples
    --------
    >>> x = torch.rand(5, 6, 7, 4)
    >>> GlobalContext(6)(x).shape, GlobalContext(6, pool="max", hidden=11)(x).shape
    (torch.Size([5, 6, 7, 4]), torch.Size([5, 6, 7, 4]))
    >>> sum(p.numel() for p in GlobalContext(48, pool="max", hidden=96).parameters())
    32592
    """

    def __init__(self, channels: int, *, pool: str = "mean", hidden: int | None = None):
        """Make what comes before the pooling, and what comes after it."""
        super().__init__()
        one_of("pool", pool, POOLS, who="the block knows")
        self.pool = pool
        width = channels if hidden is None else hidden
        whole(1, channels=channels, hidden=width)
        self.before: nn.Module = nn.Identity()
        self.after: nn.Module = nn.Conv2d(2 * channels, channels, 1)
        if hidden is not None:
            self.before = _two_layers(channels, hidden, hidden)
            self.after = _two_layers(channels + hidden, hidden, channels)

    def forward(
        self, x: Float[Tensor, "batch channel row column"]
    ) -> Float[Tensor, "batch channel row column"]:
        """Pool over all places, and tell each of them."""
        _fitting(self, x)
        seen = self.before(x)
        if self.pool == "mean":
            context = seen.mean((-2, -1), keepdim=True)
        else:
            context = seen.amax((-2, -1), keepdim=True)
        context = context.expand(-1, -1, *x.shape[-2:])
        return self.after(torch.cat([x, context], 1))


class DilatedConvolutions(nn.Module):
    """See far with few weights: 3 × 3 convolutions whose nine places are apart.

    With dilations of 1, 2 and 3 a place sees 13 × 13 places: all of a grid of 7 × 7,
    wherever it stands. Batch norm and a ReLU follow each.

    Parameters
    ----------
    channels : the numbers of a place, in and out.
    dilations : how far apart the nine places are, for each convolution.

    Raises
    ------
    ValueError
        If a number is below 1, or what is given has no batch axis.
    TypeError
        If a number is not whole, or what is given holds other numbers than the weights.

    Notes
    -----
    Yu and Koltun (2016).

    Examples
    --------
    >>> DilatedConvolutions(6)(torch.rand(5, 6, 7, 4)).shape
    torch.Size([5, 6, 7, 4])
    >>> sum(p.numel() for p in DilatedConvolutions(48).parameters())
    62496
    """

    def __init__(self, channels: int, dilations: Sequence[int] = (1, 2, 3)):
        """Make the convolutions."""
        super().__init__()
        for dilation in dilations:
            whole(1, channels=channels, dilation=dilation)
        self.convolutions = nn.Sequential(
            *(
                module
                for dilation in dilations
                for module in convolution(channels, channels, dilation)
            )
        )

    def forward(
        self, x: Float[Tensor, "batch channel row column"]
    ) -> Float[Tensor, "batch channel row column"]:
        """Look at nine places each, then at nine farther apart."""
        _fitting(self, x)
        return self.convolutions(x)


def _fitting(block: nn.Module, x: Tensor) -> None:
    like_the_weights("x", x, next(block.parameters(), x))
    whole_batch("x", x, "batch channel row column")


def _two_layers(width: int, hidden: int, out: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(width, hidden, 1), nn.ReLU(), nn.Conv2d(hidden, out, 1)
    )
