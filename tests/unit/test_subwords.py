"""Subwords: merges and cuts against Hugging Face's, tiktoken's and a count by hand."""

import json
import pickle
import re
from collections import Counter
from unicodedata import normalize

import pytest
import tiktoken
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from sklearn.metrics import precision_recall_fscore_support
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from qkv.data import Derivations, cldr_names
from qkv.subwords import (
    BytePairs,
    boundary_scores,
    learn,
    longest_match,
    merged,
    pairs,
    trace,
    units,
    vocabulary,
)

BY = ("character", "jamo", "byte")
HAND = {"able": 5, "unable": 4, "afford": 6, "unfold": 2}
FAMILY = "👩\u200d👩\u200d👧"  # five characters that are drawn as one
NINE = "a+b l+e ab+le f+o a+f r+d u+n fo+rd af+ford"

# Texts of a few letters repeat themselves: pairs overlap, and counts are equal.
few = st.text(st.sampled_from("ab가ㅋ"), min_size=1, max_size=12)
counted = st.dictionaries(few, st.integers(1, 5), min_size=1, max_size=12)
any_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


def of_tokenizers(counts: dict[str, int], merges: int, by: str = "character"):
    """Return Hugging Face's tokenizer after at least so many merges, and its merges."""
    words = {"".join(units(word, by)): often for word, often in counts.items()}
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    size = len(set("".join(words))) + merges
    trainer = trainers.BpeTrainer(vocab_size=size, min_frequency=0, show_progress=False)
    texts = (" ".join([word] * often) for word, often in words.items())
    tokenizer.train_from_iterator(texts, trainer)
    found = json.loads(tokenizer.to_str())["model"]["merges"]
    return tokenizer, tuple(map(tuple, found))


@pytest.fixture(scope="module")
def english() -> Derivations:
    return Derivations()


@pytest.fixture(scope="module")
def korean() -> dict[str, int]:
    return Counter(word for (name,) in cldr_names("ko") for word in name.split())


# ------------------------------------------------------------------------------- units


def test_a_cat_has_so_many_units():
    assert [len(units("고양이", by)) for by in BY] == [3, 7, 9]


def test_what_looks_the_same_has_the_same_units_but_for_bytes():
    in_parts = normalize("NFD", "고양이")
    assert units(in_parts) == units("고양이")
    assert units(in_parts, "jamo") == units("고양이", "jamo")
    assert len(units(in_parts, "byte")) == 21


@pytest.mark.parametrize("by", BY)
def test_of_nothing_there_are_no_units(by):
    assert units("", by) == []
    assert learn({"": 5}, 3, by=by).encode("") == []
    assert learn({}, 3, by=by).decode([]) == ""


@pytest.mark.parametrize("by", BY)
def test_half_of_a_pair_is_no_character(by):
    with pytest.raises(ValueError, match=r"'\\ud83d' at place 1 is half .*errors='rep"):
        units("a\ud83d", by)


def test_an_unknown_unit_is_refused():
    with pytest.raises(ValueError, match="by is 'word', but units are 'character',"):
        units("a", "word")


@pytest.mark.parametrize("text", [b"able", ["a", "ble"], None])
def test_a_text_is_a_str(text, as_readers_run_it):
    with pytest.raises(
        TypeError, match=rf"of type {type(text).__name__}, but is to be a"
    ):
        units(text)


# ---------------------------------------------------------------------- pairs and merge


def test_pairs_are_counted_as_often_as_their_words():
    words = {tuple(word): often for word, often in HAND.items()}
    assert pairs(words).most_common(3) == [
        (("a", "b"), 9),
        (("b", "l"), 9),
        (("l", "e"), 9),
    ]
    assert ("e", "u") not in pairs(words), "no pair reaches into another word"


def test_pairs_overlap_and_are_merged_once():
    assert pairs({("a",) * 4: 2}) == {("a", "a"): 6}
    assert merged("aaaa", ("a", "a")) == ("aa", "aa")
    assert merged("aaa", ("a", "a")) == ("aa", "a")


def test_a_merge_joins_tokens_not_letters():
    assert merged(("ab", "b", "a", "bb"), ("a", "b")) == ("ab", "b", "a", "bb")
    assert merged(("ab", "b", "ab", "b", "b"), ("ab", "b")) == ("abb", "abb", "b")
    assert merged((), ("a", "b")) == ()


