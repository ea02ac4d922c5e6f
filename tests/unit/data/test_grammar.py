"""The English-Korean grammar: its forms, its sentences, its judge."""

import hashlib
import unicodedata
from collections import Counter
from itertools import chain
from random import Random

import jaxtyping
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from qkv.data import EnglishKorean, Example
from qkv.data.text.grammar import forms, hangul, held_out_pairs, judge
from qkv.data.text.grammar.lexicon import ADJECTIVES, NOUNS, VERBS
from qkv.data.text.grammar.reading import words_of
from tools import korean_forms

few = settings(max_examples=25, deadline=None)
syllables = st.characters(min_codepoint=0xAC00, max_codepoint=0xD7A3)


@pytest.fixture(scope="module")
def drawn() -> EnglishKorean:
    jaxtyping.config.update("jaxtyping_disable", True)
    return EnglishKorean()


@pytest.fixture
def corpus(drawn: EnglishKorean) -> EnglishKorean:
    """Return fourteen thousand sentences: checked at each call, all takes ten times as
    long. Before each test, tests/conftest.py turns the checks on again.
    """
    jaxtyping.config.update("jaxtyping_disable", True)
    return drawn


def text(example: Example) -> str:
    return "".join(example.target)


def everything(corpus: EnglishKorean) -> list[Example]:
    pairs = chain.from_iterable(corpus.minimal_pairs())
    return [*corpus.train, *corpus.held_out, *corpus.longer, *pairs]


# --------------------------------------------------------- spelling, against an oracle


def ends_in_consonant(word: str) -> bool:
    """What Unicode says: the last of the letters is a final consonant."""
    return unicodedata.normalize("NFD", word)[-1] >= "ᆨ"


def test_the_oracle_by_hand():
    assert [ends_in_consonant(word) for word in ("책", "곰", "개", "고양이")] == [
        True,
        True,
        False,
        False,
    ]


@few
@given(syllables)
def test_a_syllable_is_split_where_unicode_splits_it(syllable):
    initial, vowel, final = hangul.split(syllable)
    assert hangul.join(initial, vowel, final) == syllable
    letters = unicodedata.normalize("NFD", syllable)
    assert bool(final) == (len(letters) == 3)
    names = [unicodedata.name(letter).split()[-1] for letter in letters]
    simple = [unicodedata.name(letter).split()[-1] for letter in (initial, vowel)]
    # alone, the silent initial has another name than above a vowel
    assert names[1] == simple[1]
    assert initial == "ㅇ" or names[0] == simple[0]


@pytest.mark.parametrize("wrong", ["", "a", "ㅏ", "고양"])
def test_what_is_no_syllable_is_refused(wrong):
    with pytest.raises(ValueError, match="is not one Korean syllable"):
        hangul.split(wrong)


@few
@given(st.text(syllables, min_size=1, max_size=3))
def test_particles_fit_the_last_sound(word):
    found = [hangul.particle(word, role) for role in ("topic", "subject", "object")]
    assert found == (["은", "이", "을"] if ends_in_consonant(word) else [*"는가를"])


# --------------------------------------------------------------- forms, held to a list

# dictionary form: present, past, honouring, honouring in the past; written by hand
VERBS_BY_HAND = {
    "보다": "봐 봤어 보셔 보셨어",
    "좋아하다": "좋아해 좋아했어 좋아하셔 좋아하셨어",
    "먹다": "먹어 먹었어 드셔 드셨어",
    "마시다": "마셔 마셨어 드셔 드셨어",
    "사다": "사 샀어 사셔 사셨어",
    "팔다": "팔아 팔았어 파셔 파셨어",
    "쓰다": "써 썼어 쓰셔 쓰셨어",
    "그리다": "그려 그렸어 그리셔 그리셨어",
    "듣다": "들어 들었어 들으셔 들으셨어",
    "돕다": "도와 도왔어 도우셔 도우셨어",
    "기다리다": "기다려 기다렸어 기다리셔 기다리셨어",
    "고르다": "골라 골랐어 고르셔 고르셨어",
    "잡다": "잡아 잡았어 잡으셔 잡으셨어",
}
ADJECTIVES_BY_HAND = {
    "크다": "큰",
    "작다": "작은",
    "하얗다": "하얀",
    "검다": "검은",
    "빨갛다": "빨간",
    "비싸다": "비싼",
    "용감하다": "용감한",
    "친절하다": "친절한",
    "뜨겁다": "뜨거운",
    "차갑다": "차가운",
    "맛있다": "맛있는",
    "아름답다": "아름다운",
}
COUNTERS_BY_HAND = {
    "명": "학생 아이 친구 농부",
    "마리": "고양이 개 토끼 새 곰 펭귄",
    "개": "사과 달걀 모자 의자 상자",
    "잔": "물 우유 커피 주스",
    "권": "책",
    "통": "편지",
    "곡": "노래",
}


