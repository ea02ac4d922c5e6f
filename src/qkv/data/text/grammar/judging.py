"""Judging a Korean sentence by rule, without a reference to compare it with.

The Korean is taken apart (``korean``), and each part is held to a rule: whether the
particle fits its word, whether the verb is last, whether it says what the English
says. Nothing here writes Korean, so that a mistake in writing would be noticed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from qkv.data.kinds import composed
from qkv.data.text.grammar.hangul import PARTICLES, final_consonant
from qkv.data.text.grammar.korean import (
    KOREAN_NOUNS,
    ROLES,
    Form,
    Found,
    Word,
    parts,
    verb_forms,
)
from qkv.data.text.grammar.lexicon import (
    EVERY_DAY,
    NOUNS,
    PLURAL,
    VERBS,
    YESTERDAY,
    Verb,
)
from qkv.data.text.grammar.reading import read, words_of
from qkv.data.text.grammar.sentences import OBJECT, SUBJECT, Phrase, Sentence

ENDINGS = ("어", "아", "여", "해", "셔", "다", "요")
ORDER = (SUBJECT, "time", OBJECT, "not", "verb")
COUNTER_OF = {noun.korean: noun.counter for noun in NOUNS}


@dataclass(frozen=True)
class Problem:
    """A rule that is broken, and how.

    ``name`` is "word", "form", "spacing", "order", "missing", "extra" or "particle":
    what is wrong with the Korean by itself; or "topic", "honorific", "counter",
    "plural", "numeral", "owner", "adjective", "subject", "object", "verb", "tense",
    "negation" or "time": what does not fit the English.
    """

    name: str
    said: str

    def __str__(self) -> str:
        """Return the name and the sentence."""
        return f"{self.name}: {self.said}"


@dataclass(frozen=True)
class Verdict:
    """What is wrong with a translation: nothing, if it is ``ok``."""

    problems: tuple[Problem, ...]

    @property
    def ok(self) -> bool:
        """Whether no rule is broken."""
        return not self.problems

    @property
    def names(self) -> frozenset[str]:
        """The names of the rules that are broken."""
        return frozenset(problem.name for problem in self.problems)


def judge(source: str | Sequence[str], korean: str) -> Verdict:
    """Say what is wrong with the Korean of an English sentence, without a reference.

    Parameters
    ----------
    source : the English, as typed or in words; a sentence of the grammar.
    korean : any text.

    Raises
    ------
    ValueError
        If the English is not of the grammar.

    Examples
    --------
    >>> judge("I love cats", "나는 고양이를 좋아해").ok
    True
    >>> print(*judge("I love cats", "나는 고양이을 좋아했어").problems, sep="\\n")
    particle: 고양이 ends in a vowel, so it takes 를, not 을
    tense: 좋아했어 is past, but the English is present
    """
    words = words_of(source) if isinstance(source, str) else source
    return Verdict(tuple(_problems(read(words), composed(korean))))


def _problems(sentence: Sentence, korean: str) -> Iterator[Problem]:
    if korean != " ".join(korean.split()):
        yield Problem("spacing", "one space between words, none before and after")
    found = parts(korean)
    yield from _spelled(found)
    yield from _arranged(found)
    for part in found:
        if part.noun:
            yield from _counter(part, part.noun.body)
    by_label = {part.label: part for part in reversed(found)}
    for role, phrase in ((SUBJECT, sentence.subject), (OBJECT, sentence.object)):
        part = by_label.get(role)
        if part and part.noun:
            yield from _phrase(part, part.noun, phrase, role)
    yield from _time(by_label.get("time"), sentence)
    yield from _negation("not" in by_label, sentence)
    if "verb" in by_label:
        yield from _verb(by_label["verb"].words[0].text, sentence)


def _spelled(found: list[Found]) -> Iterator[Problem]:
    """The words, and the particles that fit them."""
    for part in found:
        if part.label == "unknown":
            yield _unknown(part.words[0].text)
        for word in part.words:
            role = ROLES.get(word.marker)
            if role is None or word.marker not in PARTICLES[role]:
                continue
            after_consonant, after_vowel = PARTICLES[role]
            consonant = final_consonant(word.before_marker)
            right = after_consonant if consonant else after_vowel
            if word.marker != right:
                sound = "a consonant" if consonant else "a vowel"
                yield Problem(
                    "particle",
                    f"{word.before_marker} ends in {sound}, so it takes {right}, "
                    f"not {word.marker}",
                )


def _unknown(text: str) -> Problem:
    """Name the word that was tried: 먹아 is no form of 먹다, 로 is none."""
    verb = next((v for v in VERBS if text.startswith(_beginnings(v))), None)
    if verb and text.endswith(ENDINGS):
        return Problem("form", f"{text} is no casual form of {verb.stem}다")
    noun = next((n for n in KOREAN_NOUNS if text.startswith(n)), None)
    if noun:
        return Problem("particle", f"{text.removeprefix(noun)} after {noun} is none")
    return Problem("word", f"{text} is no word of this grammar")


def _beginnings(verb: Verb) -> tuple[str, ...]:
    """The stem, changed or not: 듣 and 들, 보 and 봐 and 봤."""
    forms = [verb.form(in_past=tense, honouring=False) for tense in (False, True)]
    return verb.stem, *(form[: len(verb.stem)] for form in forms)


def _arranged(found: list[Found]) -> Iterator[Problem]:
    """Subject, time, object, 안, verb: each once, in this order."""
    labels = [part.label for part in found]
    for label in (SUBJECT, OBJECT, "verb"):
        if label not in labels:
            yield Problem("missing", f"there is no {label}")
    for part in found:
        if part.label == "bare":
            yield Problem("particle", f"{part} has none")
        elif part.label == "stray":
            yield Problem("order", f"{part} has no noun to belong to where it stands")
    known = [label for label in labels if label in ORDER]
    for label in dict.fromkeys(known):
        if known.count(label) > 1:
            yield Problem("extra", f"there are {known.count(label)}: {label}")
    if known != sorted(known, key=ORDER.index):
        right = ", ".join(label for label in ORDER if label in known)
        yield Problem("order", f"{', '.join(known)} should be {right}")


def _phrase(found: Found, noun: Word, phrase: Phrase, role: str) -> Iterator[Problem]:
    if noun.body != phrase.noun.korean:
        yield Problem(role, f"{noun.body} does not mean {phrase.noun.objective!r}")
    for name, said, meant in (
        ("owner", found.body("owner"), phrase.owner),
        (
            "adjective",
            found.body("adjective"),
            phrase.adjective.korean if phrase.adjective else "",
        ),
        ("numeral", found.body("numeral"), phrase.numeral),
    ):
        if said != meant:
            yield Problem(name, _instead(said, meant))
    if noun.plural != phrase.takes_plural:
        should = "needs" if phrase.takes_plural else "takes no"
        yield Problem("plural", f"{noun.body} {should} {PLURAL} here")
    if role == SUBJECT:
        yield from _topic(found.head, phrase)


def _counter(found: Found, noun: str) -> Iterator[Problem]:
    counter = found.body("counter")
    if found.body("numeral") and counter != COUNTER_OF[noun]:
        wrong = f"not in {counter}" if counter else "which is missing"
        yield Problem("counter", f"{noun} is counted in {COUNTER_OF[noun]}, {wrong}")


def _instead(said: str, meant: str) -> str:
    if not said:
        return f"{meant} is missing"
    return f"{said} should be {meant}" if meant else f"{said} should not be there"


def _topic(head: Word, phrase: Phrase) -> Iterator[Problem]:
    honoured = head.marker.startswith("께서")
    if honoured != (phrase.noun.kind == "elder"):
        should = "is honoured by 께서는" if not honoured else "is not honoured by 께서"
        yield Problem("honorific", f"{head.before_marker} {should}")
    meant = "subject" if phrase.is_new else "topic"
    if ROLES[head.marker] != meant:
        why = "new: a subject" if phrase.is_new else "known: a topic"
        yield Problem("topic", f"{head.text} speaks of what is {why}")


def _time(found: Found | None, sentence: Sentence) -> Iterator[Problem]:
    said = str(found) if found else ""
    meant = (YESTERDAY if sentence.in_past else EVERY_DAY) if sentence.timed else ""
    if said != meant:
        yield Problem("time", _instead(said, meant))


def _negation(negated: bool, sentence: Sentence) -> Iterator[Problem]:
    if negated != sentence.negated:
        should = "lacks" if sentence.negated else "has"
        denies = "denies" if sentence.negated else "does not deny"
        yield Problem("negation", f"the Korean {should} 안, the English {denies}")


def _verb(text: str, sentence: Sentence) -> Iterator[Problem]:
    candidates = verb_forms()[text]
    same = [form for form in candidates if form.stem == sentence.verb.stem]
    form: Form = (same or candidates)[0]
    if not same:
        yield Problem("verb", f"{text} does not mean {sentence.verb.name!r}")
    if form.in_past != sentence.in_past:
        is_, should = ("past", "present") if form.in_past else ("present", "past")
        yield Problem("tense", f"{text} is {is_}, but the English is {should}")
    if form.honouring != sentence.honouring:
        says = "honours" if form.honouring else "does not honour"
        should = "should" if sentence.honouring else "should not"
        yield Problem("honorific", f"{text} {says} its subject, and {should}")
