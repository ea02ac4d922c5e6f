"""The widget Unrolled, a folder for its Python and its JavaScript."""
