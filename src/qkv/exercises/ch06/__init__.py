"""The exercises of chapter 6: what may be seen, and how a peek is found out."""

TITLE = "What may be seen: masking"
