"""Decoding: writing token by token is the model fed its own output, and no other."""

import math
from dataclasses import dataclass
from itertools import product

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from qkv.data import BOS, EOS, PAD, DictatedNumbers, Example, PairCorpus
from qkv.decoding import (
    BATCH_SIZE,
    beam,
    beam_tree,
    exact_match,
    greedy,
    record,
    sample,
    sampling_probabilities,
    translate,
)
from qkv.recurrent import AttentionSeq2Seq, Seq2Seq, State
from qkv.transformer import LanguageModel, Transformer, TransformerConfig

N_SOURCE, N_TARGET = 17, 19
seeds = st.integers(0, 2**31)
fast = settings(max_examples=25, deadline=None)


def language_model(n_source: int, n_target: int, *, d_embedding: int, d_hidden: int):
    """A model whose source is a prompt: of one of the six kinds, drawn."""
    kind = torch.randint(6, ()).item()
    config = TransformerConfig(
        n_source,
        n_target,
        d_model=2 * d_embedding,
        heads=2,
        d_ff=d_hidden,
        norm_first=kind < 3,
        positions=("sinusoidal", "learned", "none")[kind % 3],
    )
    model = LanguageModel(config).double()
    nn.init.normal_(model.target_embedding.weight)  # tokens are heard next to positions
    return model


kinds = pytest.mark.parametrize("kind", [Seq2Seq, AttentionSeq2Seq])
all_kinds = pytest.mark.parametrize("kind", [Seq2Seq, AttentionSeq2Seq, language_model])


def make(kind, seed: int, n_source: int = N_SOURCE, n_target: int = N_TARGET):
    """A model with large weights, so that it writes something else at each step."""
    torch.manual_seed(seed)
    model = kind(n_source, n_target, d_embedding=5, d_hidden=7)
    for weight in model.parameters():
        weight.data.mul_(3)
    return model


def sources(batch: int, source: int, seed: int, tokens: int = N_SOURCE):
    """Sources of every length, with anything but padding after their end."""
    generator = torch.Generator().manual_seed(seed)
    lengths = torch.randint(1, source + 1, (batch,), generator=generator)
    return torch.randint(tokens, (batch, source), generator=generator), lengths


def without_cache(model, source, lengths, target):
    """The logits of each token of a target, by one call of the model."""
    if not isinstance(model, LanguageModel):
        begin = torch.full((len(target), 1), BOS)
        return model(source, lengths, torch.cat([begin, target[:, :-1]], 1))
    rows = zip(source, lengths, target, strict=True)
    texts = [torch.cat([prompt[:length], row]) for prompt, length, row in rows]
    logits = model(nn.utils.rnn.pad_sequence(texts, batch_first=True))
    places = lengths[:, None] - 1 + torch.arange(target.shape[1])
    return logits[torch.arange(len(target))[:, None], places]


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


@all_kinds
@fast
@given(seed=seeds)
def test_greedy_is_the_model_fed_its_own_output(kind, seed):
    model, (source, lengths) = make(kind, seed), sources(11, 5, seed)
    written = greedy(model, source, lengths, max_length=13)
    likeliest = without_cache(model, source, lengths, written).argmax(-1)
    ended = (written == EOS).int().cumsum(1) - (written == EOS).int() > 0
    assert torch.equal(written[~ended], likeliest[~ended])
    assert (written[ended] == PAD).all()


@all_kinds
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
        ValueError, match=f"max_length must be at least 1, not {max_length}"
    ):
        greedy(make(Seq2Seq, 0), source, lengths, max_length=max_length)


def test_a_mode_is_kept_when_the_source_is_refused():
    model, (source, _) = make(Seq2Seq, 0), sources(2, 3, 0)
    with pytest.raises(ValueError, match="length 0"):
        greedy(model, source, torch.tensor([0, 3]), max_length=5)
    assert model.training


# ------------------------------------------------------ any source, and what is allowed


class OfPixels(nn.Module):
    """Writes how bright an image is, and ends: no token is read."""

    def start(self, pixels):
        return State(pixels.mean((1, 2)).unsqueeze(1), torch.zeros(len(pixels), 1))

    def step(self, token, state):
        assert token.dtype is torch.int64
        logits = torch.full((len(token), N_TARGET), -9.0)
        brightness = state.hidden[:, 0].round().long() + 3
        done = state.memory[:, 0] > 0
        logits[torch.arange(len(token)), brightness.masked_fill(done, EOS)] = 9.0
        return logits, State(state.hidden, state.memory + 1)


