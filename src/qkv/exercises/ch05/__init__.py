"""The exercises of chapter 5: positions added, turned and subtracted."""

TITLE = "Where am I? Positional encoding"
