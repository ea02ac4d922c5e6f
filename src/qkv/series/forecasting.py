"""A forecast of a series of one's own, and what it is worth beside the naive one."""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor, nn

from qkv._checks import whole
from qkv.data.series.kinds import Series
from qkv.series.linear import ridge
from qkv.series.windowing import naive, seasonal_naive, windows

PENALTIES = (0.01, 0.1, 1.0, 10.0, 100.0, 1000.0)


@dataclass(frozen=True, eq=False)
class Forecast:
    """The next steps, as each way forecasts them, and how far each was off before.

    ``ahead`` has the forecasts by the name of the way, ``errors`` the mean squared
    error of each on the test, over all steps of the horizon: "naive" is always there.

    Examples
    --------
    >>> from qkv.data import co2
    >>> forecast(co2(), horizon=26, length=104, season=52)
    Forecast(26 steps of CO2 (ppm); mean squared error on the last 572 steps:
    naive 10.5, seasonal naive 3.05 (0.29 of naive), ridge 0.327 (0.03 of naive))
    """

    name: str
    tested: int
    ahead: dict[str, Float[Tensor, " horizon"]]
    errors: dict[str, float]

    def __repr__(self) -> str:
        """Say each error, and its share of the naive one's."""
        horizon, base = len(self.ahead["naive"]), self.errors["naive"]
        said = [f"naive {base:.3g}"]
        for way, error in self.errors.items():
            if way != "naive":
                share = f" ({error / base:.2f} of naive)" if base else ""
                said.append(f"{way} {error:.3g}{share}")
        return (
            f"Forecast({horizon} steps of {self.name}; mean squared error on the last "
            f"{self.tested:,} steps: {', '.join(said)})"
        )


def forecast(
    series: Series, horizon: int, *, length: int, season: int | None = None
) -> Forecast:
    """Forecast a series by ridge regression, with its naive baseline beside it.

    The penalty is chosen on the part to validate on, the errors are those of the test,
    whose windows neither was fitted to. All windows are less their last value, so that
    a level that moves away does no harm.

    Parameters
    ----------
    series : of a file of one's own (:func:`qkv.data.read_series`), or any other.
    horizon : how many steps to forecast.
    length : how many values are read.
    season : how many steps a season has; then the seasonal naive forecast is there too.

    Raises
    ------
    ValueError
        If a part of the series is too short for one window and its future, or a
        window shorter than a season.
    TypeError
        If ``series`` is no :class:`qkv.data.Series`.

    Examples
    --------
    >>> from qkv.data import RandomWalk
    >>> made = forecast(RandomWalk(0), horizon=1, length=24)
    >>> list(made.ahead), round(made.errors["ridge"] / made.errors["naive"], 1)
    (['naive', 'ridge'], 1.0)
    """
    whole(1, horizon=horizon, length=length)
    if not isinstance(series, Series):
        raise TypeError(
            f"series is of type {type(series).__name__}, but a forecast needs parts to "
            'train, to validate and to test on; give Series(series, "its name")'
        )
    parts = {
        part: _cut(part, values, length, horizon)
        for part, values in _parts(series, length).items()
    }
    ways = {"naive": lambda past: naive(past, horizon)}
    if season is not None:
        ways["seasonal naive"] = lambda past: seasonal_naive(past, horizon, season)
    model = _chosen(*parts["train"], *parts["validate"])
    ways["ridge"] = lambda past: model(past - past[..., -1:]) + past[..., -1:]
    past, future = parts["test"]
    return Forecast(
        name=series.name,
        tested=len(series.test),
        ahead={name: way(series.values[-length:]) for name, way in ways.items()},
        errors={name: _error(way(past), future) for name, way in ways.items()},
    )


def _parts(series: Series, length: int) -> dict[str, Tensor]:
    """Return the parts; the pasts of the later two may begin in the one before."""
    trained, validated = len(series.train), series.test_start
    return {
        "train": series.train,
        "validate": series.values[max(0, trained - length) : validated],
        "test": series.values[max(0, validated - length) :],
    }


def _cut(part: str, values: Tensor, length: int, horizon: int) -> tuple[Tensor, Tensor]:
    try:
        return windows(values, length, horizon)
    except ValueError as error:
        raise ValueError(f"the part to {part} is too short: {error}") from None


def _chosen(past: Tensor, future: Tensor, later: Tensor, after: Tensor) -> nn.Linear:
    """Return the ridge regression whose penalty is best on what came later."""
    unit = (past - past[:, -1:]).double().square().mean().item() or 1.0
    models = [
        ridge(past - past[:, -1:], future - past[:, -1:], penalty * unit)
        for penalty in PENALTIES
    ]
    asked, wanted = later - later[:, -1:], after - later[:, -1:]
    return min(models, key=lambda model: _error(model(asked), wanted))


def _error(given: Tensor, wanted: Tensor) -> float:
    return (given - wanted).double().square().mean().item()