# ---------------------------------------------------------------------------- learning


def test_nine_merges_by_hand():
    bpe = learn(HAND, 9)
    assert " ".join(map("+".join, bpe.merges)) == NINE
    assert bpe.split("unaffordable") == ["un", "afford", "able"]
    assert bpe.encode("unaffordable") == [16, 18, 12]
    assert bpe.tokens[:10] == tuple("abdeflnoru")
    assert repr(bpe) == "BytePairs of 19 tokens: 10 units by character, 9 merges"


def test_the_words_of_algorithm_1():
    counts = {"low·": 5, "lower·": 2, "newest·": 6, "widest·": 3}
    made = [a + b for a, b in learn(counts, 10).merges]
    assert {"es", "est·", "lo", "low", "newest·", "low·"} <= set(made)


@pytest.mark.parametrize(
    ("by", "merges"), [("character", 300), ("character", 600), ("jamo", 200)]
)
def test_english_merges_are_those_of_tokenizers(english, by, merges):
    _, expected = of_tokenizers(english.counts, merges, by)
    assert learn(english.counts, merges, by=by).merges == expected


@pytest.mark.parametrize("by", ["character", "jamo"])
def test_korean_merges_are_those_of_tokenizers(korean, by):
    _, expected = of_tokenizers(korean, 300, by)
    assert len(expected) >= 300
    assert learn(korean, len(expected), by=by).merges == expected


@given(counted, st.integers(0, 20))
@example({"ㅋㅋㅋㅋㅋ": 1, "ㅋㅋ": 2}, 5)
@example({"aaaa": 1, "aaaaaaa": 3}, 9)
@example({"ab": 1, "ba": 1}, 2)
def test_merges_and_cuts_are_those_of_tokenizers(counts, merges):
    tokenizer, expected = of_tokenizers(counts, merges)
    bpe = learn(counts, len(expected))
    assert bpe.merges == expected
    assert [tokenizer.id_to_token(i) for i in range(len(bpe.tokens))] == [*bpe.tokens]
    for word in [*counts, "".join(counts)]:
        found = tokenizer.encode(word)
        assert (bpe.split(word), bpe.encode(word)) == (found.tokens, found.ids)


@given(counted, st.integers(0, 20), st.sampled_from(BY))
def test_the_trace_counts_anew_and_learns_the_same(counts, merges, by):
    steps = trace(counts, merges, by=by)
    bpe = learn(counts, merges, by=by)
    assert tuple(step.pair for step in steps) == bpe.merges
    for step in steps:
        assert step.counts[step.pair] == max(step.counts.values())
    if steps:
        assert steps[-1].words == {tuple(bpe.split(w)): n for w, n in counts.items()}


def ratio(ab, a, b):
    return ab / (a * b)


def of_the_best_ratio(counts, merges):
    """Merges by the score that is called WordPiece's, all counted anew each time."""
    words = {tuple(word): often for word, often in counts.items()}
    ids = {
        unit: i for i, unit in enumerate(sorted({u for word in words for u in word}))
    }
    for _ in range(merges):
        both = pairs(words)
        each = Counter(t for word, n in words.items() for t in word for _ in range(n))
        if not both:
            return
        (a, b) = pair = min(
            both,
            key=lambda p: (-ratio(both[p], *(each[t] for t in p)), *map(ids.get, p)),
        )
        ids.setdefault(a + b, len(ids))
        words = {merged(word, pair): often for word, often in words.items()}
        yield pair


@given(counted, st.integers(0, 20))
def test_another_score_sees_how_often_each_token_still_occurs(counts, merges):
    assert learn(counts, merges, score=lambda ab, a, b: ab) == learn(counts, merges)
    expected = tuple(of_the_best_ratio(counts, merges))
    assert learn(counts, merges, score=ratio).merges == expected


@given(counted, st.data())
def test_the_first_merges_are_a_vocabulary_of_their_own(counts, data):
    bpe = learn(counts, 20)
    some = data.draw(st.integers(0, len(bpe.merges)))
    assert bpe.first(some) == learn(counts, some)
    assert bpe.first(some).tokens == learn(counts, some).tokens


def test_no_more_is_learnt_than_there_is():
    bpe = learn({"abc": 2}, 100)
    assert bpe.merges == (("a", "b"), ("ab", "c"))
    with pytest.raises(ValueError, match=r"first\(3\) asks for 3 merges, but 2 w"):
        bpe.first(3)


