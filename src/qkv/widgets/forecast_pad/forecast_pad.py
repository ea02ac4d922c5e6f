"""A series, four forecasters one step ahead, and three leaks that flatter them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any, NamedTuple

import torch
import traitlets
from jaxtyping import Float, Int
from torch import Tensor

from qkv._checks import a_tensor, one_of, whole
from qkv.series import lookup, naive, ridge, seasonal_naive, windows
from qkv.widgets.shared.base import Widget, module
from qkv.widgets.shared.encode import rounded
from qkv.widgets.shared.html import page

__all__ = ["ForecastPad"]

FORECASTERS = ("naive", "seasonal naive", "ridge", "look-up")
LEAKS = ("smoothed", "shifted", "shuffled")
LEAST, MOST = 40, 600
"""The fewest and the most values of a series."""

LENGTH, SEASON = 8, 12
"""How many values a window has, and a season, where nothing else is said."""

MOST_LENGTH, MOST_SEASON = 32, 60
ALONE = "the series"
"""What one without a name is called."""

_REACH = 2  # values on either side of a centred mean
_PENALTY = 0.01  # of the ridge, in variances of the training values
_DIGITS = 7  # of a value


class ForecastPad(Widget):
    r"""Forecast a series four ways, and let three leaks flatter the forecasts.

    .. math:: \mathrm{MSE} = \frac{1}{T} \sum_t (\hat y_t - y_t)^2

    The naive forecast, the seasonal naive one, ridge regression and a look-up among the
    windows of the past forecast each value of the last third from the window before it.
    A reader sees what each reads at a place, moves or draws the points of the series,
    chooses length, season and bandwidth, and switches three leaks on: then errors fall
    below the floor, where no honest forecast can be. All is computed in the page.

    Parameters
    ----------
    series : numbers, one a step, of which the last are shown; a :class:`qkv.data.Series`
        or :class:`qkv.data.Played`, of which the first series is shown; or several of
        them by name.
    length : how many values a window has, 1 to 32.
    season : how many steps a season has, 1 to 60; that of the series if not given, or
        12 where it has none.
    bandwidth : h of the look-up; if not given, what is best on the training part.
    floor : the least mean squared error that is possible, or the best forecast of each
        value shown; what the series says of itself if not given.
    forecaster : the one whose forecasts are drawn at first.
    leaks : which are on at first: "smoothed", "shifted", "shuffled".
    last : how many values are shown, 40 to 600.

    Raises
    ------
    ValueError
        If a series is too short, has a value that is no number, or more axes than that
        of time; if a setting is out of range; or if there is not one best forecast for
        each value.
    TypeError
        If a series is no tensor.

    Notes
    -----
    ``length``, ``season``, ``bandwidth`` and ``floor`` may be given by the name of a
    series, ``season={"CO₂": 13}``. The forecasts are those of :mod:`qkv.series`; the
    penalty of the ridge is .01 of the training values' variance. In JupyterLab the
    traits follow the reader: ``pad.drawn``, ``pad.place``, ``pad.leaks``.

    Examples
    --------
    >>> t = torch.arange(120.0)
    >>> ForecastPad((t / 2).sin() + (t / 5).cos(), length=4, bandwidth=0.3)
    Forecasts of the series, 120 values, one step ahead from windows of 4: the mean squared error over 36 test windows is naive 0.152, seasonal naive 1.64, ridge 0.00123, look-up 0.0387; the floor is unknown.
    """  # noqa: E501

    _esm = module("forecast_pad")
    samples = traitlets.List().tag(sync=True)
    chosen = traitlets.Int(0).tag(sync=True)
    drawn = traitlets.List().tag(sync=True)
    forecaster = traitlets.Unicode("look-up").tag(sync=True)
    length = traitlets.Int(LENGTH).tag(sync=True)
    season = traitlets.Int(SEASON).tag(sync=True)
    bandwidth = traitlets.Float(1.0).tag(sync=True)
    leaks = traitlets.List().tag(sync=True)
    place = traitlets.Int(0).tag(sync=True)

    def __init__(
        self,
        series: Any,
        *,
        length: int | Mapping[str, int] | None = None,
        season: int | Mapping[str, int] | None = None,
        bandwidth: float | Mapping[str, float] | None = None,
        floor: float | Tensor | Mapping[str, float | Tensor] | None = None,
        forecaster: str = "look-up",
        leaks: Sequence[str] = (),
        last: int = 300,
    ):
        if not LEAST <= whole(1, last=last)["last"] <= MOST:
            raise ValueError(f"last is {last}, but the pad shows {LEAST} to {MOST}")
        several = series if isinstance(series, Mapping) else {_name(series): series}
        if not several:
            raise ValueError("there is no series; give one, or several by name")
        given: dict[str, Any] = {"length": length, "season": season}
        given |= {"bandwidth": bandwidth, "floor": floor}
        _known_names(given, several)
        samples = [
            _sample(name, one, last, {k: _of(v, name) for k, v in given.items()})
            for name, one in several.items()
        ]
        first = samples[0]
        super().__init__(
            samples=samples,
            place=len(first["values"]) - 1,
            forecaster=forecaster,
            leaks=list(leaks),
            **{key: first[key] for key in ("length", "season", "bandwidth")},
        )
        self._say()

    @traitlets.validate("forecaster", "leaks")
    def _known(self, proposal: Any) -> Any:
        name, value = proposal["trait"].name, proposal["value"]
        known = FORECASTERS if name == "forecaster" else LEAKS
        for each in [value] if name == "forecaster" else value:
            one_of(name, each, known, who="a ForecastPad has")
        return value

    @traitlets.validate("length", "season", "bandwidth")
    def _in_range(self, proposal: Any) -> Any:
        count = len(self.samples[self.chosen]["values"])
        return _settled(proposal["trait"].name, proposal["value"], count)

    @traitlets.validate("chosen")
    def _there(self, proposal: Any) -> int:
        if not 0 <= proposal["value"] < len(self.samples):
            raise ValueError(
                f"chosen is {proposal['value']}, but the pad has {len(self.samples)} "
                "series, the first is 0"
            )
        return proposal["value"]

    @traitlets.validate("drawn")
    def _drawable(self, proposal: Any) -> list[float]:
        count = len(self.samples[self.chosen]["values"])
        drawn = torch.as_tensor(proposal["value"], dtype=torch.float64)
        if len(drawn) not in (0, count) or not drawn.isfinite().all():
            raise ValueError(
                f"drawn has {len(drawn)} values, but is to have {count} finite ones, "
                "as the series has, or none"
            )
        return drawn.tolist()

    @traitlets.validate("place")
    def _shown(self, proposal: Any) -> int:
        count = len(self.samples[self.chosen]["values"])
        if not 0 <= proposal["value"] < count:
            raise ValueError(
                f"place is {proposal['value']}, but the series has {count} values, the "
                "first is 0"
            )
        return proposal["value"]

    @traitlets.observe("chosen")
    def _take(self, change: Any) -> None:
        """Show another series as it opens, and nothing that was drawn on the last."""
        sample = self.samples[self.chosen]
        with self.hold_trait_notifications():
            self.drawn, self.place = [], len(sample["values"]) - 1
            for setting in ("length", "season", "bandwidth"):
                setattr(self, setting, sample[setting])
        self._say()

    @traitlets.observe("drawn", "length", "season", "bandwidth", "leaks")
    def _say(self, change: Any = None) -> None:
        """Say what the errors are now."""
        made = self._forecasts(self.leaks)
        errors = ", ".join(f"{name} {_short(mse)}" for name, mse in made.errors.items())
        what = self.samples[self.chosen]["name"] + (", changed" if self.drawn else "")
        leaks = f" with leaks ({', '.join(self.leaks)})" if self.leaks else ""
        floor = self._floor(made)
        self.alt = (
            f"Forecasts of {what}, {len(made.values)} values, one step ahead from "
            f"windows of {self.length}: the mean squared error over {len(made.tests)} "
            f"test windows{leaks} is {errors}; the floor is "
            f"{'unknown' if floor is None else _short(floor)}."
        )

    def _forecasts(self, leaks: Sequence[str]) -> "Forecasts":
        values = self.drawn or self.samples[self.chosen]["values"]
        return forecasts(
            torch.tensor(values, dtype=torch.float64),
            length=self.length,
            season=self.season,
            bandwidth=self.bandwidth,
            leaks=leaks,
        )

    def _floor(self, made: "Forecasts") -> float | None:
        sample = self.samples[self.chosen]
        if self.drawn or not sample["best"]:
            return None if self.drawn else sample["floor"]
        best = torch.tensor(sample["best"], dtype=torch.float64)
        return _mse(best[made.tests], made.values[made.tests])

    def fallback(self) -> str:
        """Return the errors as a table, without the leaks and with each of them."""
        columns = {
            "without a leak": [],
            **{f"leak: {leak}": [leak] for leak in LEAKS},
        }
        made = [self._forecasts(leaks) for leaks in columns.values()]
        rows = {n: [_short(m.errors[n]) for m in made] for n in FORECASTERS}
        floors = [self._floor(m) for m in made]
        rows["floor"] = ["unknown" if f is None else _short(f) for f in floors]
        heads = "".join(f'<th scope="col">{name}</th>' for name in columns)
        body = "".join(
            f'<tr><th scope="row">{name}</th>{"".join(map("<td>{}</td>".format, row))}'
            "</tr>"
            for name, row in rows.items()
        )
        table = f"<thead><tr><td></td>{heads}</tr></thead><tbody>{body}</tbody>"
        return page(self.alt, f"<table>{table}</table>")


def _short(mse: float) -> str:
    if not isfinite(mse):
        return "–"
    return f"{mse:.3g}" if mse >= 1e-4 or mse == 0 else "<0.0001"


def _mse(given: Tensor, wanted: Tensor) -> float:
    return (given - wanted).square().mean().item()


# What a reader gives, as the front end takes it.


def _sample(name: str, series: Any, last: int, given: dict[str, Any]) -> dict[str, Any]:
    """Return a series as the front end has it, with the settings it opens with."""
    known = _Known.of(series, last)
    values = _numbers(name, known.values)
    count = len(values)
    length = _settled("length", _or(given["length"], min(LENGTH, count // 4)), count)
    season = min(_or(known.season, SEASON), count // 4)
    season = _settled("season", _or(given["season"], season), count)
    floor, best = _floor_of(_or(given["floor"], known.floor), count)
    bandwidth = _or(given["bandwidth"], _fitting(values, length, season))
    return {
        "name": name,
        "values": [rounded(v, _DIGITS) for v in values.tolist()],
        "length": length,
        "season": season,
        "bandwidth": _settled("bandwidth", bandwidth, count),
        "floor": floor,
        "best": None if best is None else [rounded(v, _DIGITS) for v in best.tolist()],
    }


def _name(series: Any) -> str:
    return ALONE if isinstance(series, Tensor) else getattr(series, "name", ALONE)


def _or(given: Any, other: Any) -> Any:
    return other if given is None else given


class _Known(NamedTuple):
    """What a series says of itself: its last values, season, and floor."""

    values: Any
    season: int | None = None
    floor: Any = None

    @classmethod
    def of(cls, series: Any, last: int) -> "_Known":
        if not hasattr(series, "values") or isinstance(series, Tensor):
            a_tensor("series", series, "numbers")
            return cls(series[-last:] if series.ndim else series)
        values, oracle = series.values, getattr(series, "oracle", None)
        if isinstance(oracle, Tensor):  # of motifs: what comes after each value
            best = torch.cat([values[0, :1], oracle[0]])
            return cls(values[0, -last:], None, best[-last:])
        season = getattr(series, "periods", (None,))[0]
        if oracle is None:
            return cls(values[-last:], season)
        start = max(0, len(values) - last - 2)  # an oracle reads two values
        best = oracle(values.unfold(0, 2, 1)[start:-1], 1, start=start).squeeze(-1)
        return cls(values[start + 2 :], season, best)


def _numbers(name: str, values: Tensor) -> Tensor:
    """Return the values of a series in float64, if they are numbers in one line."""
    which = ALONE if name == ALONE else f"the series {name!r}"
    if values.ndim != 1:
        raise ValueError(
            f"{which} has shape {tuple(values.shape)}, but the pad shows one value a "
            "step, the axis 'time'; give one column of it"
        )
    if len(values) < LEAST:
        raise ValueError(
            f"{which} has {len(values)} values, but the pad needs {LEAST}, to train on "
            "and to test; give a longer one"
        )
    wrong = (~values.isfinite()).nonzero()
    if len(wrong):
        raise ValueError(
            f"{which} has {values[wrong[0]].item()} at {wrong[0].item()} of the values "
            "shown, but a forecast needs a number at every step; fill the gap, or give "
            "the part before or after it"
        )
    return values.double()


def _settled(name: str, value: Any, count: int) -> Any:
    """Return a setting that fits so many values, or refuse it."""
    if name == "bandwidth":
        if not 0 < value < float("inf"):
            raise ValueError(f"bandwidth is {value}, but must be above 0, and finite")
        return float(value)
    number = whole(1, **{name: value})[name]
    most = min({"length": MOST_LENGTH, "season": MOST_SEASON}[name], count // 4)
    if number > most:
        raise ValueError(
            f"{name} is {number}, but of {count} values the pad takes {most} at most, "
            "so that windows are left to train on and to test"
        )
    return number


def _floor_of(floor: Any, count: int) -> tuple[float | None, Tensor | None]:
    """Return the floor as a number, or the best forecast of each value."""
    if floor is None:
        return None, None
    if not isinstance(floor, Tensor) or floor.ndim == 0:
        if not 0 <= float(floor) < float("inf"):
            raise ValueError(f"floor is {floor}, but an error is 0 or more, and finite")
        return float(floor), None
    if floor.shape != (count,) or not floor.isfinite().all():
        raise ValueError(
            f"floor has shape {tuple(floor.shape)}, but the pad shows {count} values; "
            "give the best forecast of each, a finite number, or one error for all"
        )
    return None, floor.double()


def _of(given: Any, name: str) -> Any:
    return given.get(name) if isinstance(given, Mapping) else given


def _known_names(given: Mapping[str, Any], series: Mapping[str, Any]) -> None:
    for setting, value in given.items():
        for name in value if isinstance(value, Mapping) else ():
            one_of(f"a name in {setting}", name, series, who="the pad has")


def _fitting(values: Tensor, length: int, season: int) -> float:
    """Return the bandwidth with the least error on the end of the training part."""
    seen = values[: 2 * len(values) // 3]
    spread = seen.std(correction=0).item() or 1.0
    tried = [float(f"{spread * 10 ** (i / 10 - 2):.2g}") for i in range(31)]
    return min(
        tried,
        key=lambda h: forecasts(seen, length=length, season=season, bandwidth=h).errors[
            "look-up"
        ],
    )


# The front end's forecasting.js does the same. Tests hold both equal.


@dataclass(frozen=True, eq=False)
class Forecasts:
    """What each forecaster made of the test windows, and its mean squared error.

    ``tests`` are the places that are forecast, ``train`` those that are fitted to.
    """

    values: Float[Tensor, " time"]
    train: Int[Tensor, " window"]
    tests: Int[Tensor, " step"]
    made: dict[str, Float[Tensor, " step"]]

    @property
    def errors(self) -> dict[str, float]:
        """The mean squared error of each forecaster."""
        truth = self.values[self.tests]
        return {name: _mse(made, truth) for name, made in self.made.items()}


def forecasts(
    values: Float[Tensor, " time"],
    *,
    length: int,
    season: int,
    bandwidth: float,
    leaks: Sequence[str] = (),
) -> Forecasts:
    """Forecast the last third of a series, each value from the window before it.

    Examples
    --------
    >>> made = forecasts(torch.arange(60.0).double(), length=3, season=6, bandwidth=1.0)
    >>> {name: round(error, 2) for name, error in made.errors.items()}
    {'naive': 1.0, 'seasonal naive': 36.0, 'ridge': 0.0, 'look-up': 1.02}
    """
    read = smoothed(values) if "smoothed" in leaks else values
    late, first = int("shifted" in leaks), max(length, season)
    # Every window has something after it, the last of all too.
    past, _ = windows(torch.cat([read, read[-1:]]), first, 1)
    past = past[late : late + len(values) - first]
    own = past[:, -length:]
    order, mixed = torch.arange(len(past)), "shuffled" in leaks
    if mixed:
        order = torch.tensor(shuffled(len(past)))
    train, test = (
        part.sort().values for part in order.tensor_split([2 * len(past) // 3])
    )
    future = values[first:, None]
    seen = future[train]
    linear = ridge(own[train], seen, _PENALTY * seen.var(correction=0).item() + 1e-9)
    keys = train if mixed else torch.arange(len(past))
    earlier = None if mixed else keys < test[:, None]
    made = {
        "naive": naive(past[test], 1),
        "seasonal naive": seasonal_naive(past[test], 1, season),
        "ridge": linear(own[test]),
        "look-up": lookup(
            own[test], own[keys], future[keys], bandwidth=bandwidth, mask=earlier
        ),
    }
    return Forecasts(
        values, first + train, first + test, {n: m.squeeze(-1) for n, m in made.items()}
    )


def smoothed(values: Float[Tensor, " time"]) -> Float[Tensor, " time"]:
    """Return the mean of each value, two before and two after it: a leak.

    Examples
    --------
    >>> smoothed(torch.tensor([0.0, 0.0, 3.0, 0.0, 0.0, 0.0]))
    tensor([1.0000, 0.7500, 0.6000, 0.6000, 0.7500, 0.0000])
    """
    reach = range(len(values))
    return torch.stack(
        [values[max(0, i - _REACH) : i + _REACH + 1].mean() for i in reach]
    )


def shuffled(count: int) -> list[int]:
    """Return 0 to count − 1 in an order that looks like chance: a leak.

    The numbers that they are sorted by are Lehmer's, since JavaScript has them exactly.

    Examples
    --------
    >>> shuffled(6)
    [0, 1, 5, 3, 4, 2]
    """
    state, keys = 1, []
    for _ in range(count):
        state = state * 16807 % 2147483647
        keys.append(state)
    return sorted(range(count), key=keys.__getitem__)
