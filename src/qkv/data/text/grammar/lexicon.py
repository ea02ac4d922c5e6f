"""The words of the grammar, each with what its Korean forms depend on."""

from dataclasses import dataclass
from functools import cached_property

from qkv.data.text.grammar.hangul import PARTICLES, attributive, honour, past, present

NUMERALS = {"one": "한", "two": "두", "three": "세", "four": "네"}
NOT, YESTERDAY, EVERY_DAY = "안", "어제", "매일"
MY, OUR = "내", "우리"  # "my grandmother" is 우리 할머니
PLURAL = "들"
HONORIFIC_TOPIC = "께서는"  # 께서, honouring, and the topic


@dataclass(frozen=True)
class Noun:
    """A noun, or a pronoun.

    ``kind`` is "pronoun", "elder" (honoured), "person", "animal", "food", "drink" or
    "thing". ``plural`` is empty where English has none here, ``counter`` where the
    grammar does not count. What is ``owned`` is sometimes drawn with "my".
    """

    english: str
    plural: str
    korean: str
    kind: str
    counter: str = ""
    owned: bool = False

    @property
    def animate(self) -> bool:
        """Whether it can be a subject, and its plural takes 들."""
        return self.kind in ("pronoun", "elder", "person", "animal")

    @property
    def objective(self) -> str:
        """The English singular as an object: "me" for "I"."""
        return {"I": "me", "we": "us"}.get(self.english, self.english)


@dataclass(frozen=True)
class Adjective:
    """An adjective, and the nouns it goes with."""

    english: str
    stem: str
    irregular: str
    nouns: tuple[str, ...]

    @cached_property
    def korean(self) -> str:
        """The form before a noun."""
        return attributive(self.stem, self.irregular)


@dataclass(frozen=True)
class Verb:
    """A verb with an object.

    ``english`` is what follows "did not", what follows "the cat" in the present, and
    the past; ``link`` the "to" of "listen to". ``honorific`` is a word of its own, 드시
    for 먹 and 마시, where the rule does not give one. A ``state`` does not happen on a
    day, ``by_animals`` is whether animals do it.
    """

    english: tuple[str, str, str]
    stem: str
    objects: tuple[str, ...]
    irregular: str = ""
    link: str = ""
    honorific: str = ""
    state: bool = False
    by_animals: bool = False

    @property
    def name(self) -> str:
        """The English verb as it is looked up: "listen to"."""
        return f"{self.english[0]} {self.link}".strip()

    def form(self, *, in_past: bool, honouring: bool) -> str:
        """Return the casual form, ending in 아 or 어."""
        tense = past if in_past else present
        if honouring:
            return tense(self.honorific or honour(self.stem, self.irregular))
        return tense(self.stem, self.irregular)

    def stem_of(self, *, honouring: bool) -> str:
        """Return the stem whose syllables a form begins with, changed or not."""
        return self.honorific if honouring and self.honorific else self.stem


PRONOUNS = (
    Noun("I", "", "나", "pronoun"),
    Noun("you", "", "너", "pronoun"),
    Noun("we", "", "우리", "pronoun"),
)
ELDERS = (
    Noun("grandmother", "", "할머니", "elder"),
    Noun("grandfather", "", "할아버지", "elder"),
    Noun("teacher", "", "선생님", "elder"),
)
PEOPLE = (
    Noun("student", "students", "학생", "person", "명"),
    Noun("child", "children", "아이", "person", "명"),
    Noun("friend", "friends", "친구", "person", "명", owned=True),
    Noun("farmer", "farmers", "농부", "person", "명"),
)
ANIMALS = (
    Noun("cat", "cats", "고양이", "animal", "마리", owned=True),
    Noun("dog", "dogs", "개", "animal", "마리", owned=True),
    Noun("rabbit", "rabbits", "토끼", "animal", "마리", owned=True),
    Noun("bird", "birds", "새", "animal", "마리", owned=True),
    Noun("bear", "bears", "곰", "animal", "마리"),
    Noun("penguin", "penguins", "펭귄", "animal", "마리"),
)
FOOD = (
    Noun("bread", "", "빵", "food", owned=True),
    Noun("meat", "", "고기", "food"),
    Noun("apple", "apples", "사과", "food", "개", owned=True),
    Noun("egg", "eggs", "달걀", "food", "개"),
)
DRINKS = (
    Noun("water", "", "물", "drink", "잔"),
    Noun("milk", "", "우유", "drink", "잔", owned=True),
    Noun("coffee", "", "커피", "drink", "잔", owned=True),
    Noun("juice", "", "주스", "drink", "잔"),
)
THINGS = (
    Noun("book", "books", "책", "thing", "권", owned=True),
    Noun("hat", "hats", "모자", "thing", "개", owned=True),
    Noun("chair", "chairs", "의자", "thing", "개", owned=True),
    Noun("box", "boxes", "상자", "thing", "개", owned=True),
    Noun("letter", "letters", "편지", "thing", "통", owned=True),
    Noun("song", "songs", "노래", "thing", "곡", owned=True),
    Noun("story", "stories", "이야기", "thing", owned=True),
    Noun("music", "", "음악", "thing"),
)
NOUNS = (*PRONOUNS, *ELDERS, *PEOPLE, *ANIMALS, *FOOD, *DRINKS, *THINGS)


