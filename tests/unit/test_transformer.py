"""The Transformer: PyTorch's own, and fast path, cached steps and trace are one."""

from unittest.mock import patch

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from qkv.data import BOS, EOS, PAD, Batch, DictatedNumbers
from qkv.decoding import exact_match, greedy, record
from qkv.positions import sinusoidal
from qkv.recurrent import EncoderDecoder, Selectable
from qkv.trace import walk
from qkv.training import FitSettings, fit
from qkv.transformer import (
    Encoder,
    EncoderLayer,
    LanguageModel,
    Transformer,
    TransformerConfig,
    cache,
)

N_SOURCE, N_TARGET = 17, 19
# Every axis has a size of its own, so that no two can be taken for each other.
primes = st.permutations([2, 3, 5, 7]).map(tuple)
seeds = st.integers(0, 2**31)
kinds = st.fixed_dictionaries(
    {
        "norm_first": st.booleans(),
        "tied": st.booleans(),
        "positions": st.sampled_from(["sinusoidal", "learned", "none"]),
    }
)
forms = st.builds(  # with heads that share keys, and windows
    lambda kind, more: kind | more,
    kinds,
    st.fixed_dictionaries(
        {
            "d_model": st.just(16),
            "heads": st.just(4),
            "kv_heads": st.sampled_from([None, 1, 2]),
            "window": st.sampled_from([None, 1, 2, 5]),
        }
    ),
)
fast = settings(max_examples=15, deadline=None)


def config(**changes) -> TransformerConfig:
    sizes = {"d_model": 12, "heads": 3, "d_ff": 11, "layers": (1, 2), "max_length": 200}
    return TransformerConfig(N_SOURCE, N_TARGET, **(sizes | changes))


def make(kind=Transformer, *, seed: int = 0, **changes) -> nn.Module:
    """A model whose every parameter counts: no scale is 1, no shift 0."""
    torch.manual_seed(seed)
    model = kind(config(**changes)).double()
    for parameter in model.parameters():
        if parameter.ndim == 1 or len(parameter) in (N_SOURCE, N_TARGET):
            nn.init.normal_(parameter, mean=0.3)
    return model


def sequences(batch: int, source: int, target: int, seed: int):
    generator = torch.Generator().manual_seed(seed)
    lengths = torch.randint(1, source + 1, (batch,), generator=generator)
    lengths[-1] = source
    tokens = torch.randint(1, N_SOURCE, (batch, source), generator=generator)
    tokens *= torch.arange(source) < lengths[:, None]
    target_in = torch.randint(N_TARGET, (batch, target), generator=generator)
    return tokens, lengths, target_in


def chunked(model, tokens, state, chunks: list[int]) -> torch.Tensor:
    """The logits of all tokens, taken in chunk by chunk; the rest one by one."""
    chunks = [*chunks, *[1] * tokens.shape[1]]
    logits, start = [], 0
    while start < tokens.shape[1]:
        end = start + chunks.pop(0)
        some, state = model.extend(tokens[:, start:end], state)
        logits.append(some)
        start = end
    return torch.cat(logits, 1)


def assert_same_gradients(ours, oracle, inputs, seed):
    torch.testing.assert_close(ours, oracle)
    generator = torch.Generator().manual_seed(seed)
    pull = torch.randn(ours.shape, generator=generator, dtype=ours.dtype)
    torch.testing.assert_close(
        torch.autograd.grad(ours, inputs, pull),
        torch.autograd.grad(oracle, inputs, pull),
    )


# ------------------------------------------------------------------------ equivalence


def pytorchs(model: Transformer) -> nn.Transformer:
    """PyTorch's Transformer of the same sizes, with weights of its own."""
    c = model.config
    sizes = {"d_model": c.d_model, "nhead": c.heads, "dim_feedforward": c.d_ff}
    kind = {"dropout": 0.0, "batch_first": True, "norm_first": c.norm_first}
    encoder = nn.TransformerEncoderLayer(**sizes, **kind)
    decoder = nn.TransformerDecoderLayer(**sizes, **kind)
    norms = [None if p.norm is None else nn.LayerNorm(c.d_model) for p in parts(model)]
    return nn.Transformer(
        **sizes,
        **kind,
        custom_encoder=nn.TransformerEncoder(
            encoder, c.layers[0], norms[0], enable_nested_tensor=False
        ),
        custom_decoder=nn.TransformerDecoder(decoder, c.layers[1], norms[1]),
    ).double()


