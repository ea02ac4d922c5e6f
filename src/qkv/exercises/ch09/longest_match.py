"""WordPiece's way to cut a word: the longest piece that is known, and again."""

from collections.abc import Callable
from functools import partial

from qkv.checking.exercise import Exercise, Mistake


def longest_match(word: str, vocabulary: set[str]) -> list[str]:
    return _greedy(word, vocabulary)


def _greedy(
    word: str,
    vocabulary: set[str],
    *,
    longest: bool = True,
    marked: Callable[[str, int], str] = lambda piece, place: "##" * (place > 0) + piece,
    stuck: Callable[[list[str], str], list[str]] = lambda pieces, rest: ["[UNK]"],
) -> list[str]:
    pieces, place = [], 0
    while place < len(word):
        ends = range(place + 1, len(word) + 1)
        known = [n for n in ends if marked(word[place:n], place) in vocabulary]
        if not known:
            return stuck(pieces, word[place:])
        end = known[-1 if longest else 0]
        pieces.append(marked(word[place:end], place))
        place = end
    return pieces


def _skipping(word, vocabulary):
    """Each character that no piece begins with becomes unknown by itself."""
    pieces, place = [], 0
    while place < len(word):
        for end in range(len(word), place, -1):
            piece = "##" * (place > 0) + word[place:end]
            if piece in vocabulary:
                break
        else:
            piece = "[UNK]"
        pieces.append(piece)
        place = end
    return pieces


def _going_back(word, vocabulary, place=0):
    """Where the longest piece leads nowhere, try the next shorter one."""
    if place == len(word):
        return []
    for end in range(len(word), place, -1):
        piece = "##" * (place > 0) + word[place:end]
        if piece in vocabulary:
            rest = _going_back(word, vocabulary, end)
            if rest != ["[UNK]"]:
                return [piece, *rest]
    return ["[UNK]"]


def _unmarked(word, vocabulary):
    return [p.removeprefix("##") for p in longest_match(word, vocabulary)]


def _either(word, vocabulary):
    """Pieces from the middle of words are taken at the beginning, too."""
    both = vocabulary | {p.removeprefix("##") for p in vocabulary}
    return longest_match(word, both | {f"##{p}" for p in both})


KNOWN = {"u", "un", "unf", "a", "##afford", "##able", "##fold", "##ing", "fold"}
LETTERS = {"u", "##n", "##a", "##b", "##l", "##e", "un", "##able", "##ab"}

EXERCISE = Exercise(
    id="9.5",
    title="The longest piece first",
    minutes=9,
    difficulty=2,
    reference=longest_match,
    cases={
        "unaffordable": lambda: ("unaffordable", set(KNOWN)),
        "no piece for its beginning": lambda: ("affordable", set(KNOWN)),
        "a dead end": lambda: ("unfold", set(KNOWN)),
        "nothing at its end": lambda: ("unafforded", set(KNOWN)),
        "letters are known": lambda: ("unable", set(LETTERS)),
        "a piece that stands only at the beginning": lambda: ("folding", set(KNOWN)),
        "nothing known": lambda: ("한국", set(KNOWN)),
    },
    mistakes={
        "shortest first": Mistake(
            "the shortest piece has been taken: begin with all that is left of the "
            "word, and make it shorter until it is known",
            partial(_greedy, longest=False),
        ),
        "mark forgotten": Mistake(
            "pieces inside the word have been looked up without ##: able begins a "
            "word, and ##able goes on with one; the vocabulary has them apart",
            partial(_greedy, marked=lambda piece, place: piece),
        ),
        "pieces and unknown": Mistake(
            "the pieces before the unknown part have been kept: a word that can't be "
            "cut to its end is one [UNK] as a whole",
            partial(_greedy, stuck=lambda pieces, rest: [*pieces, "[UNK]"]),
        ),
        "pieces alone": Mistake(
            "the pieces before the unknown part have been returned, and the rest of "
            "the word is gone: the whole word is one [UNK]",
            partial(_greedy, stuck=lambda pieces, rest: pieces),
        ),
        "unknown letters": Mistake(
            "each letter that no piece begins with has become an [UNK] of its own: "
            "WordPiece gives up the whole word, and returns one [UNK]",
            _skipping,
        ),
        "goes back": Mistake(
            "where the longest piece led nowhere, a shorter one has been tried. That "
            "is cleverer than WordPiece, which never goes back: unf is longer than "
            "un, and so unfold is [UNK]",
            _going_back,
        ),
        "marks taken off": Mistake(
            "the pieces have lost their ##: it is a part of the token, and tells "
            "where a word begins when the pieces are put together again",
            _unmarked,
        ),
        "with or without": Mistake(
            "a piece has been taken whether it is known with ## or without: at the "
            "beginning of a word only pieces without ## fit, and after it only those "
            "with it",
            _either,
        ),
    },
    hints=(
        "a loop over the places where a piece begins, and in it one over the places "
        "where it may end, from the end of the word backwards.",
        'the piece is word[place:end], with "##" before it if place is above 0.',
        'if no end gives a known piece, return ["[UNK]"] at once.',
    ),
    trained=False,
)
