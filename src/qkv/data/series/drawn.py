"""Series that are drawn, so that the best possible forecast is known."""

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor

from qkv._checks import whole, whole_batch
from qkv.data.series.kinds import Series

__all__ = ["RandomWalk", "Seasons", "psi_weights"]

PARTS = 2600, 400
STEPS = 8000
WARM_UP = 200  # steps after which an AR(2) has forgotten that it began with 0


def psi_weights(phi: Sequence[float], horizon: int) -> Float[Tensor, " horizon"]:
    r"""Return how much a surprise still counts j steps later, for j = 0 to h − 1.

    .. math:: a_t = \sum_i \varphi_i a_{t-i} + \varepsilon_t
              = \sum_{j \ge 0} \psi_j \varepsilon_{t-j}, \qquad
              \psi_0 = 1, \quad \psi_j = \sum_{i=1}^{\min(p, j)} \varphi_i \psi_{j-i}

    Parameters
    ----------
    phi : φ₁ to φ_p, how much of each of the last p values is in the next one.
    horizon : h, how many are wanted.

    Raises
    ------
    ValueError
        If ``horizon`` is below 1.

    Notes
    -----
    Box and Jenkins (1976), section 4.2. What comes h steps after now is a sum of what
    is known by now and of h surprises that are not, ψ₀ε(t+h) to ψ(h−1)ε(t+1): the best
    forecast of h steps has the mean squared error σ²(ψ₀² + … + ψ(h−1)²).

    Examples
    --------
    >>> psi_weights([0.5], 4)
    tensor([1.0000, 0.5000, 0.2500, 0.1250])
    >>> psi_weights([1.2, -0.4], 3)
    tensor([1.0000, 1.2000, 1.0400])
    """
    whole(1, horizon=horizon)
    psi = [1.0]
    for j in range(1, horizon):
        psi.append(sum(f * psi[j - i] for i, f in enumerate(phi, start=1) if i <= j))
    return torch.tensor(psi)


class Seasons(Series):
    r"""Two seasons and an AR(2): the best forecast is linear, and its error is known.

    .. math:: y_t = 3 \sin\left(\frac{2\pi t}{24} + \alpha\right)
              + 1.5 \sin\left(\frac{2\pi t}{7} + \beta\right) + a_t, \qquad
              a_t = 1.2\,a_{t-1} - 0.4\,a_{t-2} + \varepsilon_t, \qquad
              \varepsilon_t \sim \mathcal{N}(0, \sigma^2)

    The phases α and β are drawn with the series.

    Parameters
    ----------
    seed : decides the whole series.
    sigma : σ, how large the surprises are.

    Raises
    ------
    ValueError
        If ``sigma`` is not positive.

    Examples
    --------
    >>> seasons = Seasons(0)
    >>> seasons
    Seasons(two seasons and an AR(2): 8,000 steps, 2,600 to train on, 400 to validate,
    5,000 to test)
    >>> seasons.floor(12)[[0, 1, -1]]
    tensor([1.0000, 2.4400, 4.4870])
    """

    sigma: float
    phases: tuple[float, float]
    periods = 24, 7
    sizes = 3.0, 1.5
    phi = 1.2, -0.4

    def __init__(self, seed: int, *, sigma: float = 1.0) -> None:
        """Draw the phases, then the surprises."""
        _positive(sigma)
        generator = torch.Generator().manual_seed(seed)
        phases = 2 * torch.pi * torch.rand(2, generator=generator, dtype=torch.float64)
        noise = _normal(WARM_UP + STEPS, sigma, generator)
        object.__setattr__(self, "sigma", float(sigma))
        object.__setattr__(self, "phases", tuple(phases.tolist()))
        rest = _autoregression(noise, self.phi)[WARM_UP:]
        values = (self.seasonal(torch.arange(STEPS)) + rest).float()
        super().__init__(values, "two seasons and an AR(2)", parts=PARTS)

    def seasonal(self, times: Int[Tensor, "*batch"]) -> Float[Tensor, "*batch"]:
        """Return the two sines at these times: the part that is known for ever."""
        size, period, phase = torch.tensor(
            [self.sizes, self.periods, self.phases], dtype=torch.float64
        )
        turns = 2 * torch.pi * times.double().unsqueeze(-1) / period
        return (size * torch.sin(turns + phase)).sum(-1)

    def floor(self, horizon: int) -> Float[Tensor, " horizon"]:
        r"""Return the least possible mean squared error, 1 to ``horizon`` steps ahead.

        .. math:: \mathrm{floor}(h) = \sigma^2 \sum_{j=0}^{h-1} \psi_j^2

        It is the oracle's on endlessly many windows; on some of them it may be a
        little more or less.
        """
        return self.sigma**2 * psi_weights(self.phi, horizon).square().cumsum(0)

    def oracle(
        self,
        past: Float[Tensor, "window length"],
        horizon: int,
        *,
        start: int | Int[Tensor, " window"] | None = None,
    ) -> Float[Tensor, "window horizon"]:
        """Forecast as who knows the seasons and φ: nobody can do better on average.

        Parameters
        ----------
        past : windows of this series, not scaled; the last two values are read.
        horizon : how many steps to forecast.
        start : the time of each window's first value; one number where they begin
            one step after another. If not given, they are those of the test.

        Raises
        ------
        ValueError
            If the windows are not what the series has there, or are shorter than 2, or
        there is not one start for each.

        Examples
        --------
        >>> seasons = Seasons(0)
        >>> both = seasons.test.unfold(0, 84, 1)
        >>> off = seasons.oracle(both[:, :72], 12) - both[:, 72:]
        >>> [f"{error.mean():.1f}" for error in (off.square(), seasons.floor(12))]
        ['4.1', '3.9']
        """
        whole(1, horizon=horizon)
        last = self._ends(past, self.test_start if start is None else start)
        times = last.unsqueeze(-1) + torch.arange(-1, horizon + 1)
        season = self.seasonal(times)
        known = past[:, -2:].double() - season[:, :2]
        ahead = [known[:, 0], known[:, 1]]
        for _ in range(horizon):
            ahead.append(self.phi[0] * ahead[-1] + self.phi[1] * ahead[-2])
        return (season[:, 2:] + torch.stack(ahead[2:], -1)).to(past.dtype)

    def _ends(self, past: Tensor, start: int | Tensor) -> Tensor:
        """Return the time of each window's last value, where it is this series'."""
        whole_batch("past", past, "window length")
        windows, length = past.shape
        if isinstance(start, int) or not start.ndim:
            start = int(start) + torch.arange(windows)
        if start.shape != (windows,):
            raise ValueError(
                f"start has shape {tuple(start.shape)}, but past has window = "
                f"{windows}; give one start for each, or that of the first"
            )
        last = start + length - 1
        inside = length >= 2 and start.min() >= 0 and last.max() < len(self)
        read = last.unsqueeze(-1) + torch.tensor([-1, 0])  # what the oracle reads
        if not inside or not torch.equal(past[:, -2:], self.values[read]):
            raise ValueError(
                f"the oracle was given {windows} windows of {length} numbers that are "
                f"said to begin at {start[0].item()}, but the series has others "
                "there; give windows of this series, not scaled, of 2 or more, and "
                "the start of the first"
            )
        return last


