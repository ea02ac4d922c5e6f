"""The exercises of chapter 9: words in pieces, by merging, matching and bytes."""

TITLE = "Subwords: words in pieces"
