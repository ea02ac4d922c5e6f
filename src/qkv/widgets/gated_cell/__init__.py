"""The widget GatedCell, a folder for its Python and its JavaScript."""
