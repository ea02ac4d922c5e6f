"""The widget LearnToLook, a folder for its Python and its JavaScript."""
