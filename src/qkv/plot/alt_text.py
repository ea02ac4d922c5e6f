"""The alternative text of figures, computed from their data."""

from collections.abc import Mapping, Sequence

import numpy as np

from qkv.plot import english as told
from qkv.plot.numbers import Number, say

MOST_PEAKS = 24  # more than these nobody listens to


class Counted(str):
    """A number in a sentence, which knows whether what it counts is one or more.

    Examples
    --------
    >>> "{rows:row|rows}".format(rows=Counted(1))
    '1 row'
    >>> "{rows:row|rows}, or {rows}행".format(rows=Counted(2))
    '2 rows, or 2행'
    """

    __slots__ = ()

    def __format__(self, forms: str) -> str:
        """Return the number, before what it counts where its forms are given."""
        if not forms:
            return str(self)
        one, _, more = forms.partition("|")
        return f"{self!s} {one if self == '1' else more}"


def sentences(parts: list[str]) -> str:
    """Return the sentences that say something, each with its full stop."""
    return " ".join(
        part if part[-1] in told.NO_END_AFTER else part + told.END
        for part in parts
        if part
    )


def say_range(values: Sequence[Number]) -> str:
    """Return the least and the most of some values, or the one that they all are."""
    low, high = say(min(values)), say(max(values))
    return low if low == high else told.RANGE.format(low=low, high=high)


def say_marked(marks: Mapping[str, Number]) -> str:
    """Return what the lines across a chart are called, and where they are."""
    if not marks:
        return ""
    said = [told.MARK.format(name=n, value=say(height)) for n, height in marks.items()]
    return told.MARKED.format(marks=told.AND.join(said))


# ---------------------------------------------------------------------------- heat map


def say_heatmap(
    values: np.ndarray,
    labels: tuple[list[str], list[str]],
    title: str,
    axes: tuple[str, str],
    allowed: np.ndarray,
    framed: np.ndarray,
) -> str:
    """Return what a heat map shows: its size, where its rows peak, what is marked."""
    seen = np.where(allowed, values, np.nan)
    finite = seen[np.isfinite(seen)]
    rows, columns = (Counted(len(names)) for names in labels)
    size = {"rows": rows, "columns": columns, "row_axis": axes[0]}
    size |= {"title": title, "column_axis": axes[1]}
    if finite.size:
        ends = {"low": say(finite.min()), "high": say(finite.max())}
        parts = [told.HEAT_MAP_WITH_VALUES.format(**size, **ends)]
        parts += [_say_peaks(seen, *labels), _say_spread(seen)]
    else:
        parts = [told.HEAT_MAP.format(**size)]
    return sentences([*parts, _say_truth(seen, framed), _say_marks(values, allowed)])


def _say_peaks(seen: np.ndarray, rows: list[str], columns: list[str]) -> str:
    """Where each row is largest, neighbours with the same column said together."""
    runs: list[tuple[int | None, list[str], list[float]]] = []
    for label, row in zip(rows, seen, strict=True):
        some = np.isfinite(row).any()
        peak = int(np.where(np.isfinite(row), row, -np.inf).argmax()) if some else None
        if not runs or runs[-1][0] != peak:
            runs.append((peak, [], []))
        runs[-1][1].append(label)
        runs[-1][2].append(row[peak] if some else np.nan)
    said = [_say_peak(*run, columns) for run in runs]
    peaks, left_out = told.NEXT.join(said[:MOST_PEAKS]), len(said) - MOST_PEAKS
    whole = told.PEAKS_AND_MORE if left_out > 0 else told.PEAKS
    return whole.format(peaks=peaks, left_out=left_out)


def _say_peak(
    peak: int | None, labels: list[str], values: list[float], columns: list[str]
) -> str:
    rows = " ".join(labels)
    if peak is None:
        return told.NO_PEAK.format(rows=rows)
    return told.PEAK.format(rows=rows, column=columns[peak], value=say_range(values))


def _say_spread(seen: np.ndarray) -> str:
    """The number of columns a row of shares is spread over: e to its entropy."""
    shares = np.nan_to_num(seen, nan=0.0, posinf=0.0, neginf=0.0)
    full = np.abs(shares.sum(1) - 1) < 1e-3
    if (shares < 0).any() or not full.any():
        return ""
    safe = np.where(shares > 0, shares, 1.0)
    spread = np.exp(-(safe * np.log(safe)).sum(1))[full]
    low, high = (f"{n:.1f}".removesuffix(".0") for n in (spread.min(), spread.max()))
    over = low if low == high else told.RANGE.format(low=low, high=high)
    return told.SPREAD.format(spread=Counted(over))


def _say_truth(seen: np.ndarray, framed: np.ndarray) -> str:
    with_truth = framed.any(1) & np.isfinite(seen).any(1)
    if not with_truth.any():
        return ""
    peaks = np.where(np.isfinite(seen), seen, -np.inf).argmax(1)
    right = framed[np.arange(len(seen)), peaks] & with_truth
    return told.TRUTH.format(right=right.sum(), rows=with_truth.sum())


