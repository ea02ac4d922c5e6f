"""From an image to a grid of vectors: what a convolutional network sees, and where."""

from copy import deepcopy
from dataclasses import dataclass, replace
from math import prod

import torch
from jaxtyping import Float
from torch import Tensor, nn

from qkv._checks import (
    axes_at_least,
    height_and_width,
    pixels_like,
    settle,
    whole,
    whole_batch,
)
from qkv.layers import LayerNorm
from qkv.positions import Learned
from qkv.vision.convolutional import convolutions, three_widths, without_norms
from qkv.vision.cutting import of_size

HALVINGS = 2  # of both sides, after the first convolution and after the second


def places(
    features: Float[Tensor, "*batch channel row column"],
) -> Float[Tensor, "*batch place channel"]:
    r"""Lay out a grid as a sequence: one vector for each place, as one reads.

    .. math:: h_p = a_{:, i, j}, \qquad p = i \cdot \mathrm{columns} + j

    The channels of one place are made neighbours first: a view alone would mix places
    with channels, and no shape would tell.

    Raises
    ------
    ValueError
        If there are fewer than three axes.

    Examples
    --------
    Two channels, one row of three columns:

    >>> places(torch.tensor([[[1.0, 2.0, 3.0]], [[10.0, 20.0, 30.0]]]))
    tensor([[ 1., 10.],
            [ 2., 20.],
            [ 3., 30.]])
    """
    axes_at_least("features", features, "*batch channel row column")
    return features.flatten(-2).mT


@dataclass(frozen=True)
class GridConfig:
    """The sizes and kinds of a :class:`GridEncoder`.

    Parameters
    ----------
    image : height and width in pixels; 4 divides both.
    channels : 1 for grey, 3 for red, green and blue.
    widths : how many patterns each of the three convolutions looks for. The last is
        d_hidden: the width of a place's vector, and of the decoder's state.
    positions : add to each place a learned vector that says where it is.
    norm : have batch norm after each convolution; False where it is already folded
        into the convolution (:func:`folded`).
    """

    image: tuple[int, int] = (28, 28)
    channels: int = 3
    widths: tuple[int, int, int] = (8, 16, 64)
    positions: bool = True
    norm: bool = True

    def __post_init__(self) -> None:
        """Refuse what no encoder can be made of.

        Raises
        ------
        ValueError
            If a size is below 1, 4 does not divide the image, or there are not three
            widths.
        TypeError
            If a size is no whole number.
        """
        settle(self, **height_and_width(image=self.image))
        settle(self, **whole(1, channels=self.channels))
        settle(self, widths=three_widths(self.widths))
        if any(side % 2**HALVINGS for side in self.image):
            height, width = self.image
            raise ValueError(
                f"the image has height = {height} and width = {width}, but both are "
                f"halved {HALVINGS} times; cut or scale it to sides that 4 divides"
            )

    @property
    def grid(self) -> tuple[int, int]:
        """How many rows and columns of places there are."""
        height, width = self.image
        return height // 2**HALVINGS, width // 2**HALVINGS

    @property
    def d_hidden(self) -> int:
        """The width of a place's vector."""
        return self.widths[-1]


class ImageEncoder(nn.Module):
    """What a captioner asks of its encoder: a grid of vectors, and where to begin.

    A subclass has its ``grid``, rows and columns, its ``d_hidden``, ``features``,
    ``placed`` and ``begin``; a call does one after the other.
    """

    grid: tuple[int, int]
    d_hidden: int

    def forward(
        self, images: Float[Tensor, "batch channel height width"]
    ) -> tuple[Float[Tensor, "batch place d_hidden"], Float[Tensor, "batch d_hidden"]]:
        """Return the vector of each place, and the state to begin writing with."""
        grid = self.placed(self.features(images))
        return grid, self.begin(grid)

    def features(
        self, images: Float[Tensor, "batch channel height width"]
    ) -> Float[Tensor, "batch d_hidden row column"]:
        """Return what is seen in each place."""
        raise NotImplementedError

    def placed(
        self, features: Float[Tensor, "batch d_hidden row column"]
    ) -> Float[Tensor, "batch place d_hidden"]:
        """Return what there is to look at: the places as a sequence."""
        return places(features)

    def begin(
        self, grid: Float[Tensor, "batch place d_hidden"]
    ) -> Float[Tensor, "batch d_hidden"]:
        """Return the state to begin with."""
        raise NotImplementedError