class RandomWalk(Series):
    r"""A random walk: the last value is the best forecast there is.

    .. math:: y_t = y_{t-1} + \varepsilon_t, \qquad
              \varepsilon_t \sim \mathcal{N}(0, \sigma^2)

    Parameters
    ----------
    seed : decides the whole series.
    sigma : σ, how large the steps are.

    Raises
    ------
    ValueError
        If ``sigma`` is not positive.

    Notes
    -----
    Every weight ψ is 1: a surprise stays for ever. So the floor rises in a straight
    line, h σ², and the naive forecast has exactly this error.

    Examples
    --------
    >>> walk = RandomWalk(0)
    >>> walk
    RandomWalk(a random walk: 4,000 steps, 2,600 to train on, 400 to validate, 1,000 to
    test)
    >>> walk.floor(3)
    tensor([1., 2., 3.])
    """

    sigma: float

    def __init__(self, seed: int, *, sigma: float = 1.0) -> None:
        """Draw the steps, and add them up."""
        _positive(sigma)
        object.__setattr__(self, "sigma", float(sigma))
        steps = _normal(4000, sigma, torch.Generator().manual_seed(seed))
        super().__init__(steps.cumsum(0).float(), "a random walk", parts=PARTS)

    def floor(self, horizon: int) -> Float[Tensor, " horizon"]:
        """Return the least mean squared error that is possible, for each step."""
        return self.sigma**2 * psi_weights([1.0], horizon).square().cumsum(0)

    def oracle(
        self,
        past: Float[Tensor, "window length"],
        horizon: int,
        *,
        start: int | Int[Tensor, " window"] | None = None,
    ) -> Float[Tensor, "window horizon"]:
        """Repeat the last value: nobody can do better on average.

        Parameters
        ----------
        past : windows of the walk.
        horizon : how many steps to forecast.
        start : as for :class:`Seasons`; a walk is the same at any time, and needs none.

        Examples
        --------
        >>> RandomWalk(0).oracle(torch.tensor([[3.0, 5.0], [2.0, 1.0]]), 3)
        tensor([[5., 5., 5.],
                [1., 1., 1.]])
        """
        whole(1, horizon=horizon)
        whole_batch("past", past, "window length")
        return past[:, -1:].expand(-1, horizon)


def _positive(sigma: float) -> None:
    if not sigma > 0:
        raise ValueError(
            f"sigma must be positive, not {sigma}: without surprises there is nothing "
            "to forecast"
        )


def _normal(count: int, sigma: float, generator: torch.Generator) -> Tensor:
    return sigma * torch.randn(count, generator=generator, dtype=torch.float64)


def _autoregression(noise: Tensor, phi: Sequence[float]) -> Tensor:
    """Return the series that these surprises make, which begins with zeros before."""
    values = [0.0] * len(phi)
    for surprise in noise.tolist():
        values.append(
            sum(f * values[-i] for i, f in enumerate(phi, start=1)) + surprise
        )
    return torch.tensor(values[len(phi) :], dtype=torch.float64)
