"""The widget RouterMap, a folder for its Python and its JavaScript."""
