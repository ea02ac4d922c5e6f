"""Recurrent networks: equal to PyTorch's; and fast path, steps and trace are one."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from qkv.recurrent import (
    AttentionDecoder,
    AttentionSeq2Seq,
    Encoder,
    EncoderDecoder,
    GRUCell,
    LSTMCell,
    Seq2Seq,
)
from qkv.trace import walk

# Every axis has a size of its own, so that no two can be taken for each other.
primes = st.permutations([2, 3, 5, 7]).map(tuple)
seeds = st.integers(0, 2**31)
fast = settings(max_examples=15, deadline=None)

KINDS = {
    "fixed": lambda *n, **sizes: Seq2Seq(*n, **sizes),
    "additive": lambda *n, **sizes: AttentionSeq2Seq(*n, **sizes),
    "dot": lambda *n, **sizes: AttentionSeq2Seq(*n, **sizes, score="dot"),
    "general": lambda *n, **sizes: AttentionSeq2Seq(*n, **sizes, score="general"),
}
kinds = st.sampled_from(sorted(KINDS))
N_SOURCE, N_TARGET = 17, 19


def normal(*shape: int, seed: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    made = torch.randn(*shape, generator=generator, dtype=torch.float64)
    return made.requires_grad_()


def make(kind: str, d_embedding: int, d_hidden: int, seed: int) -> nn.Module:
    torch.manual_seed(seed)
    model = KINDS[kind](N_SOURCE, N_TARGET, d_embedding=d_embedding, d_hidden=d_hidden)
    return model.double()


def sequences(batch: int, source: int, target: int, seed: int):
    generator = torch.Generator().manual_seed(seed)
    lengths = torch.randint(1, source + 1, (batch,), generator=generator)
    lengths[-1] = source
    tokens = torch.randint(1, N_SOURCE, (batch, source), generator=generator)
    tokens *= torch.arange(source) < lengths[:, None]
    return (
        tokens,
        lengths,
        torch.randint(N_TARGET, (batch, target), generator=generator),
    )


def assert_same_gradients(ours, oracle, inputs, seed):
    torch.testing.assert_close(ours, oracle)
    pull = normal(*ours.shape, seed=seed + 1).detach()
    torch.testing.assert_close(
        torch.autograd.grad(ours, inputs, pull, retain_graph=True),
        torch.autograd.grad(oracle, inputs, pull, retain_graph=True),
    )


# ----------------------------------------------------------------------------- cells


@fast
@given(sizes=primes, seed=seeds)
def test_gru_cell_is_pytorchs_in_kernel_trace_and_halves(sizes, seed):
    batch, d_in, d_hidden, _ = sizes
    torch.manual_seed(seed)
    oracle = nn.GRUCell(d_in, d_hidden).double()
    cell = GRUCell(d_in, d_hidden).double()
    cell.load_state_dict(oracle.state_dict())
    oracle.load_state_dict(cell.state_dict())
    x, hidden = normal(batch, d_in, seed=seed), normal(batch, d_hidden, seed=seed)

    kernel = cell(x, hidden)
    trace = cell.trace(x, hidden).hidden
    half_known = cell.advance(F.linear(x, cell.weight_ih, cell.bias_ih), hidden)
    weights = tuple(cell.parameters())
    assert_same_gradients(kernel, oracle(x, hidden), (x, hidden), seed)
    assert_same_gradients(trace, kernel, (x, hidden, *weights), seed)
    assert_same_gradients(half_known, kernel, (x, hidden, *weights), seed)


@fast
@given(sizes=primes, seed=seeds)
def test_lstm_cell_is_pytorchs_in_kernel_and_trace(sizes, seed):
    batch, d_in, d_hidden, _ = sizes
    torch.manual_seed(seed)
    oracle = nn.LSTMCell(d_in, d_hidden).double()
    lstm = LSTMCell(d_in, d_hidden).double()
    lstm.load_state_dict(oracle.state_dict())
    oracle.load_state_dict(lstm.state_dict())
    x, hidden = normal(batch, d_in, seed=seed), normal(batch, d_hidden, seed=seed)
    cell = normal(batch, d_hidden, seed=seed + 2)

    kernel = torch.cat(lstm(x, (hidden, cell)))
    trace = lstm.trace(x, (hidden, cell))
    expected = torch.cat(oracle(x, (hidden, cell)))
    inputs = (x, hidden, cell)
    assert_same_gradients(kernel, expected, inputs, seed)
    explicit = torch.cat([trace.hidden, trace.cell])
    weights = tuple(lstm.parameters())
    assert_same_gradients(explicit, kernel, (*inputs, *weights), seed)


def test_a_gru_of_zero_weights_halves_its_state():
    cell = GRUCell(d_in=2, d_hidden=3)
    for weight in cell.parameters():
        weight.data.zero_()
    trace = cell.trace(torch.ones(2), torch.tensor([2.0, -4.0, 8.0]))
    assert trace.reset.tolist() == trace.update.tolist() == [0.5] * 3
    assert trace.candidate.tolist() == [0.0] * 3
    assert trace.hidden.tolist() == [1.0, -2.0, 4.0]


def test_an_lstm_of_zero_weights_halves_its_cell():
    lstm = LSTMCell(d_in=2, d_hidden=1)
    for weight in lstm.parameters():
        weight.data.zero_()
    trace = lstm.trace(torch.ones(2), (torch.tensor([7.0]), torch.tensor([3.0])))
    assert trace.cell.tolist() == [1.5]
    torch.testing.assert_close(trace.hidden, 0.5 * torch.tensor([1.5]).tanh())


@fast
@given(sizes=primes, seed=seeds)
def test_unroll_is_the_cell_in_a_loop(sizes, seed):
    batch, token, d_in, d_hidden = sizes
    torch.manual_seed(seed)
    cell = GRUCell(d_in, d_hidden).double()
    inputs = normal(batch, token, d_in, seed=seed)
    begin = normal(batch, d_hidden, seed=seed + 2)
    hidden, states = begin, []
    for x in inputs.unbind(1):
        hidden = cell(x, hidden)
        states.append(hidden)
    unrolled = cell.unroll(inputs, begin)
    weights = tuple(cell.parameters())
    looped = torch.stack(states, 1)
    assert_same_gradients(unrolled, looped, (inputs, begin, *weights), seed)


@fast
@given(sizes=primes, seed=seeds)
def test_lstm_cell_in_a_loop_is_pytorchs_lstm_over_packed_sources(sizes, seed):
    batch, source, d_in, d_hidden = sizes
    torch.manual_seed(seed)
    lstm = LSTMCell(d_in, d_hidden).double()
    oracle = nn.LSTM(d_in, d_hidden, batch_first=True).double()
    for name, weight in lstm.named_parameters():
        getattr(oracle, f"{name}_l0").data.copy_(weight.data)
    _, lengths, _ = sequences(batch, source, 2, seed)
    inputs = normal(batch, source, d_in, seed=seed)
    packed = pack_padded_sequence(
        inputs, lengths, batch_first=True, enforce_sorted=False
    )
    _, (expected, _) = oracle(packed)

    last = []
    for row, length in zip(inputs, lengths, strict=True):
        state = (row.new_zeros(1, d_hidden), row.new_zeros(1, d_hidden))
        for x in row[:length].unsqueeze(1):
            state = lstm(x, state)
        last.append(state[0])
    assert_same_gradients(torch.cat(last), expected[0], inputs, seed)


# --------------------------------------------------------------------------- encoder


@fast
@given(sizes=primes, seed=seeds)
def test_encoder_is_pytorchs_gru_over_packed_sources(sizes, seed):
    batch, source, d_embedding, d_hidden = sizes
    torch.manual_seed(seed)
    encoder = Encoder(N_SOURCE, d_embedding=d_embedding, d_hidden=d_hidden).double()
    oracle = nn.GRU(d_embedding, d_hidden, batch_first=True).double()
    for name, weight in encoder.cell.named_parameters():
        setattr(oracle, f"{name}_l0", weight)
    tokens, lengths, _ = sequences(batch, source, 2, seed)
    embedded = encoder.embedding(tokens)
    packed = pack_padded_sequence(
        embedded, lengths, batch_first=True, enforce_sorted=False
    )
    states, last = oracle(packed)
    states, _ = pad_packed_sequence(states, batch_first=True)
    expected = torch.cat([states, last[0].unsqueeze(1)], 1)

    weights = (encoder.embedding.weight, *encoder.cell.parameters())
    for states, last in (
        encoder(tokens, lengths),
        encoder.trace(encoder.embedding(tokens), lengths),
    ):
        ours = torch.cat([states, last.unsqueeze(1)], 1)
        assert_same_gradients(ours, expected, weights, seed)


# ---------------------------------------------------------------------------- models


@fast
@given(sizes=primes, seed=seeds, kind=kinds)
def test_the_trace_is_the_fast_path_in_values_and_gradients(sizes, seed, kind):
    batch, source, target, d_hidden = sizes
    model = make(kind, 11, d_hidden, seed)
    inputs = sequences(batch, source, target, seed)
    fused = model(*inputs).softmax(-1)
    explicit = model.trace(*inputs).probabilities
    assert_same_gradients(explicit, fused, tuple(model.parameters()), seed)


@fast
@given(sizes=primes, seed=seeds, kind=kinds)
def test_token_by_token_is_the_fast_path(sizes, seed, kind):
    batch, source, target, d_hidden = sizes
    model = make(kind, 11, d_hidden, seed)
    tokens, lengths, target_in = sequences(batch, source, target, seed)
    state, one_by_one = model.start(tokens, lengths), []
    for token in target_in.unbind(1):
        logits, state = model.step(token, state)
        one_by_one.append(logits)
    expected = model(tokens, lengths, target_in)
    torch.testing.assert_close(torch.stack(one_by_one, 1), expected)


@fast
@given(sizes=primes, seed=seeds, kind=kinds)
def test_nothing_depends_on_padding_or_on_the_rest_of_the_batch(sizes, seed, kind):
    batch, source, target, d_hidden = sizes
    model = make(kind, 11, d_hidden, seed)
    tokens, lengths, target_in = sequences(batch, source, target, seed)
    generator = torch.Generator().manual_seed(seed)
    other = torch.randint(N_SOURCE, (batch, source + 3), generator=generator)
    real = torch.arange(source + 3) < lengths[:, None]
    other = torch.where(real, F.pad(tokens, (0, 3)), other)
    expected = model(tokens, lengths, target_in)
    torch.testing.assert_close(model(other, lengths, target_in), expected)
    traced = model.trace(other, lengths, target_in).probabilities
    torch.testing.assert_close(traced, expected.softmax(-1))
    for i, length in enumerate(lengths):
        alone = model(tokens[i : i + 1, :length], length[None], target_in[i : i + 1])
        torch.testing.assert_close(alone[0], expected[i])


@fast
@given(sizes=primes, seed=seeds, score=st.sampled_from(["additive", "dot", "general"]))
def test_padding_is_never_attended_to(sizes, seed, score):
    batch, source, target, d_hidden = sizes
    model = make(score, 11, d_hidden, seed)
    tokens, lengths, target_in = sequences(batch, source, target, seed)
    trace = model.trace(tokens, lengths, target_in)
    padding = torch.arange(source) >= lengths[:, None]
    weights = trace.attention.weights
    assert (weights.mT[padding] == 0).all()
    assert (trace.encoder_states[padding] == 0).all()
    torch.testing.assert_close(weights.sum(-1), torch.ones_like(weights[..., 0]))


@fast
@given(sizes=primes, seed=seeds)
def test_the_fixed_vector_is_two_grus_of_pytorch(sizes, seed):
    batch, source, target, d_hidden = sizes
    model = make("fixed", 11, d_hidden, seed)
    tokens, lengths, target_in = sequences(batch, source, target, seed)
    decoder = nn.GRU(11 + d_hidden, d_hidden, batch_first=True).double()
    for name, weight in model.cell.named_parameters():
        setattr(decoder, f"{name}_l0", weight)
    _, context = model.encoder(tokens, lengths)
    everywhere = context.unsqueeze(1).expand(batch, target, d_hidden)
    inputs = torch.cat([model.embedding(target_in), everywhere], -1)
    states, _ = decoder(inputs, context.unsqueeze(0))
    expected = model.output(torch.cat([states, everywhere], -1))
    ours = model(tokens, lengths, target_in)
    assert_same_gradients(ours, expected, tuple(model.parameters()), seed)


@fast
@given(sizes=primes, seed=seeds)
def test_looking_back_is_pytorchs_attention_and_cell(sizes, seed):
    batch, source, target, d_hidden = sizes
    model = make("dot", 11, d_hidden, seed)
    tokens, lengths, target_in = sequences(batch, source, target, seed)
    cell = nn.GRUCell(11 + d_hidden, d_hidden).double()
    cell.load_state_dict(model.cell.state_dict())
    values, hidden = model.encoder(tokens, lengths)
    real = (torch.arange(source) < lengths[:, None]).unsqueeze(1)
    expected = []
    for y in model.embedding(target_in).unbind(1):
        context = F.scaled_dot_product_attention(
            hidden.unsqueeze(1), values, values, real, scale=1.0
        ).squeeze(1)
        hidden = cell(torch.cat([y, context], -1), hidden)
        expected.append(model.output(torch.cat([hidden, context], -1)))
    torch.testing.assert_close(
        model(tokens, lengths, target_in), torch.stack(expected, 1)
    )


def test_a_source_is_projected_once_however_long_the_target(monkeypatch):
    model = make("additive", 11, 5, 0)
    project, calls = model.score.project, []
    monkeypatch.setattr(
        model.score, "project", lambda keys: calls.append(1) or project(keys)
    )
    model(*sequences(2, 3, 7, 0))
    assert len(calls) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_every_model_is_an_encoder_decoder(kind):
    assert isinstance(make(kind, 2, 3, 0), EncoderDecoder)


def test_traces_name_their_axes():
    inputs = sequences(2, 3, 5, 0)
    assert [s.shape for s in walk(make("fixed", 7, 11, 0).trace(*inputs))] == [
        {"batch": 2, "source": 3, "d_embedding": 7},
        {"batch": 2, "source": 3, "d_hidden": 11},
        {"batch": 2, "d_hidden": 11},
        {"batch": 2, "target": 5, "d_hidden": 11},
        {"batch": 2, "target": 5, "vocab": N_TARGET},
    ]
    looking = {s.path: s for s in walk(make("dot", 7, 11, 0).trace(*inputs))}
    assert list(looking) == [
        "source_embedded",
        "encoder_states",
        "queries",
        "attention.scores",
        "attention.weights",
        "attention.context",
        "decoder_states",
        "probabilities",
    ]
    assert looking["attention.weights"].shape == {"batch": 2, "query": 5, "key": 3}


def test_queries_are_the_states_before_each_step():
    model = make("additive", 7, 11, 0)
    tokens, lengths, target_in = sequences(2, 3, 5, 0)
    trace = model.trace(tokens, lengths, target_in)
    _, last = model.encoder(tokens, lengths)
    torch.testing.assert_close(trace.queries[:, 0], last)
    assert torch.equal(trace.queries[:, 1:], trace.decoder_states[:, :-1])


# -------------------------------------------------------------------------- refusals


@pytest.mark.usefixtures("as_readers_run_it")
class TestRefusals:
    @pytest.mark.parametrize(("d_x", "d_state"), [(3, 5), (2, 7)], ids=["x", "state"])
    def test_a_cell_of_another_size(self, d_x, d_state):
        x, state = torch.zeros(11, d_x), torch.zeros(11, d_state)
        gru, lstm = GRUCell(2, 5), LSTMCell(2, 5)
        message = rf"d_in = 2 and d_hidden = 5.*d_in = {d_x}.*d_hidden = {d_state}"
        for call in (
            lambda: gru(x, state),
            lambda: gru.trace(x, state),
            lambda: gru.unroll(x.unsqueeze(1), state),
            lambda: lstm(x, (state, state)),
            lambda: lstm.trace(x, (state, state)),
        ):
            with pytest.raises(ValueError, match=message):
                call()

    @pytest.mark.parametrize("kind", KINDS)
    @pytest.mark.parametrize("way", ["forward", "start", "trace"])
    @pytest.mark.parametrize(
        ("lengths", "message"),
        [
            ([0, 3], r"length 0, but a model needs at least 1 token"),
            ([-1, 3], r"length -1, but a model needs"),
            ([2, 4], r"source_lengths has 4, but source has only source = 3"),
            ([3], r"batch = 2, but source_lengths has shape \(1,\)"),
            ([[3], [3]], r"batch = 2, but source_lengths has shape \(2, 1\)"),
        ],
    )
    def test_lengths_that_are_none(self, kind, way, lengths, message):
        model, source = make(kind, 2, 5, 0), torch.ones(2, 3, dtype=torch.long)
        inputs = (source, torch.tensor(lengths), source)
        with pytest.raises(ValueError, match=message):
            getattr(model, way)(*inputs[: 2 if way == "start" else 3])

    def test_a_source_without_tokens(self):
        source = torch.ones(2, 0, dtype=torch.long)
        with pytest.raises(ValueError, match=r"source = 0, but .* at least 1 to"):
            Encoder(N_SOURCE)(source, torch.zeros(2, dtype=torch.long))

    @pytest.mark.parametrize("kind", KINDS)
    @pytest.mark.parametrize("way", ["forward", "trace"])
    @pytest.mark.parametrize("unknown", [-1, 99])
    def test_unknown_tokens(self, kind, way, unknown):
        model, known = make(kind, 2, 5, 0), torch.ones(2, 3, dtype=torch.long)
        lengths, wrong = torch.tensor([3, 3]), torch.full((2, 3), unknown)
        with pytest.raises(ValueError, match=rf"source has token {unknown}.*0 to 16"):
            getattr(model, way)(wrong, lengths, known)
        with pytest.raises(ValueError, match=rf"target has token {unknown}.*0 to 18"):
            getattr(model, way)(known, lengths, wrong)
        with pytest.raises(ValueError, match=rf"target has token {unknown}.*0 to 18"):
            model.step(wrong[:, 0], model.start(known, lengths))

    def test_a_score_nobody_knows(self):
        with pytest.raises(ValueError, match=r"'cosine'.*'additive', 'dot' and"):
            AttentionSeq2Seq(N_SOURCE, N_TARGET, score="cosine")


# ------------------------------------------------------------------------- any encoder


class Given(nn.Module):
    """Hands on what it is given to look at, and begins with the last of it."""

    def forward(self, states):
        return states, states[:, -1]


def test_the_decoder_with_an_encoder_of_its_own_is_the_one_with_the_books():
    whole = AttentionSeq2Seq(11, 13, d_embedding=5, d_hidden=7)
    decoder = AttentionDecoder(Given(), 13, d_embedding=5, d_hidden=7)
    weights = {k: v for k, v in whole.state_dict().items() if "encoder." not in k}
    decoder.load_state_dict(weights)
    source, target_in = torch.randint(11, (3, 5)), torch.randint(13, (3, 2))
    states, _ = whole.encoder(source, torch.full((3,), 5))
    expected = whole(source, torch.full((3,), 5), target_in)
    torch.testing.assert_close(decoder(states, target_in), expected)


def test_what_the_decoder_looks_at_is_as_wide_as_its_state():
    decoder = AttentionDecoder(Given(), 13, d_hidden=7)
    said = r"returned states of shape \(3, 5, 2\) and \(3, 2\), .*\(batch, source, 7\)"
    with pytest.raises(ValueError, match=said):
        decoder.start(torch.ones(3, 5, 2))


@pytest.mark.parametrize("length", [2, 3])
def test_padding_is_hidden_only_where_there_is_some(length):
    model = AttentionSeq2Seq(11, 13)
    lengths = torch.tensor([3, length])
    state = model.start(torch.ones(2, 3, dtype=torch.long), lengths)
    chosen = state.select(torch.tensor([1, 1])).memory
    if length == 3:
        assert state.memory.bias is chosen.bias is None
    else:
        assert chosen.bias.tolist() == [[[0, 0, -torch.inf]]] * 2


def test_a_score_of_ones_own_needs_a_projection_and_a_call():
    class Even(nn.Module):
        def project(self, keys):
            return keys

        def forward(self, query, projected):
            return query.new_zeros(*query.shape[:-1], projected.shape[-2])

    model = AttentionSeq2Seq(N_SOURCE, N_TARGET)
    model.score = Even()
    source, lengths = torch.tensor([[5, 6, 7]]), torch.tensor([3])
    trace = model.trace(source, lengths, torch.tensor([[1, 5]]))
    assert trace.attention.weights.allclose(torch.tensor(1 / 3))
    logits = model(source, lengths, torch.tensor([[1, 5]]))
    torch.testing.assert_close(logits.softmax(-1), trace.probabilities)
