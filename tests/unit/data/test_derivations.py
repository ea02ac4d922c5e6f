"""Derived words and phrases of them: what is drawn, held out, meant and judged."""

import pytest
import torch

from qkv.data import Derivations, DerivedPhrases
from qkv.data.text.derivations import PREFIXES, STEMS, SUFFIXES, WORDS
from qkv.decoding import greedy
from qkv.subwords import learn
from qkv.training import fit
from qkv.transformer import Transformer, TransformerConfig


@pytest.fixture(scope="module")
def words() -> Derivations:
    return Derivations()


@pytest.fixture(scope="module")
def phrases(words) -> DerivedPhrases:
    return DerivedPhrases(words, list, phrases=50, asked=7)


# ------------------------------------------------------------------------------- words


def test_there_are_so_many_parts():
    assert (len(PREFIXES), len(set(STEMS)), len(set(SUFFIXES))) == (7, 90, 16)
    assert STEMS.index("afford") == 9
    assert len(WORDS) == 8 * 90 * 17


@pytest.mark.parametrize("seed", range(3))
def test_a_fifth_is_held_out_and_nothing_is_in_both(seed):
    words = Derivations(seed)
    assert not words.counts.keys() & words.held_out.keys()
    types = len(words.counts) + len(words.held_out)
    assert types / 5 - 1 <= len(words.held_out) <= types / 5 + 1
    drawn = sum(words.counts.values()) + sum(words.held_out.values())
    assert drawn in (20_000, 20_001), "unaffordable counts as one that was drawn"
    assert "unaffordable" in words.held_out


def test_the_same_seed_draws_the_same(words):
    assert Derivations(0).counts == words.counts
    assert Derivations(1).counts != words.counts


def test_parts_are_drawn_as_often_as_is_said(words):
    every = words.counts | words.held_out
    prefixed = sum(n for word, n in every.items() if words.truth(word)[0] in PREFIXES)
    bare = sum(n for word, n in every.items() if words.truth(word)[-1] in STEMS)
    assert prefixed / 20_000 == pytest.approx(0.45, abs=0.02)
    assert bare / 20_000 == pytest.approx(0.25, abs=0.02)
    first, ninth = (
        sum(n for word, n in every.items() if stem in words.truth(word))
        for stem in (STEMS[0], STEMS[8])
    )
    assert first / ninth == pytest.approx(9**0.7, rel=0.2)


def test_the_truth_of_a_word_is_its_morphemes(words):
    assert words.truth("unaffordable") == ["un", "afford", "able"]
    assert words.truth("overbuilders") == ["over", "build", "er", "s"]
    assert words.truth("read") == ["read"]
    assert all("".join(words.truth(word)) == word for word in words.counts)


@pytest.mark.parametrize("word", ["", "unable", "affordables", "Read"])
def test_what_is_no_derived_word_is_refused(words, word):
    with pytest.raises(ValueError, match=f"^'{word}' is not a derived word: one of 90"):
        words.truth(word)


def test_words_describe_themselves(words):
    assert repr(words).startswith("Derivations: 4,9")


# ----------------------------------------------------------------------------- phrases


def test_phrases_mean_their_words(phrases, words):
    example = phrases.parse("overbuilders read unaffordable")
    assert example.target[:4] == ("BUILD", "-er", "-s", "over-")
    assert example.target[4:7] == ("/", "READ", "/")
    assert [t for t in example.source if t.startswith("▁")] == ["▁o", "▁r", "▁u"]
    assert all(e.target.count("/") == 3 for e in phrases.train)
    assert (len(phrases.train), len(phrases.held_out), len(phrases.again)) == (50, 7, 7)


def spelt(example) -> list[str]:
    return "".join(example.source).split("▁")[1:]


def test_held_out_phrases_have_held_out_words_alone(phrases, words):
    assert all(w in words.held_out for e in phrases.held_out for w in spelt(e))
    every = phrases.train + phrases.again
    assert all(w in words.counts for e in every for w in spelt(e))
    assert all(e not in phrases.train for e in phrases.again)


def test_each_phrase_is_what_its_words_are(phrases):
    for example in phrases.train[:5] + phrases.held_out:
        assert phrases.parse(" ".join(spelt(example))) == example


def test_whole_words_that_were_never_seen_are_one_token(words):
    by_words = DerivedPhrases(words, words.whole, phrases=50, asked=7)
    assert {t for e in by_words.held_out for t in e.source} == {"▁<unk>"}
    assert all(len(e.source) == 3 for e in by_words.train)
    batch = by_words.collate(by_words.held_out + by_words.again)
    assert batch.source.shape == (14, 3)


def test_subwords_cut_a_phrase_and_a_batch_is_drawn(words):
    bpe = learn(words.counts, 50)
    cut = DerivedPhrases(words, bpe.split, phrases=50, asked=7)
    example = cut.parse("unaffordable read")
    assert "".join(example.source) == "▁unaffordable▁read"
    assert len(example.source) < len("unaffordableread")
    batch = next(cut.batches(batch_size=8, seed=0))
    assert torch.equal(batch.source, next(cut.batches(batch_size=8, seed=0)).source)


@pytest.mark.parametrize(
    ("written", "right"),
    [
        ("READ -s / FOLD un- / LOCK /", [True, True, True]),
        ("READ -s / FOLD / LOCK /", [True, False, True]),
        ("READ -s / FOLD un- / LOCK", [True, True, False]),
        ("READ -s / LOCK /", [True, False, False]),
        ("READ -s / FOLD un- / LOCK / LOCK /", [True, True, True]),
        ("", [False, False, False]),
    ],
)
def test_words_are_judged_one_by_one(phrases, written, right):
    example = phrases.parse("reads unfold lock")
    assert phrases.right(written.split(), example) == right


def test_what_was_typed_is_to_be_derived_words(phrases):
    with pytest.raises(ValueError, match="'cats' is not a derived word"):
        phrases.parse("reads cats")
    with pytest.raises(ValueError, match="phrases must be at least 1, not 0"):
        DerivedPhrases(phrases.words, list, phrases=0)


def test_a_transformer_is_trained_writes_and_is_judged(words):
    cut = DerivedPhrases(words, learn(words.counts, 50).split, phrases=50, asked=7)
    config = TransformerConfig(
        len(cut.source_vocab), len(cut.target_vocab), d_model=8, heads=2, layers=(1, 1)
    )
    torch.manual_seed(0)
    model = Transformer(config)
    history = fit(model, cut.batches(batch_size=16, seed=0), steps=4)
    assert history.losses[-1] < history.losses[0]
    written = greedy(model, *cut.collate_sources(cut.held_out), max_length=30)
    told = map(cut.target_vocab.decode, written)
    right = [cut.right(w, e) for w, e in zip(told, cut.held_out, strict=True)]
    assert [len(of_phrase) for of_phrase in right] == [3] * 7
