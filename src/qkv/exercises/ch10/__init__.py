"""The exercises of chapter 10: a grid of vectors, and where each word looks."""

TITLE = "Say what you see: a caption, word by word"
