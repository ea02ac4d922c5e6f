"""The widget AttentionLab, a folder for its Python and its JavaScript."""