def parts(model):
    return model.encoder, model.decoder


def through(model: Transformer, oracle: nn.Transformer, source, lengths, target_in):
    """The model's embeddings and output, around PyTorch's layers."""
    d_model = model.config.d_model
    hidden = torch.arange(source.shape[1]) >= lengths[:, None]
    tokens = target_in.shape[1]
    read = [
        table(ids) * d_model**0.5 + sinusoidal(ids.shape[1], d_model).double()
        for table, ids in (
            (model.source_embedding, source),
            (model.target_embedding, target_in),
        )
    ]
    decoded = oracle(
        *read,
        tgt_mask=torch.ones(tokens, tokens, dtype=torch.bool).triu(1),
        src_key_padding_mask=hidden,
        memory_key_padding_mask=hidden,
    )
    return F.linear(decoded, model.output.weight, model.output.bias)


@fast
@given(
    sizes=primes,
    seed=seeds,
    norm_first=st.booleans(),
    final_norm=st.sampled_from([None, True, False]),
    outward=st.booleans(),
)
def test_it_is_pytorchs_with_weights_loaded_either_way(
    sizes, seed, norm_first, final_norm, outward
):
    batch, source, target, _ = sizes
    model = make(seed=seed, norm_first=norm_first, final_norm=final_norm)
    oracle = pytorchs(model)
    own = [model.encoder, model.decoder], [oracle.encoder, oracle.decoder]
    for ours, theirs in zip(*own, strict=True):
        if outward:
            theirs.load_state_dict(ours.state_dict())
        else:
            ours.load_state_dict(theirs.state_dict())
    inputs = sequences(batch, source, target, seed)
    ours, theirs = model(*inputs), through(model, oracle, *inputs)
    torch.testing.assert_close(ours, theirs)
    generator = torch.Generator().manual_seed(seed)
    pull = torch.randn(ours.shape, generator=generator, dtype=ours.dtype)
    tables = [model.source_embedding.weight, model.target_embedding.weight]
    names = [name for name, _ in oracle.named_parameters()]
    weights = model.state_dict(keep_vars=True)
    torch.testing.assert_close(
        torch.autograd.grad(ours, [*tables, *(weights[n] for n in names)], pull),
        torch.autograd.grad(theirs, [*tables, *oracle.parameters()], pull),
    )


def test_the_default_transformer_of_pytorch_loads_by_name():
    model = make(heads=2, norm_first=False, final_norm=True)
    oracle = nn.Transformer(12, 2, 1, 2, 11, dropout=0.0, batch_first=True).double()
    missing, unexpected = model.load_state_dict(oracle.state_dict(), strict=False)
    assert unexpected == []
    assert {name.split(".")[0] for name in missing} == {
        "source_embedding",
        "target_embedding",
        "output",
    }
    inputs = sequences(3, 5, 7, seed=0)
    torch.testing.assert_close(model(*inputs), through(model, oracle, *inputs))


@fast
@given(sizes=primes, seed=seeds, kind=forms)
def test_the_trace_is_the_call(sizes, seed, kind):
    batch, source, target, _ = sizes
    model = make(seed=seed, **kind)
    inputs = sequences(batch, source, target, seed)
    trace = model.trace(*inputs)
    weights = tuple(model.parameters())
    assert_same_gradients(trace.logits, model(*inputs), weights, seed)
    torch.testing.assert_close(trace.probabilities, trace.logits.softmax(-1))


@fast
@given(sizes=primes, seed=seeds, kind=forms)
def test_a_language_models_trace_is_the_call(sizes, seed, kind):
    batch, token, *_ = sizes
    model = make(LanguageModel, seed=seed, **kind)
    _, _, tokens = sequences(batch, 1, token, seed)
    trace = model.trace(tokens)
    weights = tuple(model.parameters())
    assert_same_gradients(trace.logits, model(tokens), weights, seed)
    torch.testing.assert_close(trace.probabilities, trace.logits.softmax(-1))


def test_a_language_model_is_pytorchs_encoder_that_looks_back():
    model = make(LanguageModel)
    layer = nn.TransformerEncoderLayer(12, 3, 11, 0.0, batch_first=True).double()
    layer.norm_first = True
    norm = nn.LayerNorm(12).double()
    oracle = nn.TransformerEncoder(layer, 2, norm, enable_nested_tensor=False)
    oracle.load_state_dict(model.decoder.state_dict())
    _, _, tokens = sequences(5, 1, 7, seed=3)
    read = model.target_embedding(tokens) * 12**0.5 + sinusoidal(7, 12).double()
    hidden = torch.ones(7, 7, dtype=torch.bool).triu(1)
    expected = model.output(oracle(read, mask=hidden))
    torch.testing.assert_close(model(tokens), expected)


