"""The exercises of chapter 3: the dot product as a score, and a look-up made of it."""

TITLE = "Scaled dot-product attention"
