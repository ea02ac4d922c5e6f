"""The widget Predict, a folder for its Python and its JavaScript."""
