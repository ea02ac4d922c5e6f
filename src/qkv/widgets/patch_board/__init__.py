"""The widget PatchBoard, a folder for its Python and its JavaScript."""
