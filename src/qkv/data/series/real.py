"""Two real series that are always there: a price, and the CO₂ in the air."""

from pathlib import Path

import numpy as np
import torch

from qkv.data.series.kinds import Series
from qkv.data.series.own import read_series

__all__ = ["co2", "google"]


def google() -> Series:
    """Return Google's closing price of each trading day, in US dollars.

    1,047 days, from the 19th of August 2004 to the 14th of October 2008. They come with
    matplotlib: nothing is downloaded. Days without trading have no row, so that a
    Monday follows a Friday.

    Notes
    -----
    The field ``adj_close`` of ``goog.npz``, among matplotlib's sample data; it is the
    closing price, as there was neither a split nor a dividend in these years.

    Examples
    --------
    >>> price = google()
    >>> price
    Series(closing price (USD): 1,047 steps, 628 to train on, 157 to validate, 262 to
    test)
    >>> price.dates[0], price.values[:3]
    ('2004-08-19', tensor([100.3400, 108.3100, 109.4000]))
    """
    from matplotlib import cbook  # takes a second, and few need it

    with np.load(cbook.get_sample_data("goog.npz", asfileobj=False)) as file:
        rows = file["price_data"]
    prices = torch.from_numpy(rows["adj_close"].astype(np.float32))
    return Series(
        prices, "closing price (USD)", tuple(rows["date"].astype(str).tolist())
    )


def co2() -> Series:
    """Return the CO₂ in the air at Mauna Loa, Hawaii: weekly means, in ppm.

    2,284 weeks, from the 29th of March 1958 to the 29th of December 2001. In 59 of them
    nothing was measured: there a straight line leads from the week before the gap to
    the week after it. It knows what comes after; so no gap must lie where a forecast is
    judged, and the last one is 856 weeks before the end, in the part to validate on.

    Notes
    -----
    Keeling and Whorf (2004), in: Trends: A Compendium of Data on Global Change, Carbon
    Dioxide Information Analysis Center, U.S. Department of Energy. Public domain. The
    numbers are those of ``statsmodels.datasets.co2``; the file lies beside this module.

    Examples
    --------
    >>> air = co2()
    >>> air
    Series(CO2 (ppm): 2,284 steps, 1,370 to train on, 342 to validate, 572 to test)
    >>> air.dates[6], air.values[5:8]
    ('1958-05-10', tensor([316.9000, 317.2000, 317.5000]))
    """
    [series] = read_series(Path(__file__).with_name("co2.csv"), fill=True).values()
    return series