def test_every_form_of_every_verb():
    made = {
        f"{verb.stem}다": " ".join(
            verb.form(in_past=in_past, honouring=honouring)
            for honouring in (False, True)
            for in_past in (False, True)
        )
        for verb in VERBS
    }
    assert made == VERBS_BY_HAND


def test_every_adjective():
    assert {f"{a.stem}다": a.korean for a in ADJECTIVES} == ADJECTIVES_BY_HAND


def test_every_counter():
    made: dict[str, list[str]] = {}
    for noun in NOUNS:
        made.setdefault(noun.counter, []).append(noun.korean)
    del made[""]
    assert {counter: " ".join(names) for counter, names in made.items()} == (
        COUNTERS_BY_HAND
    )


@pytest.mark.parametrize(
    ("stem", "irregular", "expected"),
    [
        ("배우", "", "배워 배웠어"),
        ("부르", "르", "불러 불렀어"),
        ("바쁘", "", "바빠 바빴어"),
        ("예쁘", "", "예뻐 예뻤어"),
        ("걷", "ㄷ", "걸어 걸었어"),
        ("눕", "ㅂ", "누워 누웠어"),
        ("보내", "", "보내 보냈어"),
        ("서", "", "서 섰어"),
        ("만나", "", "만나 만났어"),
        ("놓", "", "놓아 놓았어"),
        ("읽", "", "읽어 읽었어"),
    ],
)
def test_the_rules_hold_beyond_the_words_of_the_grammar(stem, irregular, expected):
    made = hangul.present(stem, irregular), hangul.past(stem, irregular)
    assert " ".join(made) == expected


def test_the_page_of_forms_is_up_to_date():
    said = "run python tools/korean_forms.py"
    assert korean_forms.PAGE.read_text("utf-8") == korean_forms.page(), said


def test_the_tables_have_every_word():
    cells = " ".join(chain.from_iterable(chain.from_iterable(t.rows for t in forms())))
    for word in (*NOUNS, *ADJECTIVES, *VERBS):
        english = word.name if word in VERBS else word.english
        assert english in cells
    assert all(len(r) == len(t.columns) for t in forms() for r in t.rows)


# ------------------------------------------------------ sentences, by hand and by rule