# ------------------------------------------------------------------------------ cache

chunkings = st.lists(st.sampled_from([1, 2, 3, 5, 7, 11]), max_size=6)


@fast
@given(sizes=primes, seed=seeds, kind=forms, chunks=chunkings)
def test_cached_is_uncached_for_every_chunking(sizes, seed, kind, chunks):
    batch, source, _, capacity = sizes
    model = make(seed=seed, **kind)
    inputs = sequences(batch, source, 23, seed)
    with patch.object(cache, "CAPACITY", capacity):  # so small that it must grow
        found = chunked(model, inputs[2], model.start(*inputs[:2]), chunks)
    torch.testing.assert_close(found, model(*inputs).detach())


@fast
@given(sizes=primes, seed=seeds, kind=forms, chunks=chunkings)
def test_a_language_model_cached_is_uncached(sizes, seed, kind, chunks):
    batch, _, _, capacity = sizes
    model = make(LanguageModel, seed=seed, **kind)
    _, _, tokens = sequences(batch, 1, 23, seed)
    with patch.object(cache, "CAPACITY", capacity):
        found = chunked(model, tokens, model.empty(batch), chunks)
    torch.testing.assert_close(found, model(tokens).detach())


def whole(prompt, lengths, tokens):
    """Each prompt and what follows, in one text; and where in it the tokens are."""
    rows = zip(prompt, lengths, tokens, strict=True)
    texts = [torch.cat([row[:length], more]) for row, length, more in rows]
    places = lengths[:, None] + torch.arange(tokens.shape[1])
    return nn.utils.rnn.pad_sequence(texts, batch_first=True), places


def continued(model, prompt, lengths, tokens) -> torch.Tensor:
    """The logits of a text whose beginning is a prompt, without a cache."""
    text, places = whole(prompt, lengths, tokens)
    return model(text)[torch.arange(len(text))[:, None], places].detach()


@fast
@given(sizes=primes, seed=seeds, kind=forms, chunks=chunkings)
@example((3, 7, 5, 2), 0, {"positions": "learned"}, [1, 5])
@example((3, 7, 5, 2), 0, {"positions": "sinusoidal", "norm_first": False}, [5, 1])
@example((3, 7, 5, 2), 0, {"positions": "none"}, [1])
@example((3, 7, 5, 2), 0, {"heads": 4, "kv_heads": 2, "window": 3}, [1, 5])
def test_a_prompt_goes_on_as_if_it_had_no_padding(sizes, seed, kind, chunks):
    batch, longest, _, capacity = sizes
    model = make(LanguageModel, seed=seed, **kind)
    prompt, lengths, tokens = sequences(batch, longest, 23, seed)
    prompt = prompt.masked_fill(prompt == PAD, 3)  # what stands in padding is nothing
    with patch.object(cache, "CAPACITY", capacity):
        state = model.start(prompt, lengths)
        logits, state = model.step(model.first_token(prompt, lengths), state)
        found = chunked(model, tokens, state, chunks)
    torch.testing.assert_close(found, continued(model, prompt, lengths, tokens))
    expected = model(prompt)[range(batch), lengths - 1].detach()
    torch.testing.assert_close(logits, expected)


@pytest.mark.parametrize("lengths", [[1, 1, 1], [4, 4, 4]])
def test_prompts_of_one_length_cost_nothing_for_padding(lengths):
    model = make(LanguageModel)
    prompt, lengths = torch.full((3, 7), 5), torch.tensor(lengths)
    state = model.start(prompt, lengths)
    assert state.length == lengths[0] - 1
    assert state.padding is state.padding_bias is None
    state = model.start(prompt, lengths - torch.tensor([0, 0, lengths[0] > 1]))
    assert (state.padding is None) is (lengths[0] == 1).item()