def test_a_source_is_what_the_model_reads():
    pixels = torch.tensor([0.0, 3.0]).repeat_interleave(4).view(2, 2, 2)
    model, generator = OfPixels(), torch.Generator().manual_seed(0)
    expected = torch.tensor([[3, EOS], [6, EOS]])
    assert torch.equal(greedy(model, pixels, max_length=5), expected)
    drawn = sample(model, pixels, max_length=5, generator=generator, top_k=1)
    assert torch.equal(drawn, expected)
    assert torch.equal(beam(model, pixels, max_length=5)[0], expected)
    tree = beam_tree(model, pixels[1:], max_length=5)
    assert tree.tokens(tree.best) == (6, EOS)
    with pytest.raises(ValueError, match="source has batch = 2, but a tree is of one"):
        beam_tree(model, pixels, max_length=5)


def test_a_source_goes_where_the_model_is(as_readers_run_it):
    class Elsewhere:
        def __init__(self, tensor):
            self.to = lambda device: tensor.to(device)

    model, given = make(Seq2Seq, 0), sources(7, 3, 0)
    elsewhere = [Elsewhere(tensor) for tensor in given]
    for write in (greedy, lambda *asked, **most: beam(*asked, **most)[0]):
        expected = write(model, *given, max_length=5)
        assert torch.equal(write(model, *elsewhere, max_length=5), expected)


@pytest.mark.parametrize("seed", range(3))
def test_what_a_step_may_write_is_all_that_it_writes(seed):
    model, (source, lengths) = make(AttentionSeq2Seq, seed), sources(11, 5, seed)
    generator = torch.Generator().manual_seed(seed)
    allowed = torch.zeros(6, N_TARGET, dtype=torch.bool)
    allowed[:3, 3:5], allowed[3:, 5:8] = True, True
    drawn = sample(
        model, source, lengths, max_length=6, generator=generator, allowed=allowed
    )
    for written in (
        greedy(model, source, lengths, max_length=6, allowed=allowed),
        drawn,
    ):
        assert written.shape == (11, 6)  # no step may end
        assert allowed[torch.arange(6), written].all()
    assert {3, 4, 5, 6, 7} == set(drawn.flatten().tolist())


def test_where_all_is_allowed_nothing_changes():
    model, given = make(Seq2Seq, 0), sources(7, 3, 0)
    every = torch.ones(5, N_TARGET, dtype=torch.bool)
    one, other = (torch.Generator().manual_seed(1) for _ in range(2))
    assert torch.equal(
        sample(model, *given, max_length=5, generator=one, allowed=every),
        sample(model, *given, max_length=5, generator=other),
    )
    assert torch.equal(
        greedy(model, *given, max_length=5, allowed=every),
        greedy(model, *given, max_length=5),
    )


@pytest.mark.parametrize(
    ("steps", "vocab", "said"),
    [
        (4, N_TARGET, "allowed has step = 4, but max_length is 5; give a row for each"),
        (5, 3, f"allowed has vocab = 3, but the model scores vocab = {N_TARGET}"),
        (5, 2, "allowed leaves step 0 no token but <pad> and <bos>"),
    ],
)
def test_what_is_allowed_fits_the_steps_and_the_tokens(steps, vocab, said):
    allowed = torch.ones(steps, vocab, dtype=torch.bool)
    with pytest.raises(ValueError, match=said):
        greedy(make(Seq2Seq, 0), *sources(2, 3, 0), max_length=5, allowed=allowed)


# ------------------------------------------------------------------------------ beam


def writer(kind, seed: int, n_target: int = N_TARGET):
    """A model that never wants to write <pad> or <bos>, as one that is trained."""
    model = make(kind, seed, n_target=n_target)
    model.output.bias.data[[PAD, BOS]] = -99.0
    return model


def log_probabilities(model, source, lengths, target):
    """What the model itself says of a target, fed the truth: one number a row."""
    logits = without_cache(model, source, lengths, target)
    own = logits.log_softmax(-1).gather(-1, target.unsqueeze(-1)).squeeze(-1)
    return own.masked_fill(target == PAD, 0.0).sum(1).detach()


def penalty(target, alpha: float):
    return ((5 + (target != PAD).sum(1)) / 6) ** alpha


@kinds
@fast
@given(seed=seeds)
def test_the_state_of_chosen_rows_writes_as_those_rows_do(kind, seed):
    model, (source, lengths) = make(kind, seed), sources(5, 3, seed)
    rows, token = torch.tensor([3, 0, 3, 4, 4, 1, 3]), torch.arange(5) + 7
    _, state = model.step(torch.full((5,), BOS), model.start(source, lengths))
    expected, _ = model.step(token, state)
    logits, state = model.step(token[rows], state.select(rows))
    torch.testing.assert_close(logits, expected[rows])
    assert state.hidden.shape == (7, 7)