# written by hand, for a native reader to check
BY_HAND = [
    ("I love cats", "나는 고양이를 좋아해"),
    ("the dog saw the cat", "개는 고양이를 봤어"),
    ("the cat saw the dog", "고양이는 개를 봤어"),
    ("a dog saw the cat", "개가 고양이를 봤어"),
    ("a bear caught a bird", "곰이 새를 잡았어"),
    ("the student listens to music", "학생은 음악을 들어"),
    ("students listen to music", "학생들은 음악을 들어"),
    ("birds do not drink milk", "새는 우유를 안 마셔"),
    ("the birds do not drink milk", "새들은 우유를 안 마셔"),
    ("two birds drank water", "새 두 마리가 물을 마셨어"),
    ("three students helped four children", "학생 세 명이 아이 네 명을 도왔어"),
    ("my friend bought one book", "내 친구는 책 한 권을 샀어"),
    ("we wrote two letters yesterday", "우리는 어제 편지 두 통을 썼어"),
    ("you chose three red hats", "너는 빨간 모자 세 개를 골랐어"),
    ("I drink a cup of coffee every day", "나는 매일 커피 한 잔을 마셔"),
    ("I drank two cups of cold water", "나는 차가운 물 두 잔을 마셨어"),
    ("grandmother drinks juice", "할머니께서는 주스를 드셔"),
    ("my grandmother did not eat meat", "우리 할머니께서는 고기를 안 드셨어"),
    ("the teacher helped me", "선생님께서는 나를 도우셨어"),
    ("my teacher listens to songs", "우리 선생님께서는 노래를 들으셔"),
    ("grandfather sells white hats", "할아버지께서는 하얀 모자를 파셔"),
    ("the kind farmer waited for us", "친절한 농부는 우리를 기다렸어"),
    ("we love my big cats", "우리는 내 큰 고양이들을 좋아해"),
    ("the children like beautiful stories", "아이들은 아름다운 이야기를 좋아해"),
    ("the friend draws a beautiful bird", "친구는 아름다운 새를 그려"),
    ("a penguin did not like the penguins", "펭귄이 펭귄들을 안 좋아했어"),
]


@pytest.mark.parametrize(("english", "korean"), BY_HAND)
def test_sentences_by_hand(corpus, english, korean):
    assert text(corpus.parse(english)) == korean
    assert corpus.judge(english, korean).ok


# words that end like a particle and carry none
NO_PARTICLE = {"고양이", "아이", *ADJECTIVES_BY_HAND.values()}


def test_every_particle_fits_by_the_oracle(corpus):
    seen = Counter()
    for example in everything(corpus):
        for word in text(example).split():
            if word[-1] in "은는이가을를" and word not in NO_PARTICLE:
                if not word.endswith("께서는"):
                    assert ends_in_consonant(word[:-1]) == (word[-1] in "은이을"), word
                seen[word[-1]] += 1
    assert set(seen) == set("은는이가을를")
    assert min(seen.values()) > 500


def test_every_sentence_passes_the_judge(corpus):
    wrong = {
        (" ".join(each.source), text(each)): verdict.problems
        for each in everything(corpus)
        if not (verdict := judge(each.source, text(each))).ok
    }
    assert wrong == {}


def test_every_sentence_is_read_back(corpus):
    drawn = Random(0).sample(everything(corpus), 300)
    assert all(corpus.parse(" ".join(example.source)) == example for example in drawn)


def test_every_sentence_has_one_translation(corpus):
    sources = [example.source for example in everything(corpus)]
    assert len(set(sources)) == len(sources)


# ------------------------------------------------------------------------------ judging

