"""Sentences about coloured shapes, in English and in Korean, both ways."""

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher, get_close_matches
from itertools import pairwise

from qkv.data.kinds import composed
from qkv.data.pictures.shapes import COLOURS, SHAPES
from qkv.data.text.grammar.hangul import final_consonant, particle

# What a sentence says: rows from the top, in each the objects from the left, and of
# each its colour, "" where the sentence leaves it out, and its shape.
Rows = tuple[tuple[tuple[str, str], ...], ...]

_KOREAN = {
    **dict(zip(COLOURS, ("빨간", "노란", "초록", "파란"), strict=True)),
    **dict(zip(SHAPES, ("원", "별", "달", "네모", "세모", "고리"), strict=True)),
}
NAMES = {"english": {name: name for name in _KOREAN}, "korean": _KOREAN}
BELOW = "그 아래에"
GRAMMAR = {
    "english": ("and", "above"),
    "korean": ("과", "와", BELOW, "이", "가", "있다"),
}
_PARTICLES = ("과", "와", "이", "가")
END = "the end"
FEW_CHANGES = 3  # words to mend in a wrong sentence, before none is offered
LONGEST = 50  # words: in a longer sentence none is mended, for it takes too long


def spoken(rows: Rows, language: str) -> list[tuple[str, int]]:
    """Return each word, and the number of the object that it speaks of, or -1.

    Objects are numbered as a page is read. A colour of "" is not said.

    Examples
    --------
    >>> rows = (("red", "star"), ("blue", "ring")), (("green", "moon"),)
    >>> for language in NAMES:
    ...     print(*(f"{word}:{number}" for word, number in spoken(rows, language)))
    red:0 star:0 and:-1 blue:1 ring:1 above:-1 green:2 moon:2
    빨간:0 별:0 과:-1 파란:1 고리:1 그 아래에:-1 초록:2 달:2 이:-1 있다:-1
    """
    names, said, number = NAMES[language], [], 0
    for row in rows:
        for place, (colour, shape) in enumerate(row):
            if said:
                beside, below = _between(said[-1][0], language)
                said.append((beside if place else below, -1))
            said += [(names[name], number) for name in (colour, shape) if name]
            number += 1
    return [*said, *((word, -1) for word in _ending(said[-1][0], language))]


def write(words: Sequence[str], language: str) -> str:
    """Return words as a text: in Korean a particle has no space before it.

    Examples
    --------
    >>> write(["빨간", "원", "과", "파란", "별", "그 아래에", "초록", "달"], "korean")
    '빨간 원과 파란 별, 그 아래에 초록 달'
    """
    if language == "english":
        return " ".join(words)
    spelt = [word if word in _PARTICLES else f" {word}" for word in words]
    return "".join(spelt).replace(f" {BELOW}", f", {BELOW}").strip(" ,")


def read(text: str, language: str, *, bare: bool = False) -> Rows:
    """Return what a text says; where ``bare``, a colour may be left out.

    Raises
    ------
    ValueError
        If it is no sentence: the first wrong word is named, and what may stand there,
        or the right sentence that is nearest.

    Examples
    --------
    >>> read("빨간 별과 파란 고리, 그 아래에 초록 달이 있다", "korean")
    ((('red', 'star'), ('blue', 'ring')), (('green', 'moon'),))
    >>> read("red star an blue ring", "english")
    Traceback (most recent call last):
        ...
    ValueError: 'red star an blue ring' is no sentence of this world: word 3 is 'an', \
where 'and', 'above' or the end may stand; did you mean 'red star and blue ring'?
    """
    words = _words(text, language)
    place, wanted = _fault(words, language, bare)
    if wanted:
        raise ValueError(_wrong(text, words, place, wanted, language, bare))
    meant = {word: name for name, word in NAMES[language].items()}
    rows: list[list[tuple[str, str]]] = [[]]
    for before, word in pairwise(["", *words]):
        if word in ("above", BELOW):
            rows.append([])
        if meant.get(word) in SHAPES:
            rows[-1].append((meant.get(before, ""), meant[word]))
    return tuple(map(tuple, rows))