def test_the_same_word_in_two_forms_is_one():
    counts = {"가": 1, normalize("NFD", "가"): 2, "나나": 2}
    assert trace(counts, 1)[0].words == {("가",): 3, ("나나",): 2}


def test_a_word_that_never_occurs_is_no_reason_to_merge():
    assert learn({"ab": 0}, 5).merges == ()
    with pytest.raises(ValueError, match="count of 'ab' must be at least 0, not -1"):
        learn({"ab": -1}, 5)


def test_a_text_is_not_counts(as_readers_run_it):
    with pytest.raises(TypeError, match=r"of type str, .* Counter\(text\.split\(\)\)"):
        learn("some text", 5)


# -------------------------------------------------------------------- there and back


@pytest.fixture(scope="module")
def vocabularies(english, korean) -> dict[str, BytePairs]:
    counts = dict(korean) | english.counts | {f"😀{FAMILY}": 9, "é": 1}
    return {by: learn(counts, 200, by=by) for by in BY}


@given(any_text)
@example("")
@example(FAMILY + " e\u0301 \u1100\u1161\u11a8 ㅋㅋㅋㅋㅋ\x00\n")
@example(
    "\u0344\u2126\ufb01\u0958"
)  # whose composed form is two characters, or another
def test_bytes_give_the_very_text_back(vocabularies, text):
    bpe = vocabularies["byte"]
    assert bpe.decode(bpe.encode(text)) == text
    assert b"".join(bpe.split(text)) == text.encode()


@given(any_text)
@example("\u0344\u2126\ufb01\u0958")  # which compose to others, or to two
@example("\u1100\u1161\u11a8가각")
def test_characters_and_jamo_give_the_composed_text_back(text):
    for by in ("character", "jamo"):
        bpe = learn({text: 2, text[::2]: 3}, 10, by=by)
        assert bpe.decode(bpe.encode(text)) == normalize("NFC", text)


def test_a_syllable_never_seen_is_spelt_in_jamo_that_were(vocabularies):
    word = "뷁"
    with pytest.raises(ValueError, match=r"'뷁' in '뷁' is in none of .* by=\"byte\""):
        vocabularies["character"].encode(word)
    assert vocabularies["character"].split("고뷁") == ["고", "뷁"]
    bpe = learn({"북": 1, "웨": 1, "닭": 1}, 0, by="jamo")
    assert bpe.decode(bpe.encode("뷁")) == "뷁"


@pytest.mark.parametrize("by", BY)
@pytest.mark.parametrize("wrong", [-1, 10_000])
def test_a_number_without_a_token_is_refused(vocabularies, by, wrong):
    size = len(vocabularies[by].tokens)
    said = f"no token has number {wrong}: there are {size}, 0 to {size - 1}; decode"
    with pytest.raises(ValueError, match=said):
        vocabularies[by].decode([0, wrong])


def test_numbers_may_be_a_tensor_and_must_be_whole(vocabularies, as_readers_run_it):
    bpe = vocabularies["byte"]
    assert bpe.decode(torch.tensor(bpe.encode("고양이"))) == "고양이"
    with pytest.raises(TypeError, match="float"):
        bpe.decode([1.5])


def test_bytes_of_no_character_are_named():
    bpe = learn({"고": 1}, 0, by="byte")
    ids = bpe.encode("a고")
    said = re.escape(r"the bytes b'\xea\xb3' at place 1 are not a character of UTF-8")
    with pytest.raises(ValueError, match=said + r".* together, .*b\"\"\.join"):
        bpe.decode(ids[:-1])
    assert b"".join(bpe.tokens[i] for i in ids[:-1]) == b"a\xea\xb3"


def test_bytes_are_cut_as_tiktoken_cuts_them(english, vocabularies):
    bpe = vocabularies["byte"]
    ranks = {token: index for index, token in enumerate(bpe.tokens)}
    peer = tiktoken.Encoding(
        "ours", pat_str=r"\S+", mergeable_ranks=ranks, special_tokens={}
    )
    names = [
        word for both in cldr_names("en", "ko") for n in both for word in n.split()
    ]
    words = [*english.held_out, *names, f"😀{FAMILY}😀", "ㅋㅋㅋㅋㅋ", "🇰🇷é"]
    assert [bpe.encode(w) for w in words] == [peer.encode(w) for w in words]


