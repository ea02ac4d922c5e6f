"""Claims: statements of the book that are measured each time a chapter runs."""

import json
import os
from math import isfinite
from pathlib import Path
from typing import SupportsFloat

MOST_DECIMALS = 17  # as many as any number near 1 has


def claim(
    statement: str,
    value: SupportsFloat,
    *,
    at_least: SupportsFloat | None = None,
    at_most: SupportsFloat | None = None,
) -> None:
    """Print what was measured, and raise where it misses its bound.

    Where the environment names a file in ``QKV_CLAIMS``, the claim is added to it as a
    line of JSON and never raises, so that one run measures all claims of a chapter.

    Parameters
    ----------
    statement : what is claimed, in words, different for each claim of a chapter.
    value : what was measured. NaN keeps no bound.
    at_least, at_most : the bounds, of which one or both are given; they belong to it.

    Raises
    ------
    AssertionError
        If the value does not keep to its bounds.
    ValueError
        If there is no statement, or no bound that a value could miss.

    Examples
    --------
    >>> claim("exact match at 5 digits", 0.995, at_least=0.95)
    ✓ exact match at 5 digits: measured 0.995, at least 0.950

    There are as many decimals as tell it from its bounds:

    >>> claim("just so", 0.95001, at_least=0.95)
    ✓ just so: measured 0.95001, at least 0.95000

    A number that three decimals would show as 0 is written with its power of ten:

    >>> claim("what is left", 0.0000213, at_most=0.01)
    ✓ what is left: measured 2.1e-05, at most 0.010
    """
    value = float(value)
    at_least = None if at_least is None else float(at_least)
    at_most = None if at_most is None else float(at_most)
    bound = in_words(at_least, at_most, beside=value)
    if not statement.strip() or "\n" in statement:
        raise ValueError(f"a claim is a statement on one line, not {statement!r}")
    held = (at_least is None or value >= at_least) and (
        at_most is None or value <= at_most
    )
    # a comparison with NaN is false, so that it holds nothing
    shown = shown_value(value, _decimals(value, at_least, at_most))
    told = f"{'✓' if held else '✗'} {statement}: measured {shown}, {bound}"
    file = os.environ.get("QKV_CLAIMS")
    if not (held or file):
        raise AssertionError(told)
    print(told)
    if file:
        line = {
            "statement": statement,
            "at_least": at_least,
            "at_most": at_most,
            "value": value,
            "held": held,
        }
        with Path(file).open("a", encoding="utf-8") as record:
            record.write(json.dumps(line, ensure_ascii=False) + "\n")


def in_words(
    at_least: float | None, at_most: float | None, *, beside: float | None = None
) -> str:
    """Return the bounds as a claim says them, beside a value: "at least 0.950".

    Raises
    ------
    ValueError
        If neither is given, one is not finite, or no value could keep to both.
    """
    if at_least is None and at_most is None:
        raise ValueError("a claim needs a bound: give at_least, at_most or both")
    for name, bound in (("at_least", at_least), ("at_most", at_most)):
        if bound is not None and not isfinite(bound):
            raise ValueError(
                f"{name} is {bound}, a bound that every value keeps or none; give a "
                "finite one"
            )
    places = _decimals(beside, at_least, at_most)
    if at_most is None:
        return f"at least {at_least:.{places}f}"
    if at_least is None:
        return f"at most {at_most:.{places}f}"
    if not at_least <= at_most:
        raise ValueError(f"no value is at least {at_least} and at most {at_most}")
    return f"between {at_least:.{places}f} and {at_most:.{places}f}"


def shown_value(value: float, places: int = 3) -> str:
    """Return a value with so many decimals, or with its power of ten if they are 0.

    Examples
    --------
    >>> shown_value(0.25), shown_value(0.0000213), shown_value(0.0)
    ('0.250', '2.1e-05', '0.000')
    """
    decimals = f"{value:.{places}f}"
    return decimals if value == 0 or float(decimals) else f"{value:.1e}"


def _decimals(value: float | None, *bounds: float | None) -> int:
    """Return how many decimals tell a value from its bounds: three, if they do."""
    for places in range(3, MOST_DECIMALS):
        if value is None or all(
            bound in (None, value) or f"{bound:.{places}f}" != f"{value:.{places}f}"
            for bound in bounds
        ):
            return places
    return MOST_DECIMALS
