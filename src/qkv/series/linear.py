"""Linear forecasts: ridge regression, and DLinear."""

from math import inf

import torch
from jaxtyping import Float
from torch import Tensor, nn

from qkv._checks import (
    axes_at_least,
    like_the_weights,
    same_dtype,
    whole,
    whole_batch,
)


@torch.no_grad()
def ridge(
    past: Float[Tensor, "window length"],
    future: Float[Tensor, "window horizon"],
    penalty: float = 1.0,
) -> nn.Linear:
    r"""Return the linear layer with the least squared error and not too large weights.

    .. math:: W, b = \arg\min \sum_i \|x_i W + b - y_i\|^2 + \lambda \|W\|^2, \qquad
              W = (\tilde X^\top \tilde X + \lambda I)^{-1} \tilde X^\top \tilde Y,
              \qquad b = \bar y - \bar x W

    where :math:`\tilde X` is X less its mean. It is solved at once, in float64; there
    is nothing to train, and no gradient.

    Parameters
    ----------
    past : X, a window each row.
    future : Y, what came after it.
    penalty : λ, at least 0; chosen on windows that were not fitted. It belongs to the
        units of the series: where all is twice as large, λ is to be four times as much.

    Raises
    ------
    ValueError
        If they are not windows, or not one future for each past; if one has NaN or an
        infinity; if ``penalty`` is negative or infinite, or too small where there is
        more than one best answer.
    TypeError
        If they are no tensors of one kind of floating-point numbers.

    Notes
    -----
    Hoerl and Kennard (1970), equation 2.1; the intercept b is not penalised. The same
    as scikit-learn's ``Ridge(alpha=penalty)``.

    Examples
    --------
    >>> past = torch.tensor([[0.0, 1.0], [1.0, 2.0], [2.0, 4.0], [4.0, 3.0]])
    >>> future = 2 * past[:, 1:] - past[:, :1] + 5
    >>> model = ridge(past, future, penalty=0.0)
    >>> model.weight, model.bias
    (Parameter containing:
    tensor([[-1.,  2.]]), Parameter containing:
    tensor([5.]))
    """
    same_dtype(past=past, future=future)
    whole_batch("past", past, "window length")
    whole_batch("future", future, "window horizon")
    if len(past) != len(future):
        raise ValueError(
            f"past has window = {len(past)}, but future has window = {len(future)}; "
            "give one future for each past"
        )
    _finite(past=past, future=future)
    if not 0 <= penalty < inf:
        raise ValueError(f"penalty is {penalty}, but it must be finite, 0 or more")
    x, y = past.double(), future.double()
    x_mean, y_mean = x.mean(0), y.mean(0)
    # what is left of a value that follows from others: it was rounded when it was held
    rounded = len(x) * (torch.finfo(past.dtype).eps * x.abs().max()).square()
    x, y = x - x_mean, y - y_mean
    weight = _solved(x.mT @ x, x.mT @ y, penalty, 0.0 if penalty else rounded.item())
    return _layer(weight.mT.to(past), (y_mean - x_mean @ weight).to(past))


def _finite(**windows: Tensor) -> None:
    for name, x in windows.items():
        wrong = (~x.isfinite()).nonzero()
        if len(wrong):
            place = wrong[0].tolist()
            raise ValueError(
                f"{name} has {x[tuple(place)].item()} at {place}, but a sum of squares "
                "needs numbers; fill the gap, or leave these windows out"
            )


def _solved(square: Tensor, mixed: Tensor, penalty: float, rounded: float) -> Tensor:
    square = square + penalty * torch.eye(len(square)).to(square)
    factor, failed = torch.linalg.cholesky_ex(square)
    own = factor.diagonal().square()  # of each value, what those before it do not tell
    least = len(own) * torch.finfo(own.dtype).eps * square.diagonal().max() + rounded
    if failed or own.min() <= least:
        enough = 1e-6 * square.diagonal().max().item() or 1e-6
        raise ValueError(
            f"penalty is {penalty}, but some of the {len(square)} values of a window "
            "follow from the others, so that many weights are equally good; give a "
            f"small penalty, such as {enough:.0e}"
        )
    return torch.cholesky_solve(mixed, factor)


