"""The widget ForecastPad, a folder for its Python and its JavaScript."""
