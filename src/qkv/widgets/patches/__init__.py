"""The widget Patches, a folder for its Python and its JavaScript."""
