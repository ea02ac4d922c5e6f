r"""Time series: windows, baselines that are hard to beat, and Transformers for numbers.

A forecast is worth what it is worth beside :func:`naive`, which repeats the last value,
and :func:`seasonal_naive`, which repeats the last season. :func:`ridge` is the linear
model, solved and not trained; :class:`DLinear` two of them, on a moving mean and on
what is left. :class:`PatchTransformer` reads patches of a window as tokens;
:class:`RecentTransformer` foretells the next value everywhere, by looking at where the
same happened before, which :func:`lookup` does with nothing learned.
:func:`forecast` does it for a series of one's own, with its baseline beside it.

- :mod:`qkv.series.windowing`: windows, and the two naive forecasts,
- :mod:`qkv.series.linear`: ridge regression and DLinear,
- :mod:`qkv.series.patches`: the patch Transformer, and how a window is normalised,
- :mod:`qkv.series.looking_up`: look-up attention, by hand and learned,
- :mod:`qkv.series.forecasting`: all of it on one series.
"""

from qkv.series.forecasting import Forecast, forecast
from qkv.series.linear import DLinear, moving_mean, ridge
from qkv.series.looking_up import (
    LookupTrace,
    RecentEmbedding,
    RecentTrace,
    RecentTransformer,
    lookup,
    trace_lookup,
)
from qkv.series.patches import PatchConfig, PatchTrace, PatchTransformer
from qkv.series.windowing import naive, seasonal_naive, windows

__all__ = [
    "DLinear",
    "Forecast",
    "LookupTrace",
    "PatchConfig",
    "PatchTrace",
    "PatchTransformer",
    "RecentEmbedding",
    "RecentTrace",
    "RecentTransformer",
    "forecast",
    "lookup",
    "moving_mean",
    "naive",
    "ridge",
    "seasonal_naive",
    "trace_lookup",
    "windows",
]
