"""From an image to a sentence: patches, what becomes of them, and where they stand."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from qkv._checks import a_tensor, axes_at_least, pixels_like, whole
from qkv.positions import sinusoidal


def patches(
    images: Float[Tensor, "*batch channel height width"], patch: int
) -> Float[Tensor, "*batch patch pixel"]:
    r"""Cut images into squares, and lay each out as one row of pixels.

    .. math:: x \in \mathbb{R}^{C \times H \times W} \;\to\;
              x_p \in \mathbb{R}^{N \times P^2 C}, \qquad N = \frac{H W}{P^2}

    The patches come as one reads: the uppermost row of them from left to right, then
    the next. Within a patch the channel comes first, then the row, then the column,
    as in the weight of a convolution.

    Parameters
    ----------
    images : the pixels.
    patch : P, the side of a square.

    Raises
    ------
    ValueError
        If ``patch`` does not divide both sides of the image.

    Notes
    -----
    Dosovitskiy et al. (2021), section 3.1.

    Examples
    --------
    >>> image = torch.arange(16.0).view(1, 4, 4)
    >>> image
    tensor([[[ 0.,  1.,  2.,  3.],
             [ 4.,  5.,  6.,  7.],
             [ 8.,  9., 10., 11.],
             [12., 13., 14., 15.]]])
    >>> patches(image, 2)
    tensor([[ 0.,  1.,  4.,  5.],
            [ 2.,  3.,  6.,  7.],
            [ 8.,  9., 12., 13.],
            [10., 11., 14., 15.]])
    """
    axes_at_least("images", images, "*batch channel height width")
    height, width = images.shape[-2:]
    rows, columns = grid((height, width), patch)
    cut = images.unflatten(-1, (columns, patch)).unflatten(-3, (rows, patch))
    # channel row y column x -> row column channel y x
    return cut.movedim((-4, -2), (-5, -4)).flatten(-3).flatten(-3, -2)


def grid(image: tuple[int, int], patch: int) -> tuple[int, int]:
    """Return how many rows and columns of patches an image has.

    Raises
    ------
    ValueError
        If ``patch`` does not divide both sides.

    Examples
    --------
    >>> grid((24, 32), 4)
    (6, 8)
    >>> grid((24, 30), 4)
    Traceback (most recent call last):
        ...
    ValueError: patch = 4 does not divide the image of height = 24 and width = 30;
    cut or scale it to 24 by 28, or choose another patch
    """
    height, width = image
    whole(1, patch=patch)
    if height % patch or width % patch:
        near = [max(patch, side // patch * patch) for side in (height, width)]
        raise ValueError(
            f"patch = {patch} does not divide the image of height = {height} and "
            f"width = {width}; cut or scale it to {near[0]} by {near[1]}, or choose "
            "another patch"
        )
    return height // patch, width // patch


def of_size(images: Tensor, channels: int, size: tuple[int, int]) -> None:
    """Refuse images of another size, or number of channels, than a model was made for.

    Raises
    ------
    ValueError
        If they are of another.
    TypeError
        If ``images`` is no tensor.

    Examples
    --------
    >>> of_size(torch.zeros(5, 3, 32, 32), 3, (28, 28))
    Traceback (most recent call last):
        ...
    ValueError: the model has channel = 3, height = 28 and width = 28, but the images
    have channel = 3, height = 32 and width = 32; scale them, or make a model of their
    size
    """
    a_tensor("images", images)
    wanted = (channels, *size)
    if images.shape[-3:] == wanted:
        return
    advice = "scale them, or make a model of their size"
    if images.shape[-2:] == size and channels == 1:
        advice = "one channel has an axis, too: images.unsqueeze(-3)"
    raise ValueError(
        f"the model has {_in_axis_words(wanted)}, but the images have "
        f"{_in_axis_words(images.shape)}; {advice}"
    )


def _in_axis_words(shape: Sequence[int]) -> str:
    if len(shape) < 3:
        return f"shape {tuple(shape)}"
    channel, height, width = shape[-3:]
    return f"channel = {channel}, height = {height} and width = {width}"


class PatchEmbedding(nn.Module):
    r"""Make a token of each patch: cut, then project, the same way for all.

    .. math:: x_p^i E + b, \qquad E \in \mathbb{R}^{P^2 C \times d_{\mathrm{model}}}

    The same is a convolution with a kernel of P × P that takes steps of P. ``proj``
    holds the parameters as a convolution does; :meth:`forward` reads them as a matrix,
    for on a CPU one product is two to three times as fast.

    Raises
    ------
    ValueError
        If the images have another number of channels, or ``patch`` does not divide
        them.
    TypeError
        If pixels are of another kind of numbers than the weights.

    Notes
    -----
    Dosovitskiy et al. (2021), equation 1.

    Examples
    --------
    >>> embedding = PatchEmbedding(channels=3, patch=4, d_model=16)
    >>> images = torch.rand(5, 3, 8, 12)
    >>> tokens = embedding(images)
    >>> tokens.shape
    torch.Size([5, 6, 16])
    >>> convolved = embedding.proj(images).flatten(-2).mT
    >>> torch.allclose(tokens, convolved, atol=1e-6)
    True
    """

    def __init__(self, channels: int, patch: int, d_model: int):
        """Make the projection."""
        super().__init__()
        whole(1, channels=channels, patch=patch, d_model=d_model)
        self.patch = patch
        self.proj = nn.Conv2d(channels, d_model, patch, stride=patch)

    def forward(
        self, images: Float[Tensor, "*batch channel height width"]
    ) -> Float[Tensor, "*batch patch d_model"]:
        """Cut and project."""
        axes_at_least("images", images, "*batch channel height width")
        if images.shape[-3] != self.proj.in_channels:
            raise ValueError(
                f"the patch embedding has channel = {self.proj.in_channels}, but the "
                f"images have channel = {images.shape[-3]}; the two must agree"
            )
        return self.project(patches(images, self.patch))

    def project(
        self, patches: Float[Tensor, "*batch patch pixel"]
    ) -> Float[Tensor, "*batch patch d_model"]:
        """Make a token of each patch that is already cut."""
        pixels_like(patches, self.proj.weight)
        return F.linear(patches, self.proj.weight.flatten(1), self.proj.bias)


def sinusoidal_2d(
    rows: int, columns: int, d_model: int
) -> Float[Tensor, "patch d_model"]:
    r"""Return a vector for each place: half of it for the row, half for the column.

    .. math:: PE_{(r, c)} = [PE_r; PE_c]

    Both halves are :func:`qkv.positions.sinusoidal`; the places come row by row, as
    :func:`patches` cuts them.

    Raises
    ------
    ValueError
        If 4 does not divide ``d_model``, or a size is negative.

    Notes
    -----
    Dosovitskiy et al. (2021), appendix D.4, compare learned positions for a row and a
    column, half the width each, with one for each place; the sinusoids are those of
    Vaswani et al. (2017), section 3.5.

    Examples
    --------
    >>> sinusoidal_2d(2, 2, 4)
    tensor([[0.0000, 1.0000, 0.0000, 1.0000],
            [0.0000, 1.0000, 0.8415, 0.5403],
            [0.8415, 0.5403, 0.0000, 1.0000],
            [0.8415, 0.5403, 0.8415, 0.5403]])
    """
    if d_model < 4 or d_model % 4:
        raise ValueError(
            f"d_model must be divisible by 4, half of it for the row and half for the "
            f"column, each an even number, not {d_model}"
        )
    row = sinusoidal(rows, d_model // 2).repeat_interleave(columns, 0)
    column = sinusoidal(columns, d_model // 2).repeat(rows, 1)
    return torch.cat([row, column], -1)


class Sinusoidal2d(nn.Module):
    """Add :func:`sinusoidal_2d` to the patches, and nothing to the class token.

    Examples
    --------
    >>> Sinusoidal2d(1, 2, 4)(torch.zeros(3, 4))
    tensor([[0.0000, 0.0000, 0.0000, 0.0000],
            [0.0000, 1.0000, 0.0000, 1.0000],
            [0.0000, 1.0000, 0.8415, 0.5403]])
    """

    def __init__(self, rows: int, columns: int, d_model: int):
        """Make the table; hold no parameters."""
        super().__init__()
        table = F.pad(sinusoidal_2d(rows, columns, d_model), (0, 0, 1, 0))
        self.register_buffer("table", table, persistent=False)

    def forward(
        self, x: Float[Tensor, "*batch token d_model"]
    ) -> Float[Tensor, "*batch token d_model"]:
        """Add its place to each token but the first."""
        return x + self.table
