"""The widget Heads, a folder for its Python and its JavaScript."""
