"""The exercises of chapter 1: from the state at a sentence's end to greedy decoding."""

TITLE = "The bottleneck"