JUDGED = [
    ("I love cats", "나는 고양이을 좋아해", "particle"),
    ("the bear saw me", "곰는 나를 봤어", "particle"),
    ("two bears saw me", "곰 두 마리이 나를 봤어", "particle"),
    ("the students saw me", "학생들는 나를 봤어", "particle"),
    ("I love cats", "나는 고양이로 좋아해", "particle missing"),
    ("I love cats", "나는 고양이 좋아해", "particle missing"),
    ("a dog saw the cat", "개는 고양이를 봤어", "topic"),
    ("the dog saw the cat", "개가 고양이를 봤어", "topic"),
    ("I love cats", "나는 좋아해 고양이를", "order"),
    ("I love cats", "고양이를 나는 좋아해", "order"),
    ("I do not love cats", "나는 안 고양이를 좋아해", "order"),
    ("I saw two cats", "나는 두 고양이 마리를 봤어", "order particle missing"),
    ("I saw white cats", "나는 고양이를 하얀 봤어", "order adjective"),
    ("I love cats", "나는 고양이를", "missing"),
    ("I love cats", "고양이를 좋아해", "missing"),
    ("I love cats", "나는 나는 고양이를 좋아해", "extra"),
    ("I love cats", "나는 고양이를 좋아했어", "tense"),
    ("I saw the dog", "나는 개를 봐", "tense"),
    ("I do not love cats", "나는 고양이를 좋아해", "negation"),
    ("I love cats", "나는 고양이를 안 좋아해", "negation"),
    ("I ate three apples", "나는 사과 세 마리를 먹었어", "counter"),
    ("I ate three apples", "나는 사과 세를 먹었어", "word particle missing"),
    ("I saw two dogs", "나는 개 두 개를 봤어", "counter"),
    ("I saw two dogs", "나는 개 세 마리를 봤어", "numeral"),
    ("I saw two dogs", "나는 개를 봤어", "numeral"),
    ("I love cats", "나는 고양이들을 좋아해", "plural"),
    ("the cats saw me", "고양이는 나를 봤어", "plural"),
    ("I bought the books", "나는 책들을 샀어", "plural"),
    ("grandmother saw me", "할머니께서는 나를 봤어", "honorific"),
    ("grandmother saw me", "할머니는 나를 보셨어", "honorific"),
    ("grandmother ate bread", "할머니께서는 빵을 먹었어", "honorific"),
    ("I ate bread", "나는 빵을 드셨어", "honorific"),
    ("the dog saw me", "개께서는 나를 봤어", "honorific"),
    ("I love my cat", "나는 고양이를 좋아해", "owner"),
    ("my teacher saw me", "내 선생님께서는 나를 보셨어", "owner"),
    ("I saw the big cat", "나는 작은 고양이를 봤어", "adjective"),
    ("I saw the big cat", "나는 고양이를 봤어", "adjective"),
    ("the dog saw the cat", "고양이는 개를 봤어", "subject object"),
    ("I love cats", "나는 고양이를 봐", "verb"),
    ("I drank milk yesterday", "나는 우유를 마셨어", "time"),
    ("I drank milk", "나는 어제 우유를 마셨어", "time"),
    ("I listened to music", "나는 음악을 듣었어", "form missing"),
    ("I love cats", "나는 고양이를 좋아해요", "form missing"),
    ("I love cats", "나는 문어를 좋아해", "word missing"),
    ("I love cats", "나는  고양이를 좋아해 ", "spacing"),
    ("I love cats", "", "missing"),
    ("I love cats", "I love cats", "word missing"),
]


@pytest.mark.parametrize(("english", "korean", "names"), JUDGED)
def test_each_mistake_is_named(english, korean, names):
    verdict = judge(english, korean)
    assert verdict.names == set(names.split())
    assert not verdict.ok


def test_a_problem_says_what_and_why():
    (problem,) = judge("I love cats", "나는 고양이을 좋아해").problems
    assert str(problem) == "particle: 고양이 ends in a vowel, so it takes 를, not 을"


@pytest.mark.parametrize(
    ("english", "korean", "said"),
    [
        ("I saw the big cat", "나는 고양이를 봤어", "큰 is missing"),
        ("I saw the big cat", "나는 작은 고양이를 봤어", "작은 should be 큰"),
        ("I saw the cat", "나는 큰 고양이를 봤어", "큰 should not be there"),
        ("I drank milk yesterday", "나는 우유를 마셨어", "어제 is missing"),
        ("I drank milk", "나는 어제 우유를 마셨어", "어제 should not be there"),
        ("I saw two dogs", "나는 개 두 개를 봤어", "개 is counted in 마리, not in 개"),
        (
            "I saw two dogs",
            "나는 개 두 봤어",
            "개 is counted in 마리, which is missing",
        ),
    ],
)
def test_what_is_missing_and_what_is_too_much_is_told(english, korean, said):
    assert said in {problem.said for problem in judge(english, korean).problems}


def test_english_outside_the_grammar_is_not_judged():
    with pytest.raises(ValueError, match="unknown word 'tigers'"):
        judge("I love tigers", "나는 호랑이를 좋아해")


