"""A series, split in time; windows as batches, judged by their squared error."""

from collections.abc import Iterator
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from qkv._checks import a_tensor, two_whole, whole
from qkv.data.streams import passes

__all__ = ["OfNumbers", "Series", "Windows"]

TRAIN, VALIDATION = 0.6, 0.15  # of a real series; what is left, the last, is the test


class OfNumbers:
    """What is :class:`~qkv.data.Asked` where each answer is a number: a base class."""

    def loss(
        self, output: Float[Tensor, "*batch"], target: Float[Tensor, "*batch"]
    ) -> Float[Tensor, ""]:
        r"""Return the mean squared error over all numbers of the target.

        .. math:: L = \frac{1}{N} \sum_n (\hat y_n - y_n)^2

        Raises
        ------
        ValueError
            If the two have different shapes: PyTorch would broadcast one of them, and
            the loss would be of numbers that do not belong together.
        """
        if output.shape != target.shape:
            raise ValueError(
                f"the forecast has shape {tuple(output.shape)}, but the target "
                f"{tuple(target.shape)}; give one number for each"
            )
        return (output - target).square().mean()


@dataclass(frozen=True, eq=False)
class Windows(OfNumbers):
    """Windows of a series, and what came after each: what to forecast from what.

    Raises
    ------
    ValueError
        If there is not one future for each past, or no window at all, or one of the two
        has other axes than those of windows.

    Examples
    --------
    >>> import torch
    >>> past, future = torch.arange(15.0).view(5, 3), torch.ones(5, 2)
    >>> windows = Windows(past, future)
    >>> windows
    Windows(5 of 3 numbers, 2 to forecast)
    >>> [len(batch) for batch, _ in zip(windows.batches(batch_size=4, seed=0), "abc")]
    [4, 1, 4]
    """

    past: Float[Tensor, "window length"]
    future: Float[Tensor, "window horizon"]

    def __post_init__(self) -> None:
        """Check that there are as many futures as pasts."""
        for name, x in (("past", self.past), ("future", self.future)):
            a_tensor(name, x, "numbers")
            if x.ndim != 2:
                raise ValueError(
                    f"{name} has shape {tuple(x.shape)}, but its axes are a window and "
                    f"its values; one alone is {name}.unsqueeze(0), one value of each "
                    f"{name}.unsqueeze(-1)"
                )
        if len(self.past) != len(self.future) or not len(self.past):
            raise ValueError(
                f"past has window = {len(self.past)} and future has window = "
                f"{len(self.future)}; give one future for each past, and one at least"
            )

    @property
    def inputs(self) -> tuple[Float[Tensor, "window length"]]:
        """What a model is called with."""
        return (self.past,)

    @property
    def target(self) -> Float[Tensor, "window horizon"]:
        """What it is to forecast."""
        return self.future

    def batches(self, *, batch_size: int, seed: int) -> Iterator["Windows"]:
        """Return an endless stream of batches, pass after pass in a new order.

        The order of the windows in training is free; which of them are trained on is
        decided by time, before.

        Raises
        ------
        ValueError
            If ``batch_size`` is below 1.
        """
        whole(1, batch_size=batch_size)
        chosen = passes(len(self), batch_size=batch_size, seed=seed)
        return (Windows(self.past[rows], self.future[rows]) for rows in chosen)

    def __len__(self) -> int:
        """How many windows there are."""
        return len(self.past)

    def __repr__(self) -> str:
        """Say how many windows there are, and of what size."""
        length, horizon = self.past.shape[-1], self.future.shape[-1]
        return f"Windows({len(self)} of {length} numbers, {horizon} to forecast)"


@dataclass(frozen=True, eq=False)
class Series:
    """Numbers in the order of time, and where training ends, and the test begins.

    Parameters
    ----------
    values : the numbers, one a step.
    name : what they are, with their unit.
    dates : when, one text a step, where it is known.
    parts : how many steps are there to train on, and to validate on, the first of
        all; the rest is the test. If not given, 60 % and 15 %.

    Raises
    ------
    ValueError
        If there are fewer than three numbers, so that a part would be empty, or more
        axes than that of time; if one is no finite number, if there is not one date for
        each, or the parts leave no test.
    TypeError
        If the numbers are no tensor, or whole ones, or a part is no whole number.

    Examples
    --------
    >>> import torch
    >>> series = Series(torch.arange(20.0), "steps")
    >>> series
    Series(steps: 20 steps, 12 to train on, 3 to validate, 5 to test)
    >>> series.test
    tensor([15., 16., 17., 18., 19.])
    """

    values: Float[Tensor, " time"]
    name: str = "a series"
    dates: tuple[str, ...] = ()
    parts: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        """Check the numbers, and settle the parts."""
        a_tensor("values", self.values, "numbers")
        if not self.values.is_floating_point():
            raise TypeError(
                f"values holds {self.values.dtype}, but forecasts have fractions; give "
                "values.float()"
            )
        if self.values.ndim != 1:
            raise ValueError(
                f"values has shape {tuple(self.values.shape)}, but a series has the "
                "axis of time alone; make one of each column, values[:, 0]"
            )
        count = len(self.values)
        wrong = (~self.values.isfinite()).nonzero()
        if len(wrong):
            raise ValueError(
                f"values[{wrong[0].item()}] is {self.values[wrong[0]].item()}, but a "
                "forecast needs a number at every step; fill the gap, or cut the "
                "series there"
            )
        if self.dates and len(self.dates) != count:
            raise ValueError(
                f"there are {len(self.dates)} dates for {count} numbers; give one for "
                "each, or none"
            )
        if self.parts is None:
            shares = max(1, int(TRAIN * count)), max(1, int(VALIDATION * count))
            object.__setattr__(self, "parts", shares)
        else:
            given = two_whole("parts", self.parts, "(to train, to validate)")
            object.__setattr__(self, "parts", given)
        if min(self._sizes) < 1:
            raise ValueError(
                f"{count} numbers in parts of {self._sizes[:2]} leave {self._sizes[2]} "
                "to test; each part needs one at least"
            )

    @property
    def _sizes(self) -> tuple[int, int, int]:
        assert self.parts is not None  # settled when it was made
        train, validation = self.parts
        return train, validation, len(self.values) - train - validation

    @property
    def test_start(self) -> int:
        """The step at which the test begins."""
        return sum(self._sizes[:2])

    @property
    def train(self) -> Float[Tensor, " time"]:
        """The first part, the only one that anything is fitted to."""
        return self.values[: self._sizes[0]]

    @property
    def validation(self) -> Float[Tensor, " time"]:
        """The second part, on which settings are chosen."""
        return self.values[self._sizes[0] : self.test_start]

    @property
    def test(self) -> Float[Tensor, " time"]:
        """The last part, which is looked at once."""
        return self.values[self.test_start :]

    def __len__(self) -> int:
        """How many steps there are."""
        return len(self.values)

    def __repr__(self) -> str:
        """Say what it is, and how long its parts are."""
        train, validation, test = (f"{size:,}" for size in self._sizes)
        return (
            f"{type(self).__name__}({self.name}: {len(self):,} steps, {train} to train "
            f"on, {validation} to validate, {test} to test)"
        )
