"""The exercises of chapter 7: the parts of a Transformer, and a layer put together."""

TITLE = "The Transformer"
