"""The widget OneRow, a folder for its Python and its JavaScript."""
