"""What several exercises of chapter 9 need: the four words and their merges."""

FOUR_WORDS: dict[tuple[str, ...], int] = {
    tuple("able"): 5,
    tuple("unable"): 4,
    tuple("afford"): 6,
    tuple("unfold"): 2,
}
NINE_MERGES = [
    ("a", "b"),
    ("l", "e"),
    ("ab", "le"),
    ("f", "o"),
    ("a", "f"),
    ("r", "d"),
    ("u", "n"),
    ("fo", "rd"),
    ("af", "ford"),
]
