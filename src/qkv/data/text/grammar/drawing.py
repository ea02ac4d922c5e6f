"""Drawing sentences at random, and which pairs of verb and object are held out."""

from collections import Counter
from collections.abc import Sequence
from functools import cache
from random import Random
from typing import TypeVar

from qkv.data.text.grammar.lexicon import (
    ADJECTIVES,
    ANIMALS,
    ELDERS,
    NOUNS,
    NUMERALS,
    PEOPLE,
    PRONOUNS,
    VERBS,
    Adjective,
    Noun,
    Verb,
)
from qkv.data.text.grammar.reading import read
from qkv.data.text.grammar.sentences import Phrase, Sentence, check

SHARE_HELD_OUT = 0.15
MINIMAL_PAIRS = 200
FIRST_PAIR = "the dog saw the cat"
# The book's own sentences: a model has seen these verbs with these objects.
ALWAYS_TRAINED = {("좋아하", "고양이"), ("보", "고양이"), ("보", "개")}

# (determiner, whether plural), each as often as it is listed
OF_ELDERS = {"teacher": (("the", False), ("the", False), ("my", False))}
BY_NAME = (("", False), ("my", False))
UNCOUNTED = (("", False), ("", False), ("the", False))
COUNTED = (
    *[("the", False)] * 3,
    *[("a", False), ("the", True), ("", True)] * 2,
)
CUPS = (("a", False), *((numeral, False) for numeral in NUMERALS))
NUMBERED = tuple((numeral, numeral != "one") for numeral in NUMERALS)
OWNED = (("my", False), ("my", False), ("my", True))

_NOUN = {noun.english: noun for noun in NOUNS}
T = TypeVar("T")


@cache
def held_out_pairs() -> frozenset[tuple[str, str]]:
    """Return the pairs of verb and object, in Korean, that no model is trained on.

    "Love" and "like" are one verb here, as they are in Korean. A verb or an object is
    held out in at most a third of its pairs.

    Examples
    --------
    >>> ("좋아하", "고양이") in held_out_pairs()
    False
    """
    rng = Random(0)
    pairs = dict.fromkeys(
        (verb.stem, _NOUN[name].korean) for verb in VERBS for name in verb.objects
    )
    total = Counter(word for pair in pairs for word in pair)
    lost: Counter[str] = Counter()
    held: set[tuple[str, str]] = set()
    for pair in sorted(pairs, key=lambda _: rng.random()):
        # what is trained in few pairs only might be learnt by heart with them
        spare = all(3 * (lost[word] + 1) <= total[word] for word in pair)
        enough = len(held) >= round(SHARE_HELD_OUT * len(pairs))
        if spare and not enough and pair not in ALWAYS_TRAINED:
            held.add(pair)
            lost.update(pair)
    return frozenset(held)


def draw(rng: Random) -> Sentence:
    """Return a sentence of the grammar, every verb as likely as any other."""
    while True:
        verb = _pick(VERBS, rng)
        sentence = Sentence(
            subject=_subject(verb, rng),
            verb=verb,
            object=_phrase(
                _NOUN[_pick(verb.objects, rng)], rng, may_be_new=not verb.state
            ),
            in_past=rng.random() < 0.5,
            negated=rng.random() < 0.3,
            timed=not verb.state and rng.random() < 0.3,
        )
        if _is_sound(sentence):
            return sentence


@cache
def minimal_pairs() -> tuple[tuple[Sentence, Sentence], ...]:
    """Return pairs of sentences of the same words, of trained verbs and objects."""
    rng = Random(0)
    sentence = read(FIRST_PAIR.split())
    found: dict[frozenset[Sentence], tuple[Sentence, Sentence]] = {}
    while len(found) < MINIMAL_PAIRS:
        turned = _turned(sentence)
        if turned and not sentence.is_crowded:
            found.setdefault(frozenset((sentence, turned)), (sentence, turned))
        sentence = draw(rng)
    return tuple(found.values())


def _turned(sentence: Sentence) -> Sentence | None:
    """The sentence with subject and object exchanged, if it has the same words."""
    turned = Sentence(
        subject=sentence.object,
        verb=sentence.verb,
        object=sentence.subject,
        in_past=sentence.in_past,
        negated=sentence.negated,
        timed=sentence.timed,
    )
    both = (sentence, turned)
    trained = all(each.pair not in held_out_pairs() for each in both)
    if not trained or not _is_sound(turned):
        return None
    one, other = (Counter(each.words) for each in both)
    return turned if one == other else None


def _is_sound(sentence: Sentence) -> bool:
    if sentence.subject.noun == sentence.object.noun:
        return False
    try:
        check(sentence)
    except ValueError:
        return False
    return True


def _subject(verb: Verb, rng: Random) -> Phrase:
    chance = rng.random()
    if chance < 0.3:
        return Phrase(_pick(PRONOUNS, rng))
    if chance < 0.45:
        return _phrase(_pick(ELDERS, rng), rng)
    who = PEOPLE + ANIMALS if verb.by_animals else PEOPLE
    return _phrase(_pick(who, rng), rng)


def _phrase(noun: Noun, rng: Random, *, may_be_new: bool = True) -> Phrase:
    if noun.kind == "pronoun":
        return Phrase(noun)
    determiner, plural = _pick(_determiners(noun, may_be_new), rng)
    return Phrase(noun, determiner, plural, _adjective(noun, rng))


@cache
def _determiners(noun: Noun, may_be_new: bool) -> tuple[tuple[str, bool], ...]:
    if noun.kind == "elder":
        return OF_ELDERS.get(noun.english, BY_NAME)
    every = COUNTED if noun.plural else UNCOUNTED
    if noun.owned:
        every += OWNED if noun.plural else OWNED[:1]
    if noun.counter:
        every += NUMBERED if noun.plural else CUPS
    if may_be_new:
        return every
    return tuple(each for each in every if each[0] in ("", "the", "my"))


def _adjective(noun: Noun, rng: Random) -> Adjective | None:
    fitting = _adjectives(noun)
    return _pick(fitting, rng) if fitting and rng.random() < 0.25 else None


@cache
def _adjectives(noun: Noun) -> tuple[Adjective, ...]:
    return tuple(each for each in ADJECTIVES if noun.english in each.nouns)


def _pick(among: Sequence[T], rng: Random) -> T:
    # random() gives the same numbers in every Python, choice() need not
    return among[int(rng.random() * len(among))]