def _names(*groups: tuple[Noun, ...]) -> tuple[str, ...]:
    return tuple(noun.english for group in groups for noun in group)


ADJECTIVES = (
    Adjective("big", "크", "", (*_names(ANIMALS), "apple", "egg", "box")),
    Adjective("small", "작", "", (*_names(ANIMALS), "apple", "egg", "box")),
    Adjective("white", "하얗", "ㅎ", (*_names(ANIMALS), "hat", "chair", "box")),
    Adjective("black", "검", "", (*_names(ANIMALS), "hat", "chair", "box")),
    Adjective("red", "빨갛", "ㅎ", ("apple", "hat", "chair", "box")),
    Adjective("expensive", "비싸", "", ("meat", "coffee", "hat", "chair", "book")),
    Adjective("brave", "용감하", "", _names(PEOPLE, ANIMALS)),
    Adjective("kind", "친절하", "", ("student", "friend", "farmer")),
    Adjective("hot", "뜨겁", "ㅂ", ("water", "milk", "coffee")),
    Adjective("cold", "차갑", "ㅂ", _names(DRINKS)),
    Adjective("delicious", "맛있", "", (*_names(FOOD), "milk", "coffee", "juice")),
    Adjective("beautiful", "아름답", "ㅂ", ("bird", "song", "story", "music")),
)

TRADED = (*_names(FOOD, DRINKS), "book", "hat", "chair", "box")
LOVED = (*_names(ANIMALS, FOOD, DRINKS), "book", "hat", "song", "story", "music")
VERBS = (
    Verb(
        ("see", "sees", "saw"),
        "보",
        (*_names(PEOPLE, ANIMALS, PRONOUNS), "hat", "chair", "box", "letter"),
        by_animals=True,
    ),
    Verb(("love", "loves", "loved"), "좋아하", LOVED, state=True, by_animals=True),
    Verb(
        ("like", "likes", "liked"),
        "좋아하",
        (*LOVED, *_names(PEOPLE, PRONOUNS)),
        state=True,
        by_animals=True,
    ),
    Verb(("eat", "eats", "ate"), "먹", _names(FOOD), honorific="드시", by_animals=True),
    Verb(
        ("drink", "drinks", "drank"),
        "마시",
        _names(DRINKS),
        honorific="드시",
        by_animals=True,
    ),
    Verb(("buy", "buys", "bought"), "사", TRADED),
    Verb(("sell", "sells", "sold"), "팔", TRADED),
    Verb(("write", "writes", "wrote"), "쓰", ("letter", "book", "story")),
    Verb(
        ("draw", "draws", "drew"),
        "그리",
        (*_names(PEOPLE, ANIMALS), "apple", "hat", "chair", "box"),
    ),
    Verb(
        ("listen", "listens", "listened"),
        "듣",
        ("song", "story", "music"),
        irregular="ㄷ",
        link="to",
    ),
    Verb(
        ("help", "helps", "helped"),
        "돕",
        _names(PEOPLE, ANIMALS, PRONOUNS),
        irregular="ㅂ",
        by_animals=True,
    ),
    Verb(
        ("wait", "waits", "waited"),
        "기다리",
        (*_names(PEOPLE, ANIMALS, PRONOUNS), "letter"),
        link="for",
        by_animals=True,
    ),
    Verb(
        ("choose", "chooses", "chose"),
        "고르",
        ("apple", "egg", "bread", *_names(THINGS[:4]), "song", "story"),
        irregular="르",
    ),
    Verb(
        ("catch", "catches", "caught"),
        "잡",
        ("cat", "rabbit", "bird", "bear", "penguin"),  # of a dog it would be: butcher
        by_animals=True,
    ),
)


def syllables() -> tuple[str, ...]:
    """Return every syllable that a Korean sentence can hold, and the space, sorted."""
    texts = [" ", NOT, YESTERDAY, EVERY_DAY, MY, OUR, PLURAL, HONORIFIC_TOPIC]
    texts += NUMERALS.values()
    texts += (text for both in PARTICLES.values() for text in both)
    texts += (noun.korean + noun.counter for noun in NOUNS)
    texts += (adjective.korean for adjective in ADJECTIVES)
    texts += (
        verb.form(in_past=in_past, honouring=honouring)
        for verb in VERBS
        for in_past in (False, True)
        for honouring in (False, True)
    )
    return tuple(sorted(set("".join(texts))))
