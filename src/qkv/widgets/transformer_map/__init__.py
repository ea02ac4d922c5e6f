"""The widget TransformerMap, a folder for its Python and its JavaScript."""