@kinds
@fast
@given(seed=seeds, alpha=st.sampled_from([0.0, 0.6, 2.0]))
def test_a_beam_of_one_is_greedy(kind, seed, alpha):
    model, (source, lengths) = writer(kind, seed), sources(11, 5, seed)
    expected = greedy(model, source, lengths, max_length=7)
    found, _ = beam(model, source, lengths, max_length=7, width=1, length_penalty=alpha)
    assert torch.equal(found, expected)


@kinds
@fast
@given(seed=seeds, alpha=st.sampled_from([0.0, 0.6, 2.0]), width=st.integers(1, 7))
def test_the_score_is_what_the_model_says_of_the_output(kind, seed, alpha, width):
    model, (source, lengths) = make(kind, seed), sources(5, 3, seed)
    target, score = beam(
        model, source, lengths, max_length=7, width=width, length_penalty=alpha
    )
    own = log_probabilities(model, source, lengths, target)
    torch.testing.assert_close(score, own / penalty(target, alpha))


def all_sequences(n_target: int, max_length: int) -> list[list[int]]:
    letters = range(EOS + 1, n_target)
    return [
        [*word, EOS]
        for length in range(max_length)
        for word in product(letters, repeat=length)
    ]


@all_kinds
@pytest.mark.parametrize("alpha", [0.0, 0.6, 3.0])
def test_a_beam_as_wide_as_the_tree_finds_the_best_of_all(kind, alpha):
    lengths_found = set()
    sequences = all_sequences(n_target=6, max_length=4)
    padded = [row + [PAD] * (4 - len(row)) for row in sequences]
    for seed in range(7):
        model = writer(kind, seed, n_target=6)
        source, lengths = sources(3, 2, seed, tokens=6)
        target, score = beam(
            model, source, lengths, max_length=4, width=81, length_penalty=alpha
        )
        for row in range(3):
            every, many = torch.tensor(padded), len(padded)
            read = source[row].expand(many, -1), lengths[row].expand(many)
            scores = log_probabilities(model, *read, every) / penalty(every, alpha)
            assert score[row].item() == pytest.approx(scores.max().item(), rel=1e-4)
            best = every[scores.argmax()][: target.shape[1]]
            assert torch.equal(target[row], best)
            lengths_found.add((best != PAD).sum().item())
    assert len(lengths_found) > 1


@kinds
def test_a_beam_finds_what_greed_misses_and_nothing_worse(kind):
    better = 0
    for seed in range(11):
        model, (source, lengths) = writer(kind, seed), sources(5, 3, seed)
        by_width = [
            beam(model, source, lengths, max_length=5, width=w, length_penalty=0.0)[1]
            for w in (1, 29)
        ]
        better += (by_width[1] > by_width[0] + 0.01).sum().item()
    assert better > 10


class Chain(nn.Module):
    """Knows how likely a token is after the last, and nothing more."""

    def __init__(self, **after: dict[str, float]):
        super().__init__()
        ids = {"S": BOS, "E": EOS} | {c: i for i, c in enumerate("abc", EOS + 1)}
        self.table = torch.full((6, 6), -torch.inf)
        for before, chances in after.items():
            for token, chance in chances.items():
                self.table[ids[before], ids[token]] = math.log(chance)

    def __call__(self, source, source_lengths, target_in):
        raise NotImplementedError

    def start(self, source, source_lengths):
        return Nothing(len(source))

    def step(self, token, state):
        assert token.shape == (state.rows,)
        return self.table[token], state

    def trace(self, source, source_lengths, target_in):
        raise NotImplementedError


@dataclass
class Nothing:
    """A state that holds nothing but how many rows there are."""

    rows: int

    def select(self, rows):
        assert rows.max() < self.rows
        return Nothing(len(rows))


ONE = torch.ones(1, 1, dtype=torch.long), torch.ones(1, dtype=torch.long)
# Greed takes a, and then is not sure of anything; after b the rest is sure.
FORK = Chain(
    S={"a": 0.6, "b": 0.4},
    a={"a": 0.45, "b": 0.3, "E": 0.25},
    b={"E": 1.0},
)