@pytest.mark.parametrize("kind", [Transformer, LanguageModel])
@fast
@given(
    sizes=primes,
    seed=seeds,
    form=forms,
    rows=st.lists(st.integers(0, 2), min_size=1),
)
def test_chosen_rows_go_on_as_they_would_have(kind, sizes, seed, form, rows):
    _, source, target, _ = sizes
    model = make(kind, seed=seed, **form)
    source, lengths, tokens = sequences(3, source, target + 2, seed)
    rows = torch.tensor(rows)
    for done in (0, target):  # straight after start, and later
        state = model.start(source, lengths)
        if done:
            _, state = model.extend(tokens[:, :done], state)
        assert isinstance(state, Selectable)
        chosen = state.select(rows)
        for token in (tokens[:, -2], tokens[:, -1]):
            expected, state = model.step(token, state)
            found, chosen = model.step(token[rows], chosen)
            torch.testing.assert_close(found, expected[rows])


def test_rows_that_repeat_become_independent():
    model = make()
    source, lengths, _ = sequences(1, 5, 1, seed=0)
    state = model.start(source, lengths).select(torch.tensor([0, 0]))
    _, state = model.step(torch.tensor([3, 4]), state)
    logits, _ = model.step(torch.tensor([5, 5]), state)
    expected = model(
        source.expand(2, -1), lengths.expand(2), torch.tensor([[3, 5], [4, 5]])
    )
    torch.testing.assert_close(logits, expected[:, -1].detach())


def test_two_continuations_of_one_state_do_not_see_each_other():
    model = make()
    source, lengths, tokens = sequences(3, 5, 7, seed=0)
    _, shared = model.extend(tokens[:, :5], model.start(source, lengths))
    _, first = model.step(tokens[:, 5], shared)
    _, second = model.step((tokens[:, 5] + 1) % N_TARGET, shared)
    logits, _ = model.step(tokens[:, 6], first)
    expected = model(source, lengths, tokens)[:, -1].detach()
    torch.testing.assert_close(logits, expected)
    other = torch.cat([tokens[:, :5], (tokens[:, 5:6] + 1) % N_TARGET], 1)
    logits, _ = model.step(tokens[:, 6], second)
    expected = model(source, lengths, torch.cat([other, tokens[:, 6:]], 1))
    torch.testing.assert_close(logits, expected[:, -1].detach())


def test_a_cache_is_written_in_place_and_grows_by_doubling():
    model = make()
    source, lengths, tokens = sequences(3, 5, 7, seed=0)
    state, rooms = model.start(source, lengths), []
    with patch.object(cache, "CAPACITY", 2):
        state = model.start(source, lengths)
        for token in tokens.unbind(1):
            _, state = model.step(token, state)
            rooms.append((state.cache.store.shape[-2], state.cache.store.data_ptr()))
    assert [capacity for capacity, _ in rooms] == [2, 2, 4, 4, 8, 8, 8]
    assert len({place for capacity, place in rooms if capacity == 8}) == 1


@pytest.mark.parametrize("kind", [Transformer, LanguageModel])
@pytest.mark.parametrize(("kv_heads", "kept"), [(None, 4), (2, 2), (1, 1)])
def test_the_cache_keeps_no_key_twice(kind, kv_heads, kept):
    model = make(kind, d_model=24, heads=4, kv_heads=kv_heads)
    source, lengths, _ = sequences(3, 5, 7, seed=0)
    state = model.start(source, lengths)
    assert state.cache.store.shape == (2, 2, 3, kept, cache.CAPACITY, 6)
    for pair in state.source:
        assert [part.shape for part in pair] == [(3 * kept, 5, 6)] * 2


