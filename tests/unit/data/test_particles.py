"""은 or 는, and names in several languages."""

import pytest
import torch

from qkv.data import TopicParticle, cldr_names
from qkv.data.text.grammar.hangul import particle
from qkv.subwords import units

BY = {"character": 2350, "jamo": 67, "byte": 68}


def cut_by(by):
    return TopicParticle(lambda syllable: units(syllable, by))


@pytest.mark.parametrize(("by", "symbols"), list(BY.items()))
def test_so_many_symbols_are_read(by, symbols):
    asked = cut_by(by).sample(500, seed=0)
    assert cut_by(by).n_source == symbols + 1
    assert asked.source.max() <= symbols


def test_the_answer_is_the_grammars():
    task, generator = TopicParticle(), torch.Generator().manual_seed(0)
    words = task.words(200, generator)
    asked = task.ask(words)
    for row, word in zip(asked.target, words, strict=True):
        *before, answer = row[: len(word)].tolist()
        assert particle(word, "topic") == "?은는"[answer]
        assert set(before) | set(row[len(word) :].tolist()) <= {0}


def test_both_answers_and_both_lengths_are_equally_likely():
    asked = TopicParticle().sample(4000, seed=0)
    assert (asked.target == 1).sum() / 4000 == pytest.approx(0.5, abs=0.03)
    assert (asked.source != 0).sum() / 4000 == pytest.approx(2.5, abs=0.03)


def test_held_out_syllables_end_held_out_words_alone():
    task, generator = TopicParticle(), torch.Generator().manual_seed(0)
    out = {s for both in task.held_out for s in both}
    assert len(out) == 469
    assert not out & set("".join(task.words(2000, generator)))
    for word in task.words(200, generator, held_out=True):
        assert word[-1] in out
        assert not out & set(word[:-1])
    assert TopicParticle(seed=1).held_out != task.held_out
    assert torch.equal(task.sample(3, seed=1).source, task.sample(3, seed=1).source)


def test_batches_go_on_and_are_of_trained_words():
    task = TopicParticle()
    batch = next(task.batches(batch_size=5, seed=3))
    assert batch.source.shape == batch.target.shape
    assert len(batch.source) == 5


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "a batch needs at least one word"),
        ([""], "the word '' is empty"),
        (["cat"], "the word 'cat' has 'c', which is none, .* 2,350 common"),
    ],
)
def test_what_is_no_korean_word_is_refused(words, said):
    with pytest.raises(ValueError, match=said):
        TopicParticle().ask(words)


def test_a_cut_makes_something_of_each_syllable():
    with pytest.raises(ValueError, match="cut makes no token of '가'"):
        TopicParticle(lambda syllable: [])


def test_names_are_those_that_every_language_has():
    both = cldr_names("en", "ko")
    assert len(both) == len(cldr_names("ko")) == 1339
    assert ("South Korea", "대한민국") in both
    assert len(cldr_names("en")) > 1339


@pytest.mark.parametrize(
    ("given", "said"),
    [((), "no language was given"), (("en", "xx"), "'xx' is no lang")],
)
def test_a_language_is_one_that_cldr_knows(given, said):
    with pytest.raises(ValueError, match=said):
        cldr_names(*given)