def test_a_beam_by_hand():
    assert greedy(FORK, *ONE, max_length=3).tolist() == [[3, 3, 3]]
    found, score = beam(FORK, *ONE, max_length=3, width=2, length_penalty=0.0)
    assert found.tolist() == [[4, EOS]]
    assert score.item() == pytest.approx(math.log(0.4))
    _, score = beam(FORK, *ONE, max_length=3, width=2, length_penalty=0.5)
    assert score.item() == pytest.approx(math.log(0.4) / math.sqrt(7 / 6))


LONG = Chain(
    S={"a": 0.5, "b": 0.5}, a={"E": 0.9, "c": 0.1}, b={"c": 0.8, "E": 0.2}, c={"E": 1.0}
)


@pytest.mark.parametrize(("alpha", "best"), [(0.0, [3, EOS]), (2.0, [4, 5, EOS])])
def test_what_ended_early_is_kept_and_may_win_or_lose(alpha, best):
    found, score = beam(LONG, *ONE, max_length=5, width=3, length_penalty=alpha)
    assert found.tolist() == [best]
    total = math.log(0.45 if alpha == 0 else 0.4)
    assert score.item() == pytest.approx(total / ((5 + len(best)) / 6) ** alpha)


def test_what_is_cut_off_wins_only_where_nothing_has_ended():
    endless = Chain(S={"a": 0.99, "b": 0.01}, a={"a": 1.0}, b={"E": 1.0})
    options = {"max_length": 4, "length_penalty": 0.0}
    assert beam(endless, *ONE, width=1, **options)[0].tolist() == [[3, 3, 3, 3]]
    assert beam(endless, *ONE, width=2, **options)[0].tolist() == [[4, EOS]]


def test_a_search_ends_when_nothing_can_overtake():
    sure = Chain(S={"a": 1.0}, a={"E": 0.9, "a": 0.1})
    sure.taken, step = 0, sure.step

    def counted(token, state):
        sure.taken += 1
        return step(token, state)

    sure.step = counted
    found, _ = beam(sure, *ONE, max_length=50, width=3)
    assert found.tolist() == [[3, EOS]]
    assert sure.taken == 2


@pytest.mark.parametrize(
    ("kind", "seed"), [(Seq2Seq, 0), (AttentionSeq2Seq, 2), (language_model, 0)]
)
@pytest.mark.parametrize("width", [3, 5])
def test_a_beam_writes_rows_alike_alone_and_together(kind, seed, width):
    model, (source, lengths) = writer(kind, seed), sources(11, 5, seed)
    options = {"max_length": 13, "width": width}
    together, scores = beam(model, source, lengths, **options)
    assert len({(row != PAD).sum().item() for row in together}) > 2
    for row, tokens, length in zip(range(11), source, lengths, strict=True):
        alone, score = beam(model, tokens[None, :length], length[None], **options)
        assert torch.equal(alone[0], together[row, : alone.shape[1]])
        assert (together[row, alone.shape[1] :] == PAD).all()
        torch.testing.assert_close(score[0], scores[row])


@kinds
@fast
@given(seed=seeds)
def test_beams_and_samples_never_write_padding_or_the_start(kind, seed):
    model, (source, lengths) = make(kind, seed), sources(5, 3, seed)
    model.output.bias.data[[PAD, BOS]] = 9.0
    generator = torch.Generator().manual_seed(seed)
    drawn = sample(model, source, lengths, max_length=7, generator=generator)
    for target in (drawn, beam(model, source, lengths, max_length=7)[0]):
        assert (target != BOS).all()
        ended = (target == EOS).int().cumsum(1) - (target == EOS).int() > 0
        assert torch.equal(target == PAD, ended)
        assert 1 <= target.shape[1] <= 7


def test_what_a_beam_found_can_be_trained_on():
    model, (source, lengths) = make(Seq2Seq, 0), sources(2, 3, 0)
    found, _ = beam(model, source, lengths, max_length=5)
    model(source, lengths, found).sum().backward()
    assert model.embedding.weight.grad.abs().sum() > 0


@pytest.mark.parametrize("training", [True, False])
def test_a_beam_searches_in_evaluation_and_keeps_the_mode(training):
    model, (source, lengths) = make(Seq2Seq, 0), sources(7, 3, 0)
    model.output = nn.Sequential(nn.Dropout(0.9), model.output)
    model.train(training)
    (once, _), (again, _) = (
        beam(model, source, lengths, max_length=11) for _ in range(2)
    )
    assert torch.equal(once, again)
    assert model.training is model.output.training is training


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"max_length": 0}, "max_length must be at least 1, not 0"),
        ({"width": 0}, "width must be at least 1, not 0"),
        ({"length_penalty": -0.5}, r"length_penalty is -0\.5, but must not be neg"),
        ({"length_penalty": math.nan}, "length_penalty is nan"),
    ],
    ids=str,
)
def test_a_beam_without_sense_is_refused(wrong, said):
    for search in (beam, beam_tree):
        with pytest.raises(ValueError, match=said):
            search(FORK, *ONE, **({"max_length": 3} | wrong))