def thing(name: str) -> tuple[str, str]:
    """Return the colour and the shape that "red circle", or "빨간 원", is.

    Raises
    ------
    ValueError
        If it is none of them.
    """
    known = {
        f"{names[colour]} {names[shape]}": (colour, shape)
        for names in NAMES.values()
        for colour in COLOURS
        for shape in SHAPES
    }
    given = " ".join(composed(name).lower().split())
    if given not in known:
        near = get_close_matches(given, known, n=1)
        advice = f"the nearest is {near[0]!r}" if near else "such as 'red circle'"
        raise ValueError(
            f"{name!r} is no object: it is a colour ({', '.join(COLOURS)}) and a shape "
            f"({', '.join(SHAPES)}), in English or in Korean; {advice}"
        )
    return known[given]


def _between(shape: str, language: str) -> tuple[str, str]:
    """The words before the next object: in the same row, and in the next one."""
    if language == "english":
        return "and", "above"
    return particle(shape, "and"), BELOW


def _ending(shape: str, language: str) -> tuple[str, ...]:
    return () if language == "english" else (particle(shape, "subject"), "있다")


def _words(text: str, language: str) -> list[str]:
    """The words of a text; in Korean a particle is one, however it is written."""
    typed = composed(text).lower().rstrip(" .\n").replace(",", " ").split()
    if language == "english":
        return typed
    words: list[str] = []
    for word in typed:
        stem, last = word[:-1], word[-1]
        cut = stem in _KOREAN.values() and last in _PARTICLES
        words += [stem, last] if cut else [word]
        if words[-2:] == BELOW.split():
            words[-2:] = [BELOW]
    return words


def _may_follow(word: str, language: str, bare: bool) -> tuple[str, ...]:
    """Return what may stand after a word, or after "" at the beginning."""
    names = NAMES[language]
    colours, shapes = (tuple(names[n] for n in each) for each in (COLOURS, SHAPES))
    if word in shapes:
        return *_between(word, language), (*_ending(word, language), END)[0]
    if word in colours:
        return shapes
    if word in ("이", "가"):
        return ("있다",)
    if word == "있다":
        return (END,)
    return (*colours, *shapes) if bare else colours


def _fault(
    words: Sequence[str], language: str, bare: bool
) -> tuple[int, tuple[str, ...]]:
    """Return the place of the first wrong word, and what may stand there."""
    for place, (before, word) in enumerate(pairwise(["", *words, END])):
        wanted = _may_follow(before, language, bare)
        if word not in wanted:
            return place, wanted
    return len(words), ()


def _wrong(
    text: str,
    words: list[str],
    place: int,
    wanted: tuple[str, ...],
    language: str,
    bare: bool,
) -> str:
    found = f"word {place + 1} is {words[place]!r}" if words[place:] else "it ends"
    said = (
        f"{text!r} is no sentence of this world: {found}, where {_listed(wanted)} may "
        f"stand{_because(words[place - 1 : place], wanted)}"
    )
    for other in NAMES:
        if other != language and {*words} & {*NAMES[other].values()}:
            return f"{said}; Scenes({other!r}) reads {other.title()}"
    right = [write(mended, language) for mended in _nearest(words, language, bare)]
    if not right:
        return said
    nearest = max(right, key=lambda one: SequenceMatcher(None, one, text).ratio())
    return f"{said}; did you mean {nearest!r}?"


def _nearest(words: list[str], language: str, bare: bool) -> list[list[str]]:
    """Return the right sentences that the fewest changes make, if a few are enough."""
    tried = [words] if len(words) <= LONGEST else []
    for _ in range(FEW_CHANGES):
        tried = [mended for one in tried for mended in _mended(one, language, bare)]
        if right := [one for one in tried if not _fault(one, language, bare)[1]]:
            return right
    return []


def _mended(words: list[str], language: str, bare: bool) -> Iterator[list[str]]:
    """Yield the words with the first wrong one changed, preceded, or left out."""
    place, wanted = _fault(words, language, bare)
    before, after = words[:place], words[place:]
    yield [*before, *after[1:]]
    for word in wanted:
        if word != END:
            yield [*before, word, *after[1:]]
            yield [*before, word, *after]


def _listed(wanted: Sequence[str]) -> str:
    *others, last = (word if word == END else repr(word) for word in wanted)
    return f"{', '.join(others)} or {last}" if others else last


def _because(before: Sequence[str], wanted: Sequence[str]) -> str:
    """Why a Korean particle is the one that it is."""
    if not before or not {*wanted} & {*_PARTICLES}:
        return ""
    ends = "a consonant" if final_consonant(before[0]) else "a vowel"
    return f" ({before[0]} ends in {ends})"
