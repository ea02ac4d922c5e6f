"""The widget Positions, a folder for its Python and its JavaScript."""