def with_logits_of_source_1(logit: float):
    """Return three sources, and a model that gives the second of them this alone."""
    model, source = writer(Seq2Seq, 0), sources(3, 2, 0)
    step = model.step

    def broken(token, state):
        logits, state = step(token, state)
        each = len(logits) // 3
        logits[each : 2 * each] = logit
        return logits, state

    model.step = broken
    return model, source


@pytest.mark.parametrize("write", [greedy, beam])
def test_logits_that_are_nan_are_named_with_their_source(write):
    model, source = with_logits_of_source_1(math.nan)
    with pytest.raises(ValueError, match="logits for source 1 are NaN"):
        write(model, *source, max_length=5)


@pytest.mark.parametrize("row", [0, 1, 2])
@pytest.mark.parametrize("at", [0, 1])
def test_a_source_that_no_token_has_a_chance_for_is_named(row, at):
    model, (source, lengths) = writer(Seq2Seq, 0), sources(3, 2, 0)
    model.output.bias.data[EOS] = -99.0
    step, steps = model.step, []

    def broken(token, state):
        logits, state = step(token, state)
        each = len(logits) // 3
        if len(steps) == at:
            logits[each * row : each * (row + 1)] = -math.inf
        steps.append(token)
        return logits, state

    model.step = broken
    said = rf"no hypothesis for source {row} has a probability above 0: .* look for a"
    with pytest.raises(ValueError, match=said):
        beam(model, source, lengths, max_length=5, length_penalty=0.0)


def test_a_state_that_cannot_be_reordered_is_named():
    source, lengths = sources(1, 2, 0)
    with pytest.raises(TypeError, match=r"but int has no method select; add select"):
        beam(Scripted("ab$"), source, lengths, max_length=3)


def test_a_tree_by_hand():
    tree = beam_tree(FORK, *ONE, max_length=3, width=2, length_penalty=0.0)
    seen = [
        (n.parent, n.token, round(math.exp(n.total), 3), n.fate) for n in tree.nodes
    ]
    assert seen == [
        (None, 3, 0.6, "kept"),
        (None, 4, 0.4, "kept"),
        (0, 3, 0.27, "kept"),
        (0, 4, 0.18, "dropped"),
        (1, EOS, 0.4, "ended"),
    ]
    assert tree.best == 4
    assert tree.path(4) == (1, 4)
    assert tree.tokens(4) == (4, EOS)
    assert tree.tokens(3) == (3, 4)
    assert repr(tree) == "BeamTree(3 kept, 1 ended, 1 dropped)"


@kinds
@fast
@given(seed=seeds, width=st.integers(1, 5))
def test_a_tree_is_what_the_beam_did(kind, seed, width):
    model, (source, lengths) = writer(kind, seed), sources(1, 3, seed)
    options = {"max_length": 7, "width": width}
    tree = beam_tree(model, source, lengths, **options)
    target, score = beam(model, source, lengths, **options)
    best = tree.nodes[tree.best]
    assert tree.tokens(tree.best) == tuple(target[0].tolist())
    assert best.score == pytest.approx(score.item())
    ended = [node.score for node in tree.nodes if node.fate == "ended"]
    assert best.score == max(ended, default=best.score)
    assert best.fate == ("ended" if ended else "kept")
    by_length: dict[int, list] = {}
    for index, node in enumerate(tree.nodes):
        path = [tree.nodes[place] for place in tree.path(index)]
        assert node.total == pytest.approx(sum(n.log_probability for n in path))
        assert node.score == pytest.approx(node.total / ((5 + len(path)) / 6) ** 0.6)
        assert all(n.fate == "kept" for n in path[:-1])
        by_length.setdefault(len(path), []).append(node)
    room = width
    for length in sorted(by_length):
        tried = sorted(by_length[length], key=lambda n: -n.total)
        assert all(n.fate != "dropped" for n in tried[:room])
        assert all(n.fate == "dropped" for n in tried[room:])
        room -= sum(n.fate == "ended" for n in tried)


def test_a_tree_is_of_one_source():
    source, lengths = sources(3, 2, 0)
    with pytest.raises(ValueError, match="source has batch = 3, but a tree is of one"):
        beam_tree(make(Seq2Seq, 0), source, lengths, max_length=3)


