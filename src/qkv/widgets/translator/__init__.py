"""The widget Translator, a folder for its Python and its JavaScript."""