TURNED = dict(zip("은는이가을를", "는은가이를을", strict=True))
TENSES = dict(
    chain.from_iterable(
        ((one, other), (other, one))
        for written in VERBS_BY_HAND.values()
        for one, other in (written.split()[:2], written.split()[2:])
    )
)
COUNTERS = ["명", "마리", "개", "잔", "권", "통", "곡"]
# the next counter, with the particle that fits it: only the counter is wrong
OTHER_COUNTER = {
    counter + before[ends_in_consonant(counter)]: other + after
    for counter, other in zip(COUNTERS, COUNTERS[1:] + COUNTERS[:1], strict=True)
    for before in ("가이", "를을")
    for after in before[ends_in_consonant(other)]
}


def wrong_particle(words: list[str]) -> list[str]:
    place = next(
        i
        for i, w in enumerate(words)
        if w[-1] in TURNED and w not in NO_PARTICLE and not w.endswith("께서는")
    )
    return [
        *words[:place],
        words[place][:-1] + TURNED[words[place][-1]],
        *words[place + 1 :],
    ]


def wrong_tense(words: list[str]) -> list[str]:
    return [*words[:-1], TENSES[words[-1]]]


def wrong_order(words: list[str]) -> list[str]:
    return [words[-1], *words[:-1]]


def without_negation(words: list[str]) -> list[str]:
    return [word for word in words if word != "안"]


def with_negation(words: list[str]) -> list[str]:
    return [*words[:-1], "안", words[-1]] if "안" not in words else words


def wrong_counter(words: list[str]) -> list[str]:
    counted = [before in "한두세네" for before in ["는", *words[:-1]]]
    return [
        OTHER_COUNTER[word] if is_counter else word
        for word, is_counter in zip(words, counted, strict=True)
    ]


@pytest.mark.parametrize(
    ("name", "spoil"),
    [
        ("particle", wrong_particle),
        ("tense", wrong_tense),
        ("order", wrong_order),
        ("negation", without_negation),
        ("negation", with_negation),
        ("counter", wrong_counter),
    ],
)
def test_spoilt_sentences_are_rejected_by_name(corpus, name, spoil):
    spoilt = 0
    for example in Random(0).sample(everything(corpus), 1000):
        words = text(example).split()
        wrong = spoil(words)
        if wrong != words:
            assert judge(example.source, " ".join(wrong)).names == {name}
            spoilt += 1
    assert spoilt > 100


@few
@given(st.text(st.sampled_from("나는 고양이를개두마리안봤어좋아해 x"), max_size=12))
def test_any_text_is_judged(korean):
    assert judge("I love cats", korean).ok == (korean == "나는 고양이를 좋아해")


# ------------------------------------------------------------------------------- corpus


def test_the_seed_decides_the_sentences(corpus):
    again, other = EnglishKorean(seed=0), EnglishKorean(seed=1)
    for side in ("train", "held_out", "longer"):
        assert getattr(again, side) == getattr(corpus, side)
        assert getattr(other, side) != getattr(corpus, side)
    assert other.minimal_pairs() == corpus.minimal_pairs()
    assert other.source_vocab.tokens == corpus.source_vocab.tokens
    assert other.target_vocab.tokens == corpus.target_vocab.tokens


ENGLISH_VERBS = {
    form: verb.english[0] if verb.english[0] != "love" else "like"
    for verb in VERBS
    for form in verb.english
}


def pair_of(example: Example) -> tuple[str, str]:
    """Verb and object, found without the grammar's own idea of a pair."""
    verb = example.source[example.source_fields.index("verb")]
    korean = zip(example.target, example.target_fields, strict=True)
    return ENGLISH_VERBS[verb], "".join(s for s, field in korean if field == "object")


# of all that seed 0 draws, as chapter 7 was written with it
DRAWN = {"train": "cb5eb372d01d", "held_out": "004d52b9dc1c", "longer": "c40d7dafbdaf"}


def test_the_sentences_are_those_that_they_were(corpus):
    for side, digest in DRAWN.items():
        drawn = repr(getattr(corpus, side)).encode()
        assert hashlib.sha256(drawn).hexdigest()[:12] == digest


def test_held_out_pairs_are_never_trained(corpus):
    trained = {pair_of(example) for example in corpus.train}
    held_out = {pair_of(example) for example in corpus.held_out}
    assert not trained & held_out
    assert not {pair_of(example) for example in corpus.longer} & held_out
    assert len(held_out) == len(held_out_pairs())
    assert len(held_out) / len(trained | held_out) == pytest.approx(0.15, abs=0.005)


