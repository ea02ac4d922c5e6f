"""The exercises of chapter 8: from a picture to a sentence of patches."""

TITLE = "An image is a sentence of patches"
