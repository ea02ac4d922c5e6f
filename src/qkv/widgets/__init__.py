"""Widgets to step through computations, with a kernel or without.

They draw traces (:mod:`qkv.trace`), whoever made them: no widget knows a model. All
state is in traits; what happens when a reader steps happens in the browser.

Each widget is a folder: ``NAME/NAME.py`` with its class, ``NAME/NAME.js`` with its
front end. A widget is loaded when it is asked for, and no other with it.
"""

from qkv._faces import face

# The names are read from the sources: a checker that runs nothing can't know them.
__getattr__, __dir__, __all__ = face(  # pyrefly: ignore[unresolvable-dunder-all]
    __name__, __file__
)