def test_verbs_and_objects_are_trained_in_other_pairs(corpus):
    trained = {pair_of(example) for example in corpus.train}
    for verb, thing in {pair_of(example) for example in corpus.held_out}:
        assert sum(v == verb for v, _ in trained) >= 2
        assert sum(t == thing for _, t in trained) >= 2
    assert {("like", "고양이"), ("see", "고양이"), ("see", "개")} <= trained


def test_the_sides_are_as_large_and_as_long_as_said(corpus):
    assert [len(s) for s in (corpus.train, corpus.held_out, corpus.longer)] == [
        12_000,
        1_000,
        300,
    ]
    lengths = {len(e.source) for e in corpus.train + corpus.held_out}
    assert lengths == set(range(3, 10))
    assert {len(e.source) for e in corpus.longer} == {10, 11, 12}


def test_every_token_is_trained(corpus):
    for side, vocabulary in (
        ("source", corpus.source_vocab),
        ("target", corpus.target_vocab),
    ):
        seen = Counter(chain.from_iterable(getattr(e, side) for e in corpus.train))
        assert set(seen) == set(vocabulary.tokens[3:])
        assert min(seen.values()) >= 40


def test_minimal_pairs_have_the_same_words_and_another_meaning(corpus):
    pairs = corpus.minimal_pairs()
    trained = {pair_of(example) for example in corpus.train}
    assert len(pairs) == 200
    assert [" ".join(each.source) for each in pairs[0]] == [
        "the dog saw the cat",
        "the cat saw the dog",
    ]
    for one, other in pairs:
        assert Counter(one.source) == Counter(other.source)
        assert one.target != other.target
        assert {pair_of(one), pair_of(other)} <= trained
        assert not judge(one.source, text(other)).ok


def test_a_batch_is_of_its_sentences(corpus):
    batch = next(corpus.batches(batch_size=5, seed=0))
    words = corpus.source_vocab.decode(batch.source[0])
    assert corpus.target_vocab.decode(batch.target[0]) == (
        corpus.parse(" ".join(words)).target
    )


def test_the_corpus_describes_itself(corpus):
    assert repr(corpus) == (
        "EnglishKorean: Small English sentences, to be translated into casual Korean; "
        f"{len(corpus.source_vocab)} source and {len(corpus.target_vocab)} target "
        "tokens; 12,000 pairs to train on, 1,000 held out"
    )


# ------------------------------------------------------------------ what a reader types


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("I love cats", "I love cats"),
        ("  i LOVE cats. \n", "I love cats"),
        ("I don't love cats!", "I do not love cats"),
        ("The dog doesn’t see me", "the dog does not see me"),
        ("We didn't buy a hat", "we did not buy a hat"),
    ],
)
def test_typed_text_becomes_words(corpus, typed, words):
    assert words_of(typed) == tuple(words.split())
    assert corpus.parse(typed).source == tuple(words.split())


