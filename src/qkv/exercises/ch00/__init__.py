"""The exercises of chapter 0: from a table of words to a state that remembers."""

TITLE = "Words, vectors, memory"