@fast
@given(
    layers=st.integers(1, 3),
    window=st.integers(1, 5),
    form=forms,
    seed=seeds,
)
def test_layers_of_windows_reach_back_exactly_so_far(layers, window, form, seed):
    model = make(
        LanguageModel, seed=seed, **(form | {"layers": (1, layers), "window": window})
    )
    x = torch.randn(1, 17, 16, dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(model.decoder(x, causal=True)[0, -1].sum(), x)
    seen = (gradient[0] != 0).any(-1)
    assert seen.nonzero().min() == 16 - layers * (window - 1)


@pytest.mark.parametrize("kind", [Transformer, LanguageModel])
def test_a_window_as_long_as_the_text_hides_nothing(kind):
    free, windowed = make(kind), make(kind, window=7)
    inputs = sequences(3, 5, 7, seed=0)[-1 if kind is LanguageModel else 0 :]
    torch.testing.assert_close(windowed(*inputs), free(*inputs))


def test_only_the_decoder_looks_through_the_window():
    model = make(window=2)
    assert {layer.self_attn.window for layer in model.encoder.layers} == {None}
    assert {layer.self_attn.window for layer in model.decoder.layers} == {2}
    assert {layer.multihead_attn.window for layer in model.decoder.layers} == {None}


def test_the_source_is_projected_once():
    model = make()
    source, lengths, tokens = sequences(3, 5, 7, seed=0)
    state = model.start(source, lengths)
    kept = state.source
    batch_and_head = 3 * 3
    assert [tuple(pair[0].shape) for pair in kept] == [(batch_and_head, 5, 4)] * 2
    _, state = model.step(tokens[:, 0], state)
    assert state.source is kept


def outspoken(kind, **changes) -> nn.Module:
    """A model with large weights, so that each token decides the next."""
    torch.manual_seed(0)
    model = kind(config(**changes)).double()
    for weight in model.parameters():
        weight.data.mul_(3)
    return model


@pytest.mark.parametrize("norm_first", [True, False])
def test_greedy_writes_the_argmax_of_the_uncached_model(norm_first):
    model = outspoken(Transformer, norm_first=norm_first, positions="learned")
    source, lengths, _ = sequences(11, 5, 1, seed=1)
    written = greedy(model, source, lengths, max_length=13)
    assert len(written.unique()) > 3
    fed_back = torch.cat([torch.full((11, 1), BOS), written[:, :-1]], 1)
    again = model(source, lengths, fed_back).argmax(-1)
    still = written != 0
    assert torch.equal(written[still], again[still])


def argmax_loop(model: LanguageModel, prompt: list[int], max_length: int) -> list[int]:
    """What a text goes on with, all of it read anew for every token."""
    written: list[int] = []
    while len(written) < max_length and EOS not in written:
        logits = model(torch.tensor([[*prompt, *written]]))[0, -1]
        written.append(logits.argmax().item())
    return written


@pytest.mark.parametrize("norm_first", [True, False])
@pytest.mark.parametrize("positions", ["sinusoidal", "learned", "none"])
def test_greedy_goes_on_with_prompts_as_a_loop_without_a_cache_does(
    positions, norm_first
):
    model = outspoken(LanguageModel, positions=positions, norm_first=norm_first)
    nn.init.normal_(model.target_embedding.weight)
    model.output.bias.data[[PAD, EOS]] = torch.tensor([-99.0, 6.0]).double()
    prompt, lengths, _ = sequences(11, 7, 1, seed=2)
    prompt[0, 0], lengths[0] = BOS, 1  # free to write anything
    assert len(lengths.unique()) > 3
    written = greedy(model, prompt, lengths, max_length=13)
    assert len(written.unique()) > 5
    assert len((written != PAD).sum(1).unique()) > 1, "some end, others go on"
    for row, tokens, length in zip(written, prompt, lengths, strict=True):
        expected = argmax_loop(model, tokens[:length].tolist(), 13)
        assert row[row != PAD].tolist() == expected
        alone = greedy(model, tokens[None, :length], length[None], max_length=13)
        assert alone[0].tolist() == expected


def test_a_generation_in_float32_agrees_too():
    model = make().float()
    source, lengths, tokens = sequences(3, 5, 70, seed=0)  # longer than CAPACITY
    found = chunked(model, tokens, model.start(source, lengths), [])
    expected = model(source, lengths, tokens).detach()
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-4)


# ------------------------------------------------------------------------- properties


@fast
@given(sizes=primes, seed=seeds, kind=forms)
def test_a_sentence_is_the_same_in_any_batch(sizes, seed, kind):
    batch, source, target, more = sizes
    model = make(seed=seed, **kind)
    tokens, lengths, target_in = sequences(batch, source, target, seed)
    wide = F.pad(tokens, (0, more), value=3)  # what stands in padding is nothing
    longer = F.pad(target_in, (0, more), value=5)
    together = model(wide, lengths, longer)[:, :target]
    for row in range(batch):
        length = lengths[row]
        alone = tokens[row : row + 1, :length], length[None], target_in[row : row + 1]
        torch.testing.assert_close(together[row], model(*alone)[0])


@pytest.mark.parametrize("kind", [Transformer, LanguageModel])
def test_no_token_sees_a_later_one(kind):
    model = make(kind)
    source, lengths, target = sequences(3, 5, 7, seed=0)
    before = [] if kind is LanguageModel else [source, lengths]
    changed = target.clone()
    changed[:, 4:] = (changed[:, 4:] + 1) % N_TARGET
    ours, other = model(*before, target), model(*before, changed)
    torch.testing.assert_close(ours[:, :4], other[:, :4])
    assert not torch.isclose(ours[:, 4:], other[:, 4:]).all(-1).any()


