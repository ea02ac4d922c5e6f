"""The exercises of chapter 1: from a table of words to a judged translation."""

TITLE = "The bottleneck"
