"""The exercises of chapter 16: what a part of a model does, and how to be sure."""

TITLE = "Looking inside: which part does what?"