def _layer(weight: Tensor, bias: Tensor) -> nn.Linear:
    horizon, length = weight.shape
    layer = nn.Linear(length, horizon).to(weight).requires_grad_(False)
    layer.weight.copy_(weight)
    layer.bias.copy_(bias)
    return layer


def moving_mean(
    x: Float[Tensor, "*batch length"], kernel: int
) -> Float[Tensor, "*batch length"]:
    r"""Return the mean of the ``kernel`` values around each, within the window.

    .. math:: \bar x_t = \frac{1}{k} \sum_{|s - t| \le (k-1)/2} x_s

    The first and the last value stand for those that would lie outside the window: a
    look beyond its end would be a look into the future.

    Parameters
    ----------
    x : windows.
    kernel : k, odd, so that as many come before as after.

    Raises
    ------
    ValueError
        If ``kernel`` is even or below 1, or a window is empty.
    TypeError
        If ``x`` is no tensor, or one of whole numbers.

    Notes
    -----
    Zeng et al. (2023), section 4, after Wu et al. (2021), equation 1.

    Examples
    --------
    >>> moving_mean(torch.tensor([0.0, 3.0, 6.0, 0.0]), 3)
    tensor([1., 3., 3., 2.])
    """
    whole(1, kernel=kernel)
    same_dtype(x=x)
    axes_at_least("x", x, "*batch length")
    if not x.shape[-1]:
        raise ValueError("x has length = 0, but a mean is of one value at least")
    if kernel % 2 == 0:
        raise ValueError(
            f"kernel is {kernel}, but an even number has no middle; take {kernel + 1}"
        )
    sides = [kernel // 2]
    first, last = x[..., :1], x[..., -1:]
    padded = torch.cat(
        [
            first.expand(*first.shape[:-1], *sides),
            x,
            last.expand(*last.shape[:-1], *sides),
        ],
        -1,
    )
    return padded.unfold(-1, kernel, 1).mean(-1)


class DLinear(nn.Module):
    r"""Two linear layers over the window: one for its moving mean, one for the rest.

    .. math:: \hat y = \bar x W_{trend} + b_{trend} + (x - \bar x) W_{rest} + b_{rest}

    It is linear as a whole, so that it can do nothing that :func:`ridge` could not; it
    is trained, and begins elsewhere.

    Parameters
    ----------
    length : how many values a window has.
    horizon : how many are forecast.
    kernel : over how many the mean is taken, an odd number.

    Raises
    ------
    ValueError
        If a window has another length, a size is below 1, or ``kernel`` is even.
    TypeError
        If windows are no tensor, or of another kind of numbers than the weights.

    Notes
    -----
    Zeng et al. (2023), section 4; 25 is their kernel.

    Examples
    --------
    >>> model = DLinear(length=24, horizon=5)
    >>> model(torch.ones(3, 24)).shape
    torch.Size([3, 5])
    """

    def __init__(self, length: int, horizon: int, *, kernel: int = 25):
        """Make the two layers."""
        super().__init__()
        sizes = whole(1, length=length, horizon=horizon, kernel=kernel)
        length, horizon, kernel = sizes.values()
        moving_mean(torch.zeros(1), kernel)  # which refuses an even one
        self.length, self.kernel = length, kernel
        self.trend = nn.Linear(length, horizon)
        self.rest = nn.Linear(length, horizon)

    def forward(
        self, past: Float[Tensor, "*batch length"]
    ) -> Float[Tensor, "*batch horizon"]:
        """Part the window in two, and forecast each."""
        fitting("DLinear", self.length, past, self.trend.weight)
        mean = moving_mean(past, self.kernel)
        return self.trend(mean) + self.rest(past - mean)


def fitting(model: str, length: int, past: Tensor, weight: Tensor) -> None:
    """Refuse windows of another length, or another kind of numbers, than the model's.

    Raises
    ------
    ValueError
        If they have another length.
    TypeError
        If they are no tensor, or hold other numbers than the weights.
    """
    like_the_weights("past", past, weight)
    given = past.shape[-1] if past.ndim else 1
    if given != length:
        raise ValueError(
            f"{model} has length = {length}, but past has length = {given}; cut "
            f"windows of {length}, or make a model of their length"
        )