@pytest.mark.parametrize("norm_first", [True, False])
def test_an_encoder_looks_both_ways_unless_it_is_causal(norm_first):
    torch.manual_seed(0)
    layer = EncoderLayer(6, 2, 11, norm_first=norm_first).double()
    stack = Encoder([layer], None)
    x = torch.randn(2, 3, 6, dtype=torch.float64)
    calls = {
        "forward": (layer, lambda **causal: layer.trace(x, **causal).output),
        "stack": (stack, lambda **causal: stack.trace(x, **causal)[1]),
    }
    for call, trace in calls.values():
        for causal in ({}, {"causal": False}, {"causal": True}):
            torch.testing.assert_close(trace(**causal), call(x, **causal))
        weights = layer.trace(x).attention.attention.weights
        assert (weights > 0).all()
        later = torch.ones(3, 3).triu(1).bool()
        weights = layer.trace(x, causal=True).attention.attention.weights
        assert (weights[..., later] == 0).all()


def test_without_positions_the_order_of_the_source_is_not_seen():
    source, lengths, target = sequences(1, 7, 3, seed=0)
    for positions, same in (("none", True), ("sinusoidal", False), ("learned", False)):
        model = make(positions=positions)
        ours, turned = (model(s, lengths, target) for s in (source, source.flip(1)))
        assert torch.allclose(ours, turned) is same


@pytest.mark.parametrize("kind", [Transformer, LanguageModel])
def test_tied_weights_are_one_tensor_and_stay_one(kind):
    model = make(kind, tied=True)
    assert model.output.weight is model.target_embedding.weight
    loaded = make(kind, tied=True, seed=1)
    loaded.load_state_dict(model.state_dict())
    assert loaded.output.weight is loaded.target_embedding.weight
    untied = make(kind)
    assert untied.output.weight is not untied.target_embedding.weight
    count = [sum(p.numel() for p in m.parameters()) for m in (model, untied)]
    assert count[1] - count[0] == N_TARGET * 12


def test_embeddings_are_scaled_before_positions_are_added():
    model = make()
    source, lengths, target = sequences(3, 5, 7, seed=0)
    trace = model.trace(source, lengths, target)
    rows = model.source_embedding.weight[source] * 12**0.5
    torch.testing.assert_close(trace.source_embedded, rows)
    placed = rows + sinusoidal(5, 12).double()
    torch.testing.assert_close(trace.source_placed, placed)
    rows = model.target_embedding.weight[target] * 12**0.5
    placed = rows + sinusoidal(7, 12).double()
    torch.testing.assert_close(trace.target_placed, placed)


def test_dropout_is_for_training_and_not_for_traces():
    model = make(dropout=0.5)
    inputs = sequences(3, 5, 7, seed=0)
    assert not torch.allclose(model(*inputs), model(*inputs))
    traced = model.trace(*inputs).logits
    torch.testing.assert_close(model.eval()(*inputs), traced)


def test_dropout_zeroes_what_each_sublayer_says_and_keeps_what_goes_around():
    layer = make(dropout=0.5).decoder.layers[0]
    x, memory = torch.ones(101, 2, 12).double(), torch.ones(101, 3, 12).double()
    for part in (layer.self_attn, layer.multihead_attn):
        nn.init.zeros_(part.out_proj.weight)
        nn.init.zeros_(part.out_proj.bias)
    nn.init.zeros_(layer.feed_forward.linear2.weight)
    nn.init.ones_(layer.feed_forward.linear2.bias)
    said = layer(x, memory) - x
    assert set(said.unique().tolist()) == {0.0, 2.0}
    assert 0.4 < (said == 0).double().mean() < 0.6


# ------------------------------------------------------------------------------ trace


def test_the_whole_tree_is_walked_with_names_for_all_axes():
    model = make(layers=(1, 1))
    source, lengths, target = sequences(2, 5, 7, seed=0)
    steps = {s.path: s for s in walk(model.trace(source, lengths, target))}
    shape = {"batch": 2, "head": 3, "query": 7, "key": 5}
    assert steps["decoder.0.cross.attention.weights"].shape == shape
    shape = {"batch": 2, "head": 3, "query": 5, "key": 5}
    assert steps["encoder.0.attention.attention.weights"].shape == shape
    assert steps["encoder.0.feed_forward.hidden"].shape["d_ff"] == 11
    assert steps["memory"].shape == {"batch": 2, "source": 5, "d_model": 12}
    assert list(steps)[-1] == "probabilities"
    assert not [s for s in steps.values() if "batch1" in s.axes]