# --------------------------------------------------------- models that keep a cache


def transformer(n_source: int, n_target: int, *, d_embedding: int, d_hidden: int):
    sizes = {"d_model": 2 * d_embedding, "heads": 2, "d_ff": d_hidden, "layers": (1, 2)}
    return Transformer(TransformerConfig(n_source, n_target, **sizes)).double()


cached_kinds = pytest.mark.parametrize("kind", [transformer, language_model])


def wanting_no_special(model: nn.Module) -> nn.Module:
    """Never wants to write <pad> or <bos>, and is otherwise the same."""
    step = model.step

    def stepped(token, state):
        logits, state = step(token, state)
        return logits.index_fill(-1, torch.tensor([PAD, BOS]), -99.0), state

    model.step = stepped
    return model


@cached_kinds
@pytest.mark.parametrize("seed", range(5))
def test_a_beam_of_one_and_the_surest_sample_are_greedy_with_a_cache(kind, seed):
    model, (source, lengths) = make(kind, seed), sources(5, 3, seed)
    wanting_no_special(model)
    expected = greedy(model, source, lengths, max_length=7)
    found, _ = beam(model, source, lengths, max_length=7, width=1)
    assert torch.equal(found, expected)
    assert torch.equal(drawn(model, source, lengths, top_k=1), expected)


@cached_kinds
@pytest.mark.parametrize("seed", range(5))
def test_a_cache_follows_its_beam(kind, seed):
    model, (source, lengths) = make(kind, seed), sources(5, 3, seed)
    target, score = beam(model, source, lengths, max_length=7, width=5)
    own = log_probabilities(model, source, lengths, target)
    torch.testing.assert_close(score, own / penalty(target, 0.6), rtol=1e-4, atol=1e-4)
    greedily = greedy(model, source, lengths, max_length=7)
    assert not torch.equal(greedily, target)
    for row, (tokens, length) in enumerate(zip(source, lengths, strict=True)):
        alone, _ = beam(
            model, tokens[None, :length], length[None], max_length=7, width=5
        )
        assert torch.equal(alone[0], target[row, : alone.shape[1]])


# -------------------------------------------------------------------------- sampling


def drawn(model, source, lengths, seed: int = 0, **options):
    generator = torch.Generator().manual_seed(seed)
    options = {"max_length": 7} | options
    return sample(model, source, lengths, generator=generator, **options)


@kinds
@fast
@given(seed=seeds)
@pytest.mark.parametrize(
    "options",
    [{"temperature": 0.0}, {"temperature": 1e-300}, {"top_k": 1}, {"top_p": 1e-9}],
    ids=str,
)
def test_sampling_at_its_surest_is_greedy(kind, options, seed):
    model, (source, lengths) = writer(kind, seed), sources(5, 3, seed)
    expected = greedy(model, source, lengths, max_length=7)
    assert torch.equal(drawn(model, source, lengths, seed, **options), expected)


@all_kinds
def test_the_same_seed_draws_the_same_and_another_does_not(kind):
    model, (source, lengths) = make(kind, 0), sources(11, 5, 0)
    random = torch.get_rng_state()
    once, again, other = (drawn(model, source, lengths, s) for s in (3, 3, 5))
    assert torch.equal(once, again)
    assert not torch.equal(once, other)
    assert torch.equal(torch.get_rng_state(), random), "the global generator is left"


@all_kinds
def test_what_is_drawn_does_not_depend_on_padding_or_other_rows(kind):
    model, (source, lengths) = make(kind, 0), sources(7, 3, 0)
    expected = drawn(model, source, lengths)
    padded = torch.cat([source, source.new_full((7, 2), PAD)], 1)
    assert torch.equal(drawn(model, padded, lengths), expected)
    others = source.clone()
    others[:3] = (others[:3] + 1) % N_SOURCE
    again = drawn(model, others, lengths)
    length = min(again.shape[1], expected.shape[1])
    assert torch.equal(again[3:, :length], expected[3:, :length])