class GridEncoder(ImageEncoder):
    r"""See an image as a grid of vectors, and begin with the mean of them.

    .. math:: h_{ij} = a_{ij} + P_{ij}, \qquad
              s_0 = \tanh\!\Big(W \tfrac{1}{N} \sum_{ij} h_{ij} + b\Big)

    a is what three 3 × 3 convolutions see, each with batch norm and ReLU; the first two
    are followed by the largest of each 2 × 2. It is a :class:`ConvolutionalNetwork`
    without its end: no average is taken over the places, and none is lost. P has a
    learned vector for each place.

    Returned are h, "batch place d_hidden", the places row by row (:func:`places`), and
    s₀, "batch d_hidden": what :class:`qkv.recurrent.AttentionDecoder` asks of an
    encoder.

    Raises
    ------
    ValueError
        If the images have another size or number of channels than the config, or no
        batch axis.
    TypeError
        If pixels are of another kind of numbers than the weights.

    Notes
    -----
    Xu et al. (2015), section 3.1.1 for the grid, 3.1.2 for the first state from the
    mean; their grid is from a network that was trained before, on other images.

    Examples
    --------
    >>> encoder = GridEncoder(GridConfig(image=(12, 20), widths=(4, 8, 16)))
    >>> grid, first = encoder(torch.rand(5, 3, 12, 20))
    >>> grid.shape, first.shape
    (torch.Size([5, 15, 16]), torch.Size([5, 16]))
    >>> encoder.features(torch.rand(5, 3, 12, 20)).shape
    torch.Size([5, 16, 3, 5])
    """

    def __init__(self, config: GridConfig = GridConfig()):
        """Make the convolutions, the positions, and the layer of the first state."""
        super().__init__()
        self.config = config
        self.grid, self.d_hidden = config.grid, config.d_hidden
        self.convolutions = convolutions(
            config.channels, config.widths, norm=config.norm
        )
        self.positions = _positions(config)
        self.first = nn.Linear(config.d_hidden, config.d_hidden)

    def features(
        self, images: Float[Tensor, "batch channel height width"]
    ) -> Float[Tensor, "batch d_hidden row column"]:
        """Return what the convolutions see in each place."""
        pixels_like(images, self.first.weight)
        of_size(images, self.config.channels, self.config.image)
        whole_batch("images", images, "batch channel height width")
        return self.convolutions(images)

    def placed(
        self, features: Float[Tensor, "batch d_hidden row column"]
    ) -> Float[Tensor, "batch place d_hidden"]:
        """Lay the grid out, and add to each vector where it is."""
        seen = places(features)
        return seen if self.positions is None else self.positions(seen)

    def begin(
        self, grid: Float[Tensor, "batch place d_hidden"]
    ) -> Float[Tensor, "batch d_hidden"]:
        """Return the state to begin with, from the mean of the grid."""
        return torch.tanh(self.first(grid.mean(-2)))


class OneVector(ImageEncoder):
    r"""See an image as one vector: chapter 1's context, in the place of a grid.

    .. math:: c = \mathrm{LN}(W [h_{11}; h_{12}; \dots] + b), \qquad s_0 = c

    All places are read, none is averaged away, and what they say has to fit into one
    vector. A decoder is handed a grid of this one place: its attention gives it a
    weight of 1 at each step. So the decoder is the same, and what differs is what there
    is to look at.

    Parameters
    ----------
    encoder : the grid whose places are put into the vector.
    d_hidden : the width of the vector; the encoder's if not given.

    Raises
    ------
    ValueError, TypeError
        If ``d_hidden`` is below 1, or not whole; as the encoder, if images don't fit.

    Notes
    -----
    Vinyals et al. (2015) write from one vector. The layer norm keeps it at a scale that
    a decoder can begin with, at any rate of learning.

    Examples
    --------
    >>> encoder = OneVector(GridEncoder(GridConfig(image=(12, 20), widths=(4, 8, 16))))
    >>> grid, first = encoder(torch.rand(5, 3, 12, 20))
    >>> grid.shape, torch.equal(grid[:, 0], first)
    (torch.Size([5, 1, 16]), True)
    """

    def __init__(self, encoder: GridEncoder, d_hidden: int | None = None):
        """Keep the grid; make the layer that reads it whole, and its norm."""
        super().__init__()
        self.encoder = encoder
        width = encoder.d_hidden if d_hidden is None else d_hidden
        self.grid, self.d_hidden = (1, 1), whole(1, d_hidden=width)["d_hidden"]
        self.whole = nn.Linear(prod(encoder.grid) * encoder.d_hidden, self.d_hidden)
        self.norm = LayerNorm(self.d_hidden)

    def features(
        self, images: Float[Tensor, "batch channel height width"]
    ) -> Float[Tensor, "batch d_hidden 1 1"]:
        """Return the vector, as a grid of one place."""
        seen = self.encoder.placed(self.encoder.features(images)).flatten(1)
        vector = self.norm(self.whole(seen).unsqueeze(1))
        return vector.mT.unsqueeze(-1)

    def begin(
        self, grid: Float[Tensor, "batch 1 d_hidden"]
    ) -> Float[Tensor, "batch d_hidden"]:
        """Return the vector, which is the state to begin with."""
        return grid.squeeze(1)


def folded(encoder: GridEncoder) -> GridEncoder:
    """Return an encoder that does the same in evaluation mode, without batch norm.

    The norms are folded into the convolutions
    (:func:`~qkv.vision.convolutional.without_norms`). It is in evaluation mode, and its
    config says that it has no norm. One without is copied.

    Raises
    ------
    TypeError
        If it is no :class:`GridEncoder`.

    Examples
    --------
    >>> encoder = GridEncoder(GridConfig(image=(12, 20), widths=(4, 8, 16))).eval()
    >>> images, same = torch.rand(5, 3, 12, 20), folded(encoder)
    >>> torch.allclose(same(images)[0], encoder(images)[0], atol=1e-6)
    True
    >>> [name for name, _ in same.convolutions.named_parameters()][:2]
    ['0.weight', '0.bias']
    """
    if not isinstance(encoder, GridEncoder):
        raise TypeError(
            f"the encoder is of type {type(encoder).__name__}, but what is folded is a "
            "GridEncoder; of a captioner give its encoder"
        )
    same = deepcopy(encoder).eval()
    same.config = replace(encoder.config, norm=False)
    same.convolutions = without_norms(encoder.convolutions)
    return same


def _positions(config: GridConfig) -> Learned | None:
    if not config.positions:
        return None
    learned = Learned(prod(config.grid), config.d_hidden)
    # Small, so that what is seen is heard next to where it is.
    nn.init.normal_(learned.table.weight, std=0.02)
    return learned