def _say_marks(values: np.ndarray, allowed: np.ndarray) -> str:
    kinds = {
        told.MASKED: ~allowed,
        told.NOT_A_NUMBER: allowed & np.isnan(values),
        told.INFINITE: allowed & np.isposinf(values),
        told.MINUS_INFINITE: allowed & np.isneginf(values),
    }
    said = [
        kind.format(cells=Counted(cells.sum()))
        for kind, cells in kinds.items()
        if cells.any()
    ]
    return told.AND.join(said)


# ------------------------------------------------------------------------------ curves


def say_curves(
    lines: Mapping[str, tuple[np.ndarray, ...]],
    labels: tuple[str, str],
    title: str,
    marks: Mapping[str, Number],
    shaded: tuple[Number, Number, str] | None,
) -> str:
    """Return what a line chart shows: where each line begins, ends, turns and meets."""
    least = say(min(line[0].min() for line in lines.values()))
    most = say(max(line[0].max() for line in lines.values()))
    x, y = labels
    parts = [
        told.LINE_CHART.format(title=title),
        told.AXES.format(x=x, y=y, low=least, high=most),
        *(_say_line(name, line, marks) for name, line in lines.items()),
        say_marked(marks),
    ]
    if shaded:
        low, high, name = shaded
        parts.append(told.SHADED.format(name=name, low=say(low), high=say(high)))
    return sentences(parts)


def _say_line(
    name: str, line: tuple[np.ndarray, ...], marks: Mapping[str, Number]
) -> str:
    x, y = (part[np.isfinite(line[1])] for part in line[:2])
    if not len(x):
        return told.NO_LINE.format(name=name)
    ends = {"first": y[0], "start": x[0], "last": y[-1], "end": x[-1]}
    turns = _say_turns(x, y, marks)
    whole = told.LINE_WITH_TURNS if turns else told.LINE
    said = {place: say(value) for place, value in ends.items()}
    return whole.format(name=name, turns=told.AND.join(turns), **said)


def _say_turns(x: np.ndarray, y: np.ndarray, marks: Mapping[str, Number]) -> list[str]:
    ends = (y[0], y[-1])
    found = [(told.HIGHEST, int(y.argmax())), (told.LOWEST, int(y.argmin()))]
    turns = [
        part.format(value=say(y[place]), place=say(x[place]))
        for part, place in found
        if y[place] not in ends
    ]
    middle = (y.max() + y.min()) / 2
    for place in _crossings(x, y, middle)[:1]:
        turns.append(told.HALF_WAY.format(value=say(middle), place=say(place)))
    for mark, height in marks.items():
        for place in _crossings(x, y, height)[:2]:
            turns.append(told.MEETS.format(mark=mark, place=say(place)))
    return turns


def _crossings(x: np.ndarray, y: np.ndarray, height: Number) -> list[float]:
    above = y - height
    turns = np.flatnonzero((above[:-1] > 0) != (above[1:] > 0))
    share = above[turns] / (above[turns] - above[turns + 1])
    return [float(p) for p in x[turns] + share * (x[turns + 1] - x[turns])]


# -------------------------------------------------------------------------------- bars


def say_bars(
    points: Mapping[str, tuple[float, float, float]],
    ylabel: str,
    title: str,
    marks: Mapping[str, Number],
) -> str:
    """Return what a bar chart shows: each value, its spread, where the ends are."""
    heights = [value for value, _, _ in points.values()]
    bars = [_say_bar(name, point, heights) for name, point in points.items()]
    parts = [
        told.BAR_CHART.format(title=title),
        told.BARS.format(quantity=ylabel, bars=told.NEXT.join(bars)),
        say_marked(marks),
    ]
    return sentences(parts)


def _say_bar(name: str, point: tuple[float, float, float], heights: list[float]) -> str:
    value, low, high = point
    notes = [told.RANGE.format(low=say(low), high=say(high))] if low != high else []
    if len(set(heights)) > 1 and value == max(heights):
        notes.append(told.LARGEST)
    if len(set(heights)) > 1 and value == min(heights):
        notes.append(told.SMALLEST)
    whole = told.BAR_WITH_NOTES if notes else told.BAR
    return whole.format(name=name, value=say(value), notes=told.AND.join(notes))


# ---------------------------------------------------------------------------- pictures


def say_pictures(titles: Sequence[str], title: str, weights: np.ndarray | None) -> str:
    """Return what is shown, and which place of each is looked at most."""
    head = told.PICTURES.format(title=title)
    if weights is None:
        return sentences([head, told.NAMED.format(names=told.AND.join(titles))])
    places = []
    for name, of_one in zip(titles, weights, strict=True):
        row, column = np.unravel_index(of_one.argmax(), of_one.shape)
        at = {"row": row + 1, "column": column + 1, "value": say(of_one.max())}
        places.append(told.MOST_AT.format(name=name, **at))
    return sentences([head, told.LOOKED_AT.format(places=told.NEXT.join(places))])
