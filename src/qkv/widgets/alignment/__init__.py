"""The widget Alignment, a folder for its Python and its JavaScript."""
