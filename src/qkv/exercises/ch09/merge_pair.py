"""A pair joined wherever it stands in a word."""

from qkv.checking.exercise import Exercise, Mistake


def merged(word: tuple[str, ...], pair: tuple[str, str]) -> tuple:
    tokens, place = [], 0
    while place < len(word):
        size = 2 if word[place : place + 2] == pair else 1
        tokens.append("".join(word[place : place + size]))
        place += size
    return tuple(tokens)


def _last_lost(word, pair):
    tokens, place = [], 0
    while place < len(word) - 1:
        size = 2 if word[place : place + 2] == pair else 1
        tokens.append("".join(word[place : place + size]))
        place += size
    return tuple(tokens)


def _twice(word, pair):
    found = [word[n : n + 2] == pair for n in range(len(word))]
    tokens = []
    for place, token in enumerate(word):
        if found[place]:
            tokens.append("".join(pair))
        elif not (place and found[place - 1]):
            tokens.append(token)
    return tuple(tokens)


def _not_skipped(word, pair):
    tokens = []
    for place, token in enumerate(word):
        joined = word[place : place + 2] == pair
        tokens.append("".join(pair) if joined else token)
    return tuple(tokens)


def _in_the_string(word, pair):
    return tuple(" ".join(word).replace(" ".join(pair), "".join(pair)).split(" "))


def _first_only(word, pair):
    for place in range(len(word) - 1):
        if word[place : place + 2] == pair:
            return (*word[:place], "".join(pair), *word[place + 2 :])
    return word


def _from_the_right(word, pair):
    turned = merged(tuple(t[::-1] for t in word[::-1]), (pair[1][::-1], pair[0][::-1]))
    return tuple(t[::-1] for t in turned[::-1])


def _by_letters(word, pair):
    return merged(tuple("".join(word)), pair)


def _either_order(word, pair):
    tokens, place = [], 0
    while place < len(word):
        size = 2 if word[place : place + 2] in (pair, pair[::-1]) else 1
        tokens.append("".join(word[place : place + size]))
        place += size
    return tuple(tokens)


EXERCISE = Exercise(
    id="9.2",
    title="Join a pair",
    minutes=7,
    difficulty=1,
    reference=merged,
    cases={
        "twice in a word": lambda: (tuple("banana"), ("a", "n")),
        "in the middle": lambda: (tuple("afford"), ("f", "o")),
        "the same token five times": lambda: (tuple("ㅋㅋㅋㅋㅋ"), ("ㅋ", "ㅋ")),
        "a token that ends like the pair": lambda: (
            ("ca", "b", "a", "b", "le"),
            ("a", "b"),
        ),
        "merged tokens": lambda: (("un", "af", "ford", "able"), ("af", "ford")),
        "nothing to merge": lambda: (("un", "able"), ("a", "b")),
        "a word of one token": lambda: (("able",), ("a", "b")),
    },
    mistakes={
        "last token lost": Mistake(
            "the last token is lost where it is not merged: the loop ends one place "
            "too early",
            _last_lost,
        ),
        "one token used twice": Mistake(
            "where the same token stands three times in a row, the middle one has "
            "been used in two merges: after a merge go on behind its second token",
            _twice,
        ),
        "second token kept": Mistake(
            "the pair has been joined, and its second token is still there: after a "
            "merge go on two places further",
            _not_skipped,
        ),
        "replaced in the string": Mistake(
            "the pair has been replaced in the joined text, and there “ca b” has an "
            "“a b” in it. Tokens are compared whole",
            _in_the_string,
        ),
        "first place only": Mistake(
            "the pair has been joined at its first place only: join it wherever it "
            "stands",
            _first_only,
        ),
        "from the right": Mistake(
            "of ㅋㅋㅋㅋㅋ the first one is left over, and it should be the last: "
            "join from left to right, as the vocabulary was learnt",
            _from_the_right,
        ),
        "letters again": Mistake(
            "the word has been taken apart into letters again: what is merged "
            "already stays one token",
            _by_letters,
        ),
        "in either order": Mistake(
            "the pair has been joined in the other order, too: a n is a merge, n a "
            "is another",
            _either_order,
        ),
    },
    hints=(
        "go through the word with a place that you move yourself: by 2 after a "
        "merge, by 1 else.",
        "word[place : place + 2] == pair compares two tokens at once, and is simply "
        "false at the end of the word.",
    ),
    trained=False,
)
