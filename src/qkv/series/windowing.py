"""Windows of a series with what came after them, and forecasts that learn nothing."""

from jaxtyping import Float
from torch import Tensor

from qkv._checks import axes_at_least, whole


def windows(
    series: Float[Tensor, "*batch time"], length: int, horizon: int, *, stride: int = 1
) -> tuple[
    Float[Tensor, "*batch window length"], Float[Tensor, "*batch window horizon"]
]:
    r"""Cut a series into pasts of ``length`` values and the ``horizon`` values after.

    .. math:: \text{past}_i = (y_{is}, \dots, y_{is + L - 1}), \qquad
              \text{future}_i = (y_{is + L}, \dots, y_{is + L + H - 1})

    Both are copies: who scales one window changes no other.

    Parameters
    ----------
    series : the values, the oldest first.
    length : L, how many values are read.
    horizon : H, how many are to be forecast.
    stride : s, how far each window begins after the one before.

    Raises
    ------
    ValueError
        If the series is shorter than one window and its future, or a number is below 1.
    TypeError
        If ``series`` is no tensor.

    Examples
    --------
    >>> import torch
    >>> past, future = windows(torch.arange(6.0), length=3, horizon=2)
    >>> past
    tensor([[0., 1., 2.],
            [1., 2., 3.]])
    >>> future
    tensor([[3., 4.],
            [4., 5.]])
    """
    whole(1, length=length, horizon=horizon, stride=stride)
    axes_at_least("series", series, "*batch time")
    if series.ndim < 1 or series.shape[-1] < length + horizon:
        time = series.shape[-1] if series.ndim else 1
        raise ValueError(
            f"the series has time = {time}, but a window of length = {length} and "
            f"horizon = {horizon} needs {length + horizon}; give a longer series, or "
            "read and forecast less"
        )
    both = series.unfold(-1, length + horizon, stride)
    return both[..., :length].clone(), both[..., length:].clone()


def naive(
    past: Float[Tensor, "*batch length"], horizon: int
) -> Float[Tensor, "*batch horizon"]:
    r"""Forecast that everything stays as it is: repeat the last value.

    .. math:: \hat y_{t+h} = y_t

    Raises
    ------
    ValueError
        If ``horizon`` is below 1, or the past is empty.
    TypeError
        If ``past`` is no tensor.

    Notes
    -----
    For a random walk nothing is better. Hyndman and Athanasopoulos (2021), section 5.2.

    Examples
    --------
    >>> import torch
    >>> naive(torch.tensor([3.0, 1.0, 2.0]), 4)
    tensor([2., 2., 2., 2.])
    """
    return seasonal_naive(past, horizon, season=1)


def seasonal_naive(
    past: Float[Tensor, "*batch length"], horizon: int, season: int
) -> Float[Tensor, "*batch horizon"]:
    r"""Forecast that everything is as it was a season ago: repeat the last season.

    .. math:: \hat y_{t+h} = y_{t - m + 1 + ((h - 1) \bmod m)}

    Parameters
    ----------
    past : the values until now.
    horizon : how many to forecast; more than a season go through it again.
    season : m, how many steps a season has.

    Raises
    ------
    ValueError
        If the past is shorter than a season, or a number is below 1.
    TypeError
        If ``past`` is no tensor.

    Notes
    -----
    Hyndman and Athanasopoulos (2021), section 5.2.

    Examples
    --------
    >>> import torch
    >>> seasonal_naive(torch.tensor([9.0, 1.0, 2.0, 3.0]), horizon=5, season=3)
    tensor([1., 2., 3., 1., 2.])
    """
    whole(1, horizon=horizon, season=season)
    axes_at_least("past", past, "*batch length")
    if not past.ndim or past.shape[-1] < season:
        raise ValueError(
            f"past has length = {past.shape[-1] if past.ndim else 1}, but a season has "
            f"{season} steps; read a whole season, or more"
        )
    last = past[..., past.shape[-1] - season :]
    times = -(-horizon // season)
    return last.repeat(*[1] * (past.ndim - 1), times)[..., :horizon]
