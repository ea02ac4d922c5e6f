"""The exercises of chapter 4: many heads, how they are split and what each adds."""

TITLE = "Many heads"