def test_frequencies_are_the_probabilities():
    draws, chances = 20_000, torch.tensor([0.5, 0.3, 0.15, 0.05])
    model = Chain(S=dict(zip("abcE", chances.tolist(), strict=True)))
    source, lengths = (t.expand(draws, *t.shape[1:]) for t in ONE)

    def chi_squared(expected, **options):
        written = drawn(model, source, lengths, max_length=1, **options)[:, 0]
        counts = torch.stack([(written == token).sum() for token in (3, 4, 5, EOS)])
        assert counts.sum() == draws
        assert (counts[expected == 0] == 0).all()
        asked = expected > 0
        wanted = draws * expected[asked]
        return ((counts[asked] - wanted) ** 2 / wanted).sum()

    bound = 16.3  # chi squared with three degrees of freedom, one in a thousand
    hot = chances**0.5 / (chances**0.5).sum()
    assert chi_squared(chances) < bound
    assert chi_squared(hot, temperature=2.0) < bound
    assert chi_squared(torch.tensor([0.625, 0.375, 0, 0]), top_k=2) < bound
    nucleus = torch.tensor([0.5, 0.3, 0.15, 0.0]) / 0.95
    assert chi_squared(nucleus, top_p=0.9) < bound
    assert chi_squared(hot) > 1000, "the test can fail"


@fast
@given(seed=seeds, temperature=st.floats(0.1, 10))
def test_temperature_divides_the_logits(seed, temperature):
    logits = torch.randn(2, 3, 11, generator=torch.Generator().manual_seed(seed))
    expected = (logits.double() / temperature).softmax(-1)
    found = sampling_probabilities(logits, temperature=temperature)
    torch.testing.assert_close(found, expected)


@fast
@given(seed=seeds, top_k=st.integers(1, 13))
def test_top_k_keeps_the_likeliest(seed, top_k):
    logits = torch.randn(5, 11, generator=torch.Generator().manual_seed(seed))
    found = sampling_probabilities(logits, top_k=top_k)
    chances = logits.double().softmax(-1)
    for row, (one, other) in enumerate(zip(found, chances, strict=True)):
        likeliest = set(sorted(range(11), key=lambda i: -other[i])[:top_k])
        assert set(one.nonzero().flatten().tolist()) == likeliest, row
    kept = found > 0
    ratios = (found / chances)[kept].reshape(5, -1)
    torch.testing.assert_close(ratios, ratios[:, :1].expand_as(ratios))
    torch.testing.assert_close(found.sum(-1), torch.ones(5).double())


@fast
@given(seed=seeds, top_p=st.floats(0.01, 1.0))
def test_top_p_keeps_the_fewest_that_reach_it(seed, top_p):
    logits = 2 * torch.randn(5, 7, generator=torch.Generator().manual_seed(seed))
    found = sampling_probabilities(logits, top_p=top_p)
    chances = logits.double().softmax(-1)
    for one, other in zip(found, chances, strict=True):
        kept = one > 0
        assert other[kept].sum() >= top_p - 1e-12
        assert other[kept].sum() - other[kept].min() < top_p
        assert kept.all() or other[kept].min() >= other[~kept].max()
        torch.testing.assert_close(one, (other * kept) / (other * kept).sum())


def test_top_p_sums_what_top_k_has_left():
    logits = torch.tensor([0.4, 0.3, 0.2, 0.1]).log()
    found = sampling_probabilities(logits, top_k=2, top_p=0.55)
    assert found.tolist() == [1.0, 0.0, 0.0, 0.0]  # 4/7 reaches it, 4/10 would not


def test_equal_tokens_are_kept_as_many_as_asked():
    found = sampling_probabilities(torch.zeros(5), top_k=3)
    assert found.count_nonzero() == 3
    assert sampling_probabilities(torch.zeros(5), temperature=0.0).count_nonzero() == 1


def test_logits_as_large_as_they_come_overflow_nothing():
    logits = torch.tensor([3e38, -3e38, -math.inf])
    for options in ({}, {"temperature": 1e-300}, {"top_p": 0.5}):
        assert sampling_probabilities(logits, **options).tolist() == [1.0, 0.0, 0.0]


def test_probabilities_leave_the_logits_as_they_are():
    logits = torch.randn(3, 5)
    before = logits.clone()
    sampling_probabilities(logits, temperature=0.5, top_k=2, top_p=0.5)
    assert torch.equal(logits, before)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"max_length": 0}, "max_length must be at least 1, not 0"),
        ({"temperature": -1.0}, r"temperature is -1\.0, but must not be negative"),
        ({"temperature": math.nan}, "temperature is nan"),
        ({"temperature": math.inf}, "temperature is inf"),
        ({"top_k": 0}, "top_k must be at least 1, not 0"),
        ({"top_p": 0.0}, r"top_p is 0\.0, but a probability to reach"),
        ({"top_p": 1.5}, r"top_p is 1\.5, but a probability to reach"),
    ],
    ids=str,
)
def test_sampling_without_sense_is_refused(wrong, said):
    with pytest.raises(ValueError, match=said):
        drawn(FORK, *ONE, **wrong)


