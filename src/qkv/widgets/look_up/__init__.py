"""The widget LookUp, a folder for its Python and its JavaScript."""
