"""The exercises of chapter 15: less to hold, and the same numbers."""

TITLE = "Attention that scales"