def by_numbers(model, source, lengths, uniform, **options):
    options = {"max_length": uniform.shape[1]} | options
    return sample(model, source, lengths, uniform=uniform, **options)


def test_numbers_draw_the_first_token_whose_cumulated_probability_exceeds_them():
    chances = torch.tensor([0.5, 0.25, 0.25], dtype=torch.float64)
    model = Chain(S=dict(zip("abc", chances.tolist(), strict=True)))
    numbers = [0.0, 0.49, 0.51, 0.74, 0.76, 1 - 2**-53]
    source, lengths = (t.expand(len(numbers), *t.shape[1:]) for t in ONE)
    # the ids go <eos>, a, b, c: <eos> has no chance, and is not drawn by 0 either
    uniform = torch.tensor(numbers, dtype=torch.float64)[:, None]
    found = by_numbers(model, source, lengths, uniform)[:, 0]
    assert found.tolist() == [3, 3, 4, 4, 5, 5]


@all_kinds
def test_the_same_numbers_draw_the_same_whatever_the_generator(kind):
    model, (source, lengths) = make(kind, 0), sources(11, 5, 0)
    uniform = torch.rand(11, 7, generator=torch.Generator().manual_seed(1))
    random = torch.get_rng_state()
    once, again = (by_numbers(model, source, lengths, uniform) for _ in range(2))
    assert torch.equal(once, again)
    other = by_numbers(model, source, lengths, 1 - 2**-24 - uniform)
    assert not torch.equal(once, other)
    assert torch.equal(torch.get_rng_state(), random), "the global generator is left"
    rows = by_numbers(model, source[3:5], lengths[3:5], uniform[3:5])
    length = min(once.shape[1], rows.shape[1])
    assert torch.equal(once[3:5, :length], rows[:, :length])


@pytest.mark.usefixtures("as_readers_run_it")
@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"uniform": torch.rand(1, 3)}, r"batch, step = \(1, 3\), but .* \(1, 2\)"),
        ({"uniform": torch.rand(2, 2)}, r"batch, step = \(2, 2\)"),
        ({"uniform": torch.ones(1, 2)}, "from 1 to 1, but is wanted from 0 to below 1"),
        ({"uniform": torch.full((1, 2), math.nan)}, "from nan to nan"),
    ],
)
def test_numbers_that_draw_nothing_are_named(wrong, said):
    with pytest.raises(ValueError, match=said):
        sample(FORK, *ONE, max_length=2, **wrong)


@pytest.mark.usefixtures("as_readers_run_it")
def test_one_of_generator_and_numbers_draws():
    with pytest.raises(TypeError, match="neither is given; give one of them"):
        sample(FORK, *ONE, max_length=2)
    two = {"generator": torch.Generator(), "uniform": torch.rand(1, 2)}
    with pytest.raises(TypeError, match="both are given; give one of them"):
        sample(FORK, *ONE, max_length=2, **two)
    with pytest.raises(TypeError, match="uniform is of type list, but is to be a ten"):
        sample(FORK, *ONE, max_length=2, uniform=[[0.5, 0.5]])


@pytest.mark.parametrize("logit", [math.nan, math.inf, -math.inf])
def test_logits_without_probabilities_are_named(logit):
    logits = torch.stack([torch.zeros(5), torch.full((5,), logit)])
    with pytest.raises(ValueError, match=f"largest logit of a row is {logit}"):
        sampling_probabilities(logits)


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


def test_translating_with_a_beam_writes_what_the_beam_finds():
    corpus = DictatedNumbers()
    sizes = len(corpus.source_vocab), len(corpus.target_vocab)
    model = make(AttentionSeq2Seq, 0, *sizes)
    model.output.bias.data[EOS] += 3.0
    examples = corpus.sample(17, length=(1, 5), seed=0)
    batch = corpus.collate(examples)
    found, _ = beam(model, *batch.inputs[:2], max_length=6, width=5)
    wide = translate(model, corpus, examples, max_length=6, width=5)
    assert wide == [corpus.target_vocab.decode(row) for row in found.tolist()]
    assert wide != translate(model, corpus, examples, max_length=6)

    told = [Example(e.source, w) for e, w in zip(examples, wide, strict=True) if w]
    longest = max(map(len, wide)) + 1
    found = translate(model, corpus, told, max_length=longest, width=5)
    right = sum(w == e.target for w, e in zip(found, told, strict=True))
    assert exact_match(model, corpus, told, width=5) == right / len(told)
    assert exact_match(model, corpus, told) < right / len(told)


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
