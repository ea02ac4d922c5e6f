"""Reading English: from words to the sentence that they say."""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from qkv.data.text.grammar.lexicon import ADJECTIVES, NOUNS, NUMERALS, VERBS, Verb
from qkv.data.text.grammar.sentences import Phrase, Sentence, check

CONTRACTIONS = {"don't": "do not", "doesn't": "does not", "didn't": "did not"}
SHAPE = "a sentence is a subject, a verb and an object, such as 'I love cats'"

_NOUNS = {
    name: (noun, name == noun.plural)
    for noun in NOUNS
    for name in (noun.english, noun.objective, noun.plural)
    if name
}
_ADJECTIVES = {adjective.english: adjective for adjective in ADJECTIVES}
_VERBS = {form: verb for verb in VERBS for form in verb.english}
_LINKS = {verb.link for verb in VERBS if verb.link}
_TIMES: dict[tuple[str, ...], bool] = {("yesterday",): True, ("every", "day"): False}
_ARTICLES = {"the": "the", "a": "a", "an": "a", "my": "my"}
_OTHERS = {"cup", "cups", "of", "do", "does", "did", "not", "yesterday", "every", "day"}

ENGLISH = tuple(
    sorted({*_NOUNS, *_ADJECTIVES, *_VERBS, *_LINKS, *_ARTICLES, *NUMERALS, *_OTHERS})
)


def words_of(text: str) -> tuple[str, ...]:
    """Return the words of a typed sentence, as this grammar writes them.

    Examples
    --------
    >>> words_of("I don't love cats.")
    ('I', 'do', 'not', 'love', 'cats')
    """
    typed = text.lower().replace("’", "'").rstrip(" .!\n").split()
    written = " ".join(CONTRACTIONS.get(word, word) for word in typed)
    return tuple("I" if word == "i" else word for word in written.split())


def read(words: Sequence[str]) -> Sentence:
    """Return the sentence that English words say.

    Raises
    ------
    ValueError
        If a word is unknown (the nearest known ones are named), the words are no
        sentence of the grammar, or its Korean would be doubtful.

    Examples
    --------
    >>> sentence = read("I love cats".split())
    >>> "".join(sentence.example().target)
    '나는 고양이를 좋아해'
    """
    _check_known(words)
    reader = _Reader(words)
    subject = reader.phrase()
    helper, negated, verb, form = reader.verb()
    found = reader.phrase()
    when = reader.time()
    in_past = helper == "did" if helper else form == verb.english[2]
    sentence = Sentence(subject, verb, found, in_past, negated, when is not None)
    if when is not None and when != in_past:
        raise ValueError("'yesterday' takes the past, 'every day' the present")
    check(sentence)
    if sentence.words != tuple(words):
        raise ValueError(f"this grammar writes {' '.join(sentence.words)!r}")
    return sentence


class _Reader:
    """Words, and how many of them have been read."""

    def __init__(self, words: Sequence[str]) -> None:
        self.words, self.place = words, 0

    def take(self, among: Iterable[str]) -> str:
        """Return the next word and go on, if it is one of these; else return ""."""
        if self.place < len(self.words) and self.words[self.place] in among:
            self.place += 1
            return self.words[self.place - 1]
        return ""

    def phrase(self) -> Phrase:
        determiner = self.take({*_ARTICLES, *NUMERALS})
        if self.take({"cup", "cups"}):
            self.take({"of"})
        adjective = _ADJECTIVES.get(self.take(_ADJECTIVES))
        name = self.take(_NOUNS)
        if not name:
            raise ValueError(f"{self.rest()} where a noun should be; {SHAPE}")
        noun, plural = _NOUNS[name]
        if noun.plural and determiner in ("a", "an", *NUMERALS):
            plural = determiner in NUMERALS and determiner != "one"
        return Phrase(noun, _ARTICLES.get(determiner, determiner), plural, adjective)

    def verb(self) -> tuple[str, bool, Verb, str]:
        helper = self.take({"do", "does", "did"})
        negated = bool(self.take({"not"}))
        form = self.take(_VERBS)
        if not form:
            raise ValueError(f"{self.rest()} where a verb should be; {SHAPE}")
        self.take(_LINKS)
        return helper, negated, _VERBS[form], form

    def time(self) -> bool | None:
        """Whether the rest says yesterday (True), every day (False) or nothing."""
        rest = tuple(self.words[self.place :])
        if rest and rest not in _TIMES:
            raise ValueError(f"{self.rest()} after the object; {SHAPE}")
        return _TIMES.get(rest)

    def rest(self) -> str:
        rest = " ".join(self.words[self.place :])
        return f"{rest!r} stands" if rest else "nothing stands"


def _check_known(words: Sequence[str]) -> None:
    if not words:
        raise ValueError(f"there is no word; {SHAPE}")
    unknown = [word for word in words if word not in ENGLISH]
    if unknown:
        raise ValueError("; ".join(map(_unknown, dict.fromkeys(unknown))))


def _unknown(word: str) -> str:
    near = get_close_matches(word, ENGLISH, n=3)
    if not near:
        return f"unknown word {word!r}, and none of the {len(ENGLISH)} known is near it"
    named = " and ".join(map(repr, near))
    are = "one is" if len(near) == 1 else "ones are"
    return f"unknown word {word!r}; the nearest known {are} {named}"
