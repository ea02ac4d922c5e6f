"""Sentences of one's own: loaded, trained on, and then translated without a truth."""

import pytest
import torch

from qkv.data import (
    DictatedNumbers,
    EnglishKorean,
    Example,
    KoreanDates,
    PairCorpus,
    load_pairs,
)
from qkv.decoding import exact_match, greedy, translate
from qkv.recurrent import Seq2Seq
from qkv.training import FitSettings, fit

WHO = {"I": "나는", "we": "우리는", "you": "너는", "they": "그들은", "dogs": "개는"}
WHAT = {"go": "가", "sleep": "자", "eat": "먹어", "see": "봐", "sit": "앉아"}


@pytest.fixture(scope="module")
def pairs(tmp_path_factory) -> PairCorpus:
    file = tmp_path_factory.mktemp("own") / "my_pairs.tsv"
    lines = [f"{w} {v}\t{WHO[w]} {WHAT[v]}" for w in WHO for v in WHAT]
    file.write_text("\n".join(lines[:-1]), "utf-8")  # not "dogs sit"
    return load_pairs(file, held_out=0.2)


@pytest.fixture(scope="module")
def model(pairs) -> Seq2Seq:
    torch.manual_seed(0)
    model = Seq2Seq(len(pairs.source_vocab), len(pairs.target_vocab), d_hidden=32)
    settings = FitSettings(learning_rate=0.01)
    fit(model, pairs.batches(batch_size=20, seed=0), steps=60, settings=settings)
    return model


def test_a_sentence_that_is_in_no_file_is_translated(pairs, model):
    assert exact_match(model, pairs, pairs.train) == 1.0
    known = pairs.train[0]
    new = "dogs sit"
    assert all(example.source != tuple(new.split()) for example in pairs.train)
    written = translate(model, pairs, [new, " ".join(known.source), known])
    assert written[1] == written[2] == known.target
    alone = translate(model, pairs, [Example(("dogs", "sit"), ())])
    assert alone == written[:1]
    assert len(alone[0]) == 2


def test_the_target_of_a_new_sentence_is_not_looked_at(pairs, model):
    new = Example(("dogs", "sit"), ("a", "word", "no", "one", "knows"))
    assert translate(model, pairs, [new]) == translate(model, pairs, ["dogs sit"])
    with pytest.raises(ValueError, match="unknown token 'a'"):
        exact_match(model, pairs, [new])


def test_an_unknown_word_is_named_with_the_nearest(pairs, model):
    with pytest.raises(ValueError, match=r"unknown token 'slep'; .* is 'sleep'"):
        translate(model, pairs, ["dogs slep"])
    with pytest.raises(ValueError, match="unknown token 'zzz', and none of the 10 kno"):
        translate(model, pairs, ["dogs zzz"])
    with pytest.raises(ValueError, match="the sequence is empty"):
        translate(model, pairs, [" "])


@pytest.mark.usefixtures("as_readers_run_it")
def test_one_sentence_is_no_list(pairs, model):
    with pytest.raises(TypeError, match=r"give a list of it: \['dogs sit'\]"):
        translate(model, pairs, "dogs sit")


def test_without_a_truth_there_is_room_for_50_tokens_more_than_the_source(pairs):
    model = Seq2Seq(len(pairs.source_vocab), len(pairs.target_vocab))
    model.output.bias.data[5] = 99.0  # it never ends
    assert len(translate(model, pairs, ["dogs sit"])[0]) == 52
    assert len(translate(model, pairs, ["dogs sit"], max_length=3)[0]) == 3
    assert len(translate(model, pairs, [pairs.train[0]])[0]) == 3
    # where one of a batch has no truth, all have the room
    for sources in (["dogs sit", pairs.train[0]], [pairs.train[0], "dogs sit"]):
        assert [len(row) for row in translate(model, pairs, sources)] == [52, 52]
    unknown = Example(("dogs", "sit"), ())
    assert [len(row) for row in translate(model, pairs, [unknown])] == [52]


def test_characters_are_cut_as_they_were_in_the_file():
    pair = Example(tuple("go"), tuple("가다"))
    corpus = PairCorpus([pair], tokenize=list)
    assert corpus.parse("go") == pair
    assert corpus.parse("og\t다가") == Example(tuple("og"), tuple("다가"))
    assert corpus.source_of(" og ") == ("o", "g")


@pytest.mark.parametrize(
    ("kind", "text", "source"),
    [
        (DictatedNumbers, "73", ("seven", "three")),
        (KoreanDates, "november 21, 2026", tuple("November 21, 2026")),
        (EnglishKorean, "Cats love the.", ("cats", "love", "the")),
    ],
)
def test_each_corpus_reads_sources_as_it_reads_examples(
    kind, text, source, monkeypatch
):
    few = {"train": 3, "held_out": 3, "longer": 0}  # thousands take their time
    monkeypatch.setattr("qkv.data.text.grammar.english_korean.ROOM", few)
    corpus = kind()
    assert corpus.source_of(text) == source
    read, lengths = corpus.collate_sources([text])
    assert corpus.source_vocab.decode(read[0]) == source
    assert lengths.tolist() == [len(source)]
    model = Seq2Seq(len(corpus.source_vocab), len(corpus.target_vocab))
    written = greedy(model, read, lengths, max_length=5)[0]
    assert translate(model, corpus, [text], max_length=5) == [
        corpus.target_vocab.decode(written)
    ]
