"""The widget MaskPainter, a folder for its Python and its JavaScript."""
