"""Figures that can be read without seeing them.

Four kinds, one look: :func:`heatmap`, :func:`curves`, :func:`bars` and
:func:`pictures`. Each returns a :class:`Figure`, an SVG whose text is text and whose
alternative text is computed from the data. Colours are safe for colour-blind readers
and never the only cue. Each is loaded when it is first asked for.
"""

from qkv._faces import face

# The names are read from the sources: a checker that runs nothing can't know them.
__getattr__, __dir__, __all__ = face(  # pyrefly: ignore[unresolvable-dunder-all]
    __name__, __file__
)
