"""The widget WorkItOut, a folder for its Python and its JavaScript."""
