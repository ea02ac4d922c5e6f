"""Decoding: writing token by token is the model fed its own output, and no other."""

from dataclasses import dataclass

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from qkv.data import BOS, EOS, PAD, DictatedNumbers, Example, PairCorpus
from qkv.decoding import BATCH_SIZE, exact_match, greedy, record, translate
from qkv.recurrent import AttentionSeq2Seq, Seq2Seq

N_SOURCE, N_TARGET = 17, 19
kinds = pytest.mark.parametrize("kind", [Seq2Seq, AttentionSeq2Seq])
seeds = st.integers(0, 2**31)
fast = settings(max_examples=25, deadline=None)


def make(kind, seed: int, n_source: int = N_SOURCE, n_target: int = N_TARGET):
    """A model with large weights, so that it writes something else at each step."""
    torch.manual_seed(seed)
    model = kind(n_source, n_target, d_embedding=5, d_hidden=7)
    for weight in model.parameters():
        weight.data.mul_(3)
    return model


def sources(batch: int, source: int, seed: int):
    generator = torch.Generator().manual_seed(seed)
    lengths = torch.randint(1, source + 1, (batch,), generator=generator)
    return torch.randint(N_SOURCE, (batch, source), generator=generator), lengths


class Scripted(nn.Module):
    """Writes what it was told to, row by row, whatever the source."""

    def __init__(self, *rows: str):
        super().__init__()
        self.rows, self.steps = rows, 0

    def __call__(self, source, source_lengths, target_in):
        raise NotImplementedError

    def start(self, source, source_lengths):
        return 0

    def step(self, token, state):
        self.steps += 1
        ids = {"$": EOS, "_": PAD, "<": BOS}
        chosen = [ids.get(row[state], ord(row[state]) - 94) for row in self.rows]
        logits = nn.functional.one_hot(torch.tensor(chosen), N_TARGET).float()
        return logits, state + 1

    def trace(self, source, source_lengths, target_in):
        raise NotImplementedError


def letters() -> PairCorpus:
    """Pairs over the letters a to e; a is token 3, as Scripted has it."""
    return PairCorpus([Example(tuple("abcde"), tuple("abcde"))])


# ---------------------------------------------------------------------------- greedy


@kinds
@fast
@given(seed=seeds)
def test_greedy_is_the_model_fed_its_own_output(kind, seed):
    model, (source, lengths) = make(kind, seed), sources(11, 5, seed)
    written = greedy(model, source, lengths, max_length=13)
    begin = torch.full((11, 1), BOS)
    fed_back = torch.cat([begin, written[:, :-1]], 1)
    likeliest = model(source, lengths, fed_back).argmax(-1)
    ended = (written == EOS).int().cumsum(1) - (written == EOS).int() > 0
    assert torch.equal(written[~ended], likeliest[~ended])
    assert (written[ended] == PAD).all()


@kinds
def test_rows_are_written_alike_alone_and_together(kind):
    model, (source, lengths) = make(kind, 3), sources(11, 5, 3)
    together = greedy(model, source, lengths, max_length=13)
    assert len({tuple(row) for row in together.tolist()}) > 5
    for row, tokens, length in zip(together, source, lengths, strict=True):
        alone = greedy(model, tokens[None, :length], length[None], max_length=13)
        assert torch.equal(alone[0], row[: alone.shape[1]])
        assert (row[alone.shape[1] :] == PAD).all()


def written_by(*rows: str, max_length: int) -> tuple[list[list[int]], int]:
    model, source = Scripted(*rows), torch.ones(len(rows), 2, dtype=torch.long)
    lengths = torch.full((len(rows),), 2)
    tokens = greedy(model, source, lengths, max_length=max_length)
    return tokens.tolist(), model.steps


def test_a_row_that_has_ended_is_padded_whatever_else_is_written():
    written, _ = written_by("a$b$", "abc$", "$___", max_length=4)
    assert written == [[3, EOS, PAD, PAD], [3, 4, 5, EOS], [EOS, PAD, PAD, PAD]]


def test_writing_stops_with_the_last_row():
    written, steps = written_by("a$bcd", "ab$cd", max_length=5)
    assert written == [[3, EOS, PAD], [3, 4, EOS]]
    assert steps == 3


def test_a_row_too_long_is_cut_off_without_an_end():
    written, steps = written_by("abcde", "a$$$$", max_length=2)
    assert written == [[3, 4], [3, EOS]]
    assert steps == 2


def test_what_was_written_can_be_trained_on():
    model, (source, lengths) = make(Seq2Seq, 0), sources(2, 3, 0)
    written = greedy(model, source, lengths, max_length=5)
    model(source, lengths, written).sum().backward()
    assert model.embedding.weight.grad.abs().sum() > 0


@pytest.mark.parametrize("training", [True, False])
def test_a_model_writes_in_evaluation_and_keeps_its_mode(training):
    model, (source, lengths) = make(Seq2Seq, 0), sources(7, 3, 0)
    model.output = nn.Sequential(nn.Dropout(0.9), model.output)
    model.train(training)
    once, again = (greedy(model, source, lengths, max_length=11) for _ in range(2))
    assert torch.equal(once, again)
    assert model.training is training
    assert model.output.training is training


@pytest.mark.parametrize("max_length", [0, -3])
def test_no_room_to_write_is_refused(max_length):
    source, lengths = sources(2, 3, 0)
    with pytest.raises(
        ValueError, match=f"max_length is {max_length}, but .* at least"
    ):
        greedy(make(Seq2Seq, 0), source, lengths, max_length=max_length)