@pytest.mark.parametrize(
    ("norm_first", "order"),
    [(True, ("_normalised", "", "_added")), (False, ("", "_added", "_normalised"))],
)
def test_the_steps_of_a_layer_stand_in_their_order(norm_first, order):
    model = make(norm_first=norm_first)
    trace = model.trace(*sequences(2, 5, 7, seed=0))
    parts = ("attention", "cross", "feed_forward")
    assert list(vars(trace.decoder[0])) == [p + part for p in parts for part in order]
    parts = ("attention", "feed_forward")
    assert list(vars(trace.encoder[0])) == [p + part for p in parts for part in order]
    torch.testing.assert_close(
        trace.encoder[-1].output, list(walk(trace.encoder[-1]))[-1].value
    )


def test_padding_of_the_source_gets_no_weight():
    model = make()
    source, lengths, target = sequences(3, 5, 7, seed=4)
    trace = model.trace(source, lengths, target)
    padding = torch.arange(5) >= lengths[:, None]
    assert padding.any()
    for layer, name in ((trace.encoder[0], "attention"), (trace.decoder[1], "cross")):
        weights = getattr(layer, name).attention.weights
        assert (weights[padding[:, None, None].expand_as(weights)] == 0).all()


def test_it_does_all_that_the_book_asks_of_an_encoder_decoder():
    corpus = DictatedNumbers()
    torch.manual_seed(0)
    sizes = len(corpus.source_vocab), len(corpus.target_vocab)
    model = Transformer(TransformerConfig(*sizes, d_model=8, heads=2, d_ff=8))
    assert isinstance(model, EncoderDecoder)
    examples = corpus.sample(7, seed=0)
    recording = record(model, corpus, examples[0])
    assert recording.forced.probabilities.shape[-1] == sizes[1]
    assert 0 <= exact_match(model, corpus, examples) <= 1


def reversals(seed: int):
    generator = torch.Generator().manual_seed(seed)
    while True:
        lengths = torch.randint(2, 6, (32,), generator=generator)
        source = torch.randint(3, 11, (32, 5), generator=generator)
        target = torch.zeros(32, 6, dtype=torch.long)
        for row, length in enumerate(lengths):
            source[row, length:] = PAD
            target[row, :length] = source[row, :length].flip(0)
            target[row, length] = EOS
        yield Batch(source, lengths, target)


def test_it_learns_to_reverse_and_writes_what_it_has_learned():
    torch.manual_seed(0)
    model = Transformer(TransformerConfig(11, 11, d_model=32, d_ff=64, layers=(1, 1)))
    fit(model, reversals(0), steps=200, settings=FitSettings(learning_rate=5e-3))
    unseen = next(reversals(1))
    written = greedy(model, unseen.source, unseen.source_lengths, max_length=6)
    assert (written == unseen.target).all(-1).float().mean() > 0.9


# ----------------------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"heads": 5}, r"heads = 5 does not divide d_model = 12"),
        ({"d_ff": 0}, r"d_ff must be at least 1, not 0"),
        ({"layers": (0, 2)}, r"layers is \(0, 2\), but both must be at least 1"),
        ({"positions": "rotary"}, r"'rotary', but the model knows 'sinusoidal'"),
        ({"kv_heads": 2}, r"kv_heads = 2 does not divide heads = 3"),
        ({"window": 0}, r"window must be at least 1, not 0"),
        ({"dropout": 1.0}, r"dropout must be from 0 to below 1, not 1.0"),
    ],
)
def test_a_config_of_nothing_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        config(**changes)


def test_a_config_keeps_plain_numbers_which_a_file_can_hold(as_readers_run_it):
    one = torch.tensor(1)
    made = config(d_ff=one, kv_heads=one, window=one)
    assert type(made.d_ff) is type(made.kv_heads) is type(made.window) is int


def test_a_size_that_is_not_whole_is_refused(as_readers_run_it):
    with pytest.raises(TypeError, match=r"d_ff is 8.0, but must be a whole number"):
        config(d_ff=8.0)


def test_source_and_target_of_different_batches_are_refused(as_readers_run_it):
    model = make()
    source, lengths, _ = sequences(3, 5, 7, seed=0)
    for path in (model, model.trace):
        with pytest.raises(ValueError, match=r"source has batch = 3, .* batch = 2"):
            path(source, lengths, torch.ones(2, 7, dtype=torch.long))


