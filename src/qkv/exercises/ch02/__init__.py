"""The exercises of chapter 2: attention in its three moves, and the test of it."""

TITLE = "Looking back: Bahdanau attention"