def test_a_mode_is_kept_when_the_source_is_refused():
    model, (source, _) = make(Seq2Seq, 0), sources(2, 3, 0)
    with pytest.raises(ValueError, match="length 0"):
        greedy(model, source, torch.tensor([0, 3]), max_length=5)
    assert model.training


# ---------------------------------------------------------- translate and exact_match


def example(target: str) -> Example:
    return Example(tuple("ab"), tuple(target))


def test_translations_end_before_the_end_token():
    model, corpus = Scripted("ab$e", "abcd"), letters()
    written = translate(model, corpus, [example("a"), example("b")], max_length=4)
    assert written == [("a", "b"), ("a", "b", "c", "d")]


def test_exact_match_is_the_share_without_a_mistake():
    model = Scripted("ab$", "ac$", "ab$", "b$$")
    truth = [example("ab"), example("ab"), example("ab"), example("b")]
    assert exact_match(model, letters(), truth) == 0.75


@pytest.mark.parametrize("written", ["abc", "a$b", "aba"])
def test_right_tokens_without_the_right_end_are_wrong(written):
    assert exact_match(Scripted(written), letters(), [example("ab")]) == 0.0


def test_the_right_end_is_given_room():
    assert exact_match(Scripted("abcde$"), letters(), [example("abcde")]) == 1.0


def test_many_examples_are_the_same_as_a_few():
    corpus = DictatedNumbers()
    model = make(
        AttentionSeq2Seq, 0, len(corpus.source_vocab), len(corpus.target_vocab)
    )
    examples = corpus.sample(BATCH_SIZE + 3, length=(1, 5), seed=0)
    together = translate(model, corpus, examples, max_length=7)
    assert len(together) == BATCH_SIZE + 3
    for index in (0, BATCH_SIZE - 1, BATCH_SIZE, BATCH_SIZE + 2):
        (alone,) = translate(model, corpus, [examples[index]], max_length=7)
        assert together[index] == alone


@pytest.mark.parametrize("measure", [translate, exact_match])
def test_no_example_is_refused(measure):
    with pytest.raises(ValueError, match=r"no example.*at least one"):
        measure(make(Seq2Seq, 0), letters(), [])


@pytest.mark.parametrize("measure", [translate, exact_match])
def test_an_unknown_token_is_refused_by_name(measure):
    strange = Example(("ab", "z"), ("a",))
    with pytest.raises(ValueError, match="unknown token 'ab'"):
        measure(make(Seq2Seq, 0), letters(), [strange])


# ---------------------------------------------------------------------------- record


@dataclass(frozen=True)
class Case:
    corpus: DictatedNumbers
    model: nn.Module


@pytest.fixture(params=[Seq2Seq, AttentionSeq2Seq])
def case(request) -> Case:
    corpus = DictatedNumbers()
    sizes = len(corpus.source_vocab), len(corpus.target_vocab)
    return Case(corpus, make(request.param, 5, *sizes))


def test_a_recording_is_of_what_was_typed(case):
    recorded = record(case.model, case.corpus, "739")
    assert recorded.source == ("seven", "three", "nine")
    assert recorded.target == ("칠", "삼", "구", "<eos>")
    assert recorded.vocabulary == case.corpus.target_vocab.tokens
    assert recorded == recorded
    same = record(case.model, case.corpus, case.corpus.parse("seven three nine"))
    assert same.produced == recorded.produced


def test_what_was_produced_is_the_likeliest_of_the_free_trace(case):
    recorded = record(case.model, case.corpus, "739", max_length=11)
    likeliest = recorded.free.probabilities[0].argmax(-1).tolist()
    assert recorded.produced == tuple(recorded.vocabulary[i] for i in likeliest)
    assert recorded.free.probabilities.shape[1] == len(recorded.produced)
    assert "<eos>" not in recorded.produced[:-1]


def test_the_free_trace_is_fed_what_was_produced(case):
    recorded = record(case.model, case.corpus, "739", max_length=11)
    batch = case.corpus.collate([case.corpus.parse("739")])
    ids = case.corpus.target_vocab.encode(recorded.produced)
    fed_back = torch.tensor([[BOS, *ids[:-1]]])
    expected = case.model(batch.source, batch.source_lengths, fed_back)
    torch.testing.assert_close(recorded.free.probabilities, expected.softmax(-1))


def test_the_forced_trace_is_fed_the_truth(case):
    recorded = record(case.model, case.corpus, "739")
    batch = case.corpus.collate([case.corpus.parse("739")])
    expected = case.model(batch.source, batch.source_lengths, batch.target_in)
    torch.testing.assert_close(recorded.forced.probabilities, expected.softmax(-1))


def test_a_recording_needs_no_gradient_and_leaves_the_mode(case):
    recorded = record(case.model, case.corpus, "739")
    assert not recorded.forced.probabilities.requires_grad
    assert not recorded.free.probabilities.requires_grad
    assert case.model.training


def test_the_truth_has_a_row_for_each_token_and_none_for_the_end(case):
    truth = record(case.model, case.corpus, "739").truth
    assert truth.int().tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0]]


def test_a_recording_without_fields_has_no_truth():
    corpus = letters()
    model = make(Seq2Seq, 0, len(corpus.source_vocab), len(corpus.target_vocab))
    recorded = record(model, corpus, Example(("a", "b"), ("b",)))
    assert recorded.truth is None


def test_a_target_longer_than_the_maximum_is_refused(case):
    with pytest.raises(ValueError, match=r"4 tokens with its <eos>.*raise .* to 4"):
        record(case.model, case.corpus, "739", max_length=3)
    assert record(case.model, case.corpus, "739", max_length=4).produced


def test_a_text_of_another_task_is_refused(case):
    with pytest.raises(ValueError, match="eleventy"):
        record(case.model, case.corpus, "eleventy")
