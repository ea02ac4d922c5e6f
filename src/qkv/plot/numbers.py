"""Numbers as figures take them and as they say them."""

from typing import Any

import numpy as np
from torch import Tensor

Number = float | int


def array(values: Any) -> np.ndarray:
    """Return values of any kind as an array of floats."""
    if isinstance(values, Tensor):
        values = values.detach().cpu().double()  # NumPy has no bfloat16
    return np.asarray(values, dtype=float)


def say(value: Number) -> str:
    """Return a number as a sentence says it: "0.50", "−3", "≈0", "+∞"."""
    value = float(value)
    if not np.isfinite(value):
        return cell_text(value, 2)
    if value == 0 or (abs(value) > 0.5 and abs(value - round(value)) < 1e-6):
        return f"{value:.0f}".replace("-", "−")
    if abs(value) < 1e-4:
        return "≈0"
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 20 else 2
    small = abs(value) < 0.005
    return (f"{value:.1g}" if small else f"{value:.{digits}f}").replace("-", "−")


def digits_of(values: np.ndarray) -> int:
    """Return after how many digits the numbers in the cells of a matrix end."""
    finite = values[np.isfinite(values)]
    if (finite == np.round(finite)).all():
        return 0
    return 2 if np.abs(finite).max() < 10 else 1


def cell_text(value: Number, digits: int) -> str:
    """Return a number as it stands in a cell; what is none has a sign of its own."""
    if np.isnan(value):
        return "NaN"
    if np.isinf(value):
        return "+∞" if value > 0 else "−∞"
    return f"{value:.{digits}f}".replace("-", "−")


def say_tick(value: Number, _: int | None = None) -> str:
    """Return a number as it stands at a logarithmic axis: "20", "10⁻⁸"."""
    if 1e-4 < value < 1e6:
        return f"{value:g}"
    digits, power = f"{value:.0e}".split("e")
    raised = str(int(power)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"10{raised}" if digits == "1" else f"{digits}·10{raised}"
