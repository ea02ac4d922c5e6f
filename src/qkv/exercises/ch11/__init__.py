"""The exercises of chapter 11: a block that looks, and how far a place sees."""

TITLE = "A convolution that looks up"
