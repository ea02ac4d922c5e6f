"""The widget PaintASentence, a folder for its Python and its JavaScript."""
