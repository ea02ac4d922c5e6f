"""A handwritten digit somewhere among pieces of others, and where it is."""

from collections.abc import Iterator

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from qkv._checks import whole
from qkv.data.kinds import Images
from qkv.data.pictures.digits import DIGIT, Digits, square
from qkv.data.streams import about, endless

__all__ = ["FindTheDigit"]


class FindTheDigit:
    """A handwritten digit somewhere among pieces of others.

    The digit is one of :class:`Digits`, and so are those that the pieces are cut from;
    all are held out together. The digit lies on top, its square whole; of two pieces
    that overlap, the stronger pixel shows.

    Parameters
    ----------
    size : height and width of an image.
    pieces : how many pieces there are.
    piece : height and width of each.
    step : the digit's row and column are multiples of it.

    Raises
    ------
    ValueError
        If a digit does not fit, or a piece is none of a digit.

    Examples
    --------
    >>> task = FindTheDigit()
    >>> asked = task.sample(5, seed=0)
    >>> asked
    Images(5 of 1 × 24 × 24, places known)
    >>> task.covers(asked.places, patch=4).shape
    torch.Size([5, 36])
    """

    def __init__(
        self, size: int = 24, *, pieces: int = 12, piece: int = 4, step: int = 4
    ) -> None:
        whole(0, size=size, piece=piece)
        if size < DIGIT:
            raise ValueError(f"size is {size}, but a digit is {DIGIT} pixels high")
        whole(0, pieces=pieces)
        whole(1, step=step)
        if not 1 <= piece <= DIGIT:
            raise ValueError(f"piece is {piece}, but runs from 1 to a digit's {DIGIT}")
        self.size, self.pieces, self.piece, self.step = size, pieces, piece, step
        self.digits = Digits()
        self.names = self.digits.names

    def sample(self, count: int, *, seed: int, held_out: bool = False) -> Images:
        """Return ``count`` images, the same for the same seed.

        With ``held_out`` they are made of held-out digits alone, else of the others.

        Raises
        ------
        ValueError
            If ``count`` is below 1.
        """
        whole(1, count=count)
        digits = self.digits.held_out if held_out else self.digits.train
        return self._draw(count, digits, torch.Generator().manual_seed(seed))

    def batches(self, *, batch_size: int = 64, seed: int) -> Iterator[Images]:
        """Return an endless stream of fresh images, the same for the same seed.

        Raises
        ------
        ValueError
            If ``batch_size`` is below 1.
        """
        whole(1, batch_size=batch_size)
        return endless(
            lambda generator: self._draw(batch_size, self.digits.train, generator),
            seed=seed,
        )

    def covers(
        self, places: Int[Tensor, "image 2"], patch: int
    ) -> Bool[Tensor, "image patch"]:
        """Return which patches the square of the digit touches.

        Patches are counted along the rows, from the top left. The mean of the result
        is the chance that a patch chosen blindly is one of them.

        Raises
        ------
        ValueError
            If ``patch`` does not divide the size.
        """
        if patch < 1 or self.size % patch:
            raise ValueError(
                f"patches of {patch} pixels do not divide an image of {self.size}"
            )
        start = torch.arange(0, self.size, patch)
        first = places[:, :, None]
        touched = (start < first + DIGIT) & (first < start + patch)
        rows, columns = touched.unbind(1)
        return (rows[:, :, None] & columns[:, None, :]).flatten(1)

    def _draw(self, count: int, digits: Images, generator: torch.Generator) -> Images:
        def numbers(below: int, *shape: int) -> Tensor:
            return torch.randint(below, shape, generator=generator)

        chosen = numbers(len(digits), count)
        places = self.step * numbers((self.size - DIGIT) // self.step + 1, count, 2)
        others = numbers(len(digits), count, self.pieces)
        corners = numbers(DIGIT - self.piece + 1, count, self.pieces, 2)
        strewn = numbers(self.size - self.piece + 1, count, self.pieces, 2)

        flat = digits.pixels.flatten(1)
        cut = flat[others].gather(2, square(corners, self.piece, DIGIT))
        at = square(strewn, self.piece, self.size).flatten(1)
        canvas = torch.zeros(count, self.size**2)
        canvas.scatter_reduce_(1, at, cut.flatten(1), "amax")
        at = square(places, DIGIT, self.size)
        canvas.scatter_(1, at, flat[chosen])
        pixels = canvas.view(count, 1, self.size, self.size)
        return Images(pixels, digits.labels[chosen], places)

    def __repr__(self) -> str:
        """Say what is asked, and of what."""
        return (
            f"{about(self)}; {self.size} × {self.size} pixels, "
            f"{self.pieces} pieces of {self.piece} × {self.piece}"
        )
