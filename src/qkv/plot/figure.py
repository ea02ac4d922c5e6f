"""What a plot returns: a drawing, and what is to be seen in it."""

from dataclasses import dataclass
from typing import Any

__all__ = ["Figure"]


@dataclass(frozen=True)
class Figure:
    """A drawing (``svg``) and the sentence that says what is to be seen (``alt``).

    Examples
    --------
    >>> from qkv.plot import bars
    >>> bars({"fixed vector": 880, "attention": 430}, ylabel="steps", title="Cost")
    Bar chart: Cost. steps: fixed vector 880 (largest); attention 430 (smallest).
    """

    svg: str
    alt: str

    def __repr__(self) -> str:
        """Say what is to be seen."""
        return self.alt

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict:
        return {"image/svg+xml": self.svg, "text/plain": self.alt}


# ---------------------------------------------------------------------------- heat map
