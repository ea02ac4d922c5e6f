"""The widget Stepper, a folder for its Python and its JavaScript."""