def test_the_earliest_rule_goes_first_not_the_leftmost_pair():
    bpe = BytePairs(tuple("abc"), (("b", "c"), ("a", "b")))
    assert bpe.split("abc") == ["a", "bc"]
    assert bpe.split("abab") == ["ab", "ab"]


def test_what_is_remembered_of_a_word_is_nobodys_to_change(monkeypatch):
    monkeypatch.setattr(vocabulary, "REMEMBERED", 2)
    bpe = learn(HAND, 9)
    first = bpe.split("unable")
    first.append("x")
    for word in (*HAND, "unaffordable", "unable"):
        assert bpe.split(word) == learn(HAND, 9).split(word)
    assert len(bpe._known) <= 2
    again = pickle.loads(pickle.dumps(bpe))
    assert again == bpe
    assert again.encode("unaffordable") == [16, 18, 12]


# --------------------------------------------------------------------- longest match

VOCABULARY = {"u", "un", "##afford", "##able", "##a", "##ㅋ", "ㅋㅋ", "##ㅋㅋ"}


def test_one_unknown_part_makes_the_word_unknown():
    assert longest_match("unaffordable", VOCABULARY) == ["un", "##afford", "##able"]
    assert longest_match("affordable", VOCABULARY) == ["[UNK]"]
    assert longest_match("unfold", VOCABULARY, unknown="?") == ["?"]
    assert longest_match("", VOCABULARY) == []


@given(
    st.sets(st.text("abㅋ", min_size=1, max_size=3), max_size=15),
    st.sets(st.text("abㅋ", min_size=1, max_size=3), max_size=15),
    st.text("abㅋ", min_size=1, max_size=12),
)
def test_the_longest_match_is_that_of_tokenizers(first, going_on, word):
    vocabulary = [*sorted(first), *(f"##{token}" for token in sorted(going_on))]
    ids = {token: index for index, token in enumerate(["[UNK]", *vocabulary])}
    peer = Tokenizer(models.WordPiece(ids, unk_token="[UNK]"))
    assert longest_match(word, vocabulary) == peer.encode(word).tokens


def test_the_longest_match_reads_bytes_and_any_prefix(vocabularies):
    tokens = set(vocabularies["byte"].tokens)
    found = longest_match("고양이".encode(), tokens, prefix=b"")
    assert b"".join(found).decode() == "고양이"
    assert longest_match("builder", ["buil", "build", "der", "er"], prefix="") == [
        "build",
        "er",
    ]


# ------------------------------------------------------------------------------ scores


def cut_at(word: str, places: list[bool]) -> list[str]:
    pieces = [word[0]]
    for letter, cut in zip(word[1:], places, strict=True):
        pieces = [*pieces, letter] if cut else [*pieces[:-1], pieces[-1] + letter]
    return pieces


@given(st.lists(st.lists(st.tuples(st.booleans(), st.booleans())), min_size=1))
def test_scores_are_scikit_learns(places):
    words = ["x" * (len(each) + 1) for each in places]
    true, found = (
        [
            cut_at(w, [both[side] for both in p])
            for w, p in zip(words, places, strict=True)
        ]
        for side in (0, 1)
    )
    flat = [both for each in places for both in each] or [(False, False)]
    expected = precision_recall_fscore_support(
        *zip(*flat, strict=True), pos_label=True, average="binary", zero_division=0
    )
    assert boundary_scores(true, found) == pytest.approx(expected[:3])


def test_the_ends_of_a_word_are_no_cuts():
    assert boundary_scores([["read"]], [["read"]]) == (0.0, 0.0, 0.0)
    assert boundary_scores(iter([["re", "ad"]]), iter([["re", "ad"]])) == (1, 1, 1)


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ([["read"], ["er"]], "true has 1 words, but found has 2"),
        ([["re", "ed"]], "true has the word 'read', but found has 'reed'"),
        ([["re", "ads"]], "true has the word 'read', but found has 'reads'"),
    ],
)
def test_scores_are_of_the_same_words(found, said):
    with pytest.raises(ValueError, match=said):
        boundary_scores([["re", "ad"]], found)


@pytest.mark.parametrize("true", [["re", "ad"], [b"read"]])
def test_a_word_is_a_list_of_pieces(true, as_readers_run_it):
    with pytest.raises(TypeError, match="is a text, but each word is to be a list"):
        boundary_scores(true, [["re"], ["ad"]][: len(true)])
