"""The widget MergePad, a folder for its Python and its JavaScript."""