@pytest.mark.parametrize(("length", "message"), [(0, "length 0"), (6, "has 6, but")])
def test_lengths_that_cannot_be_are_refused(length, message):
    source, lengths, target = sequences(3, 5, 7, seed=0)
    lengths[1] = length
    with pytest.raises(ValueError, match=message):
        make()(source, lengths, target)


@pytest.mark.parametrize(
    ("lengths", "message"),
    [
        ([1, 0, 5], "a prompt has length 0, .* needs at least 1 token"),
        ([1, 6, 5], "prompt_lengths has 6, but prompt has only prompt = 5 tokens"),
        ([1, 5], r"prompt has batch = 3, but prompt_lengths has shape \(2,\)"),
    ],
)
def test_prompts_that_cannot_be_are_refused(lengths, message, as_readers_run_it):
    model, prompt = make(LanguageModel), torch.ones(3, 5, dtype=torch.long)
    for path in (model.start, lambda *prompts: greedy(model, *prompts, max_length=3)):
        with pytest.raises(ValueError, match=message):
            path(prompt, torch.tensor(lengths))


def test_unknown_tokens_are_named_by_their_side():
    model = make()
    source, lengths, target = sequences(3, 5, 7, seed=0)
    with pytest.raises(ValueError, match=r"source has token 17, .* 0 to 16"):
        model(torch.full_like(source, N_SOURCE), lengths, target)
    with pytest.raises(ValueError, match=r"target has token 19, .* 0 to 18"):
        model(source, lengths, target.fill_(N_TARGET))


def test_a_refused_token_leaves_the_state_as_it_was():
    model = make()
    source, lengths, tokens = sequences(3, 5, 7, seed=0)
    _, state = model.step(tokens[:, 0], model.start(source, lengths))
    store = state.cache
    with pytest.raises(ValueError, match="target has token 99"):
        model.step(torch.tensor([1, 2, 99]), state)
    logits, state = model.step(tokens[:, 1], state)
    assert state.cache is store
    expected = model(source, lengths, tokens[:, :2])[:, -1].detach()
    torch.testing.assert_close(logits, expected)


def test_tokens_for_other_rows_than_the_states_are_refused(as_readers_run_it):
    model = make(LanguageModel)
    for tokens, said in (
        (torch.ones(3, 1), "state has batch = 2, but tokens has batch = 3; give one"),
        (torch.ones(2, 0), "tokens has token = 0, but a model needs at least 1"),
    ):
        with pytest.raises(ValueError, match=said):
            model.extend(tokens.long(), model.empty(2))


@pytest.mark.parametrize("part", range(3))
def test_nan_in_what_is_read_at_once_is_not_lost(part):
    """A kernel makes 0 of a short row of NaN: a prompt would go on as if well."""
    model = make(LanguageModel)
    weight = model.decoder.layers[0].self_attn.in_proj_weight
    weight.data[part * weight.shape[1]] = float("nan")
    tokens = torch.ones(1, 3, dtype=torch.long)
    for read in (
        model,
        model.trace,
        lambda tokens: model.extend(tokens, model.empty()),
    ):
        with pytest.raises(
            FloatingPointError, match=r" has nan at \[0, .*look for wher"
        ):
            read(tokens)


def test_learned_positions_end():
    model = make(LanguageModel, positions="learned", max_length=5)
    tokens = torch.ones(1, 6, dtype=torch.long)
    with pytest.raises(ValueError, match=r"length 6, and the table has length 5"):
        model(tokens)
    _, state = model.extend(tokens[:, :5], model.empty())
    with pytest.raises(ValueError, match=r"1 tokens from position 5 .* length 5"):
        model.step(tokens[:, 5], state)


def test_learned_positions_must_reach_for_the_longest_prompt_and_what_follows():
    model = make(LanguageModel, positions="learned", max_length=7)
    model.output.bias.data[[PAD, EOS]] = -99.0
    prompt, lengths = torch.full((3, 11), 5), torch.tensor([2, 4, 3])
    written = greedy(model, prompt, lengths, max_length=4)
    assert (written != PAD).all()
    with pytest.raises(ValueError, match=r"1 tokens from position 7 .* length 7"):
        greedy(model, prompt, lengths, max_length=5)
    with pytest.raises(ValueError, match=r"8 tokens from position 0 .* length 7"):
        greedy(model, prompt, torch.tensor([2, 9, 3]), max_length=1)
