"""The exercises of chapter 12: experts, who chooses them, and what they stand for."""

TITLE = "Mixtures of experts: many networks, few at work"