REFUSED = [
    ("", "there is no word; a sentence is a subject"),
    ("I love tigers", "unknown word 'tigers'; the nearest known one is 'letters'"),
    ("나는", "unknown word '나는', and none of the 127 known is near it"),
    ("I will", "unknown word 'will', and none of the 127 known is near it"),
    ("I lvoe catz", "unknown word 'lvoe'.*'love'.*; unknown word 'catz'.*'cats'"),
    ("cats", "nothing stands where a verb should be"),
    ("the loves cats", "'loves cats' stands where a noun should be"),
    ("I love", "nothing stands where a noun should be"),
    ("I cats love", "'cats love' stands where a verb should be"),
    ("I love cats dogs", "'dogs' stands after the object"),
    ("I loves cats", "this grammar writes 'I love cats'"),
    ("the cat see me", "this grammar writes 'the cat sees me'"),
    ("I saw a expensive hat", "this grammar writes 'I saw an expensive hat'"),
    ("I do love cats", "this grammar writes 'I love cats'"),
    ("I did not saw cats", "this grammar writes 'I did not see cats'"),
    ("I listen music", "this grammar writes 'I listen to music'"),
    ("me love cats", "this grammar writes 'I love cats'"),
    ("I saw two cat", "this grammar writes 'I saw two cats'"),
    ("I saw a cats", "this grammar writes 'I saw a cat'"),
    ("I love cat", "'cat' needs a word before it, such as 'the', or the plural 'cats'"),
    ("cats ate bread", "'cats' alone speaks of all cats, and takes the present"),
    ("I love you", "'love' goes with .* not with 'you'; write 'like'"),
    ("I drink books", "'drink' goes with water, milk, .* not with 'book'"),
    ("the hat saw me", "'hat' can't see anything"),
    ("I saw grandmother", "'grandmother' is only a subject in this grammar"),
    ("the grandmother saw me", "written 'grandmother' or 'my grandmother'"),
    ("teacher saw me", "written 'the teacher' or 'my teacher'"),
    ("my kind teacher saw me", "'teacher' takes no adjective"),
    ("I like two stories", "'story' is not counted in this grammar"),
    ("I ate a bread", "'bread' takes no 'a'"),
    ("I love delicious cats", "'delicious' goes with bread, .* not with 'cat'"),
    ("two you see cats", "'you' takes no 'two' before it"),
    ("I saw the me", "'I' takes no 'the' before it"),
    ("small you see cats", "'you' takes no 'small' before it"),
    ("I saw me", "'I' and 'me' speak of the same person"),
    ("we saw me", "'we' and 'me' speak of the same person"),
    ("I drink milk yesterday", "'yesterday' takes the past"),
    ("I drank milk every day", "'every day' the present"),
    ("I love cats every day", "'love' takes no time"),
    ("I do not drink milk every day", "can mean never, or not always"),
]


@pytest.mark.parametrize(("typed", "said"), REFUSED)
def test_what_is_refused_is_said_why(corpus, typed, said):
    with pytest.raises(ValueError, match=said):
        corpus.parse(typed)


# ---------------------------------------------------------------------------- alignment


def test_alignment_by_hand(corpus):
    example = corpus.parse("my dog did not drink two cups of cold milk yesterday")
    by_field: dict[str, tuple[str, str]] = {}
    for field in dict.fromkeys(example.source_fields):
        english = zip(example.source, example.source_fields, strict=True)
        korean = zip(example.target, example.target_fields, strict=True)
        by_field[field] = (
            " ".join(word for word, f in english if f == field),
            "".join(syllable for syllable, f in korean if f == field),
        )
    assert text(example) == "내 개는 어제 차가운 우유 두 잔을 안 마셨어"
    assert by_field == {
        "subject owner": ("my", "내"),
        "subject": ("dog", "개"),
        "": ("did of", " 는     을  어"),
        "not": ("not", "안"),
        "verb": ("drink", "마셨"),
        "object number": ("two", "두"),
        "object counter": ("cups", "잔"),
        "object adjective": ("cold", "차가운"),
        "object": ("milk", "우유"),
        "time": ("yesterday", "어제"),
    }


@pytest.mark.parametrize(
    ("english", "stem"),
    [
        ("I waited for you", "기다렸"),
        ("I love cats", "좋아해"),
        ("I listened to music", "들"),
        ("grandmother ate bread", "드셨"),
        ("grandmother sold bread", "파"),
        ("grandmother helped me", "도"),
    ],
)
def test_a_verb_goes_with_the_syllables_of_its_stem(corpus, english, stem):
    example = corpus.parse(english)
    korean = zip(example.target, example.target_fields, strict=True)
    verb = "".join(syllable for syllable, field in korean if field == "verb")
    assert verb == stem


def test_the_alignment_of_i_love_cats(corpus):
    expected = torch.zeros(11, 3, dtype=torch.bool)
    expected[0, 0] = expected[3:6, 2] = expected[8:11, 1] = True
    assert torch.equal(corpus.parse("I love cats").alignment, expected)
