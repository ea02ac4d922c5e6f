"""Captioners: the grid, where each word looks, what is hidden, and the rivals."""

from dataclasses import replace

import einops
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from qkv.attention import AdditiveScore, attend
from qkv.data import BOS, EOS
from qkv.decoding import beam, greedy
from qkv.positions import Learned
from qkv.recurrent import Writer
from qkv.trace import walk
from qkv.vision import (
    Captioner,
    ConvolutionalNetwork,
    GridConfig,
    GridEncoder,
    OneVector,
    TransformerCaptioner,
    folded,
    places,
)

SMALL = GridConfig(image=(12, 20), channels=2, widths=(3, 5, 8))
ROWS, COLUMNS, WORDS = 3, 5, 11
primes = st.permutations([2, 3, 5, 7]).map(tuple)
seeds = st.integers(0, 2**31)
fast = settings(max_examples=15, deadline=None)


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def awake(model: nn.Module) -> nn.Module:
    """Give every parameter and statistic a say: no scale is 1, no shift 0."""
    for parameter in model.parameters():
        if parameter.ndim == 1:
            nn.init.normal_(parameter, mean=0.3, std=0.3)
    for norm in model.modules():
        if isinstance(norm, nn.BatchNorm2d):
            nn.init.normal_(norm.running_mean, std=0.3)
            nn.init.uniform_(norm.running_var, 0.5, 2.0)
    return model.double().eval()


def encoder(seed: int = 0, **changes) -> GridEncoder:
    torch.manual_seed(seed)
    return awake(GridEncoder(replace(SMALL, **changes)))


def captioner(seed: int = 0, score: str = "additive", **changes) -> Captioner:
    made = Captioner(encoder(seed, **changes), WORDS, d_embedding=7, score=score)
    return awake(made)


def one_vector() -> Captioner:
    return awake(Captioner(OneVector(encoder()), WORDS, d_embedding=7))


def transformer(seed: int = 0, **settings) -> TransformerCaptioner:
    return awake(TransformerCaptioner(encoder(seed), WORDS, heads=2, **settings))


KINDS = {"grid": captioner, "one vector": one_vector, "Transformer": transformer}
kinds = pytest.mark.parametrize("make", KINDS.values(), ids=KINDS)


def asked(batch: int = 2, words: int = 4, seed: int = 0):
    generator = torch.Generator().manual_seed(seed)
    words = torch.randint(WORDS, (batch, words), generator=generator)
    return normal(batch, 2, 12, 20, seed=seed), words


def some_in_sight(*leading: int, seed: int = 1) -> torch.Tensor:
    return normal(*leading, ROWS, COLUMNS, seed=seed) > 0


# ------------------------------------------------------------------------------ grid


@fast
@given(sizes=primes, batch=st.integers(0, 2), seed=seeds)
def test_places_are_laid_out_as_einops_does(sizes, batch, seed):
    channel, row, column, first = sizes
    leading = (first, 2)[:batch]
    features = normal(*leading, channel, row, column, seed=seed)
    laid_out = einops.rearrange(features, "... c h w -> ... (h w) c")
    assert torch.equal(places(features), laid_out)


def test_places_are_laid_out_as_two_loops_do():
    features = normal(2, 3, 5, 7)
    found = places(features)
    for row in range(5):
        for column in range(7):
            assert torch.equal(found[:, row * 7 + column], features[:, :, row, column])


def test_the_grid_is_the_convolutional_network_without_its_average():
    """The same stages in their order: what a hand-written row of them computes."""
    made, images = encoder(positions=False), normal(2, 2, 12, 20)
    x, stages = images, iter(made.convolutions)
    for last in (False, False, True):
        convolution, norm, _ = next(stages), next(stages), next(stages)
        x = F.conv2d(x, convolution.weight, padding=1)
        scale = norm.weight / (norm.running_var + norm.eps).sqrt()
        shift = norm.bias - scale * norm.running_mean
        x = F.relu(scale[:, None, None] * x + shift[:, None, None])
        if not last:
            x = F.max_pool2d(x, 2)
            next(stages)
    torch.testing.assert_close(made.features(images), x)
    grid, first = made(images)
    torch.testing.assert_close(grid, x.flatten(2).mT)
    expected = torch.tanh(grid.mean(1) @ made.first.weight.T + made.first.bias)
    torch.testing.assert_close(first, expected)
    kinds = [type(stage) for stage in made.convolutions[:3]]
    assert kinds == [type(stage) for stage in ConvolutionalNetwork().convolutions[:3]]


def test_each_place_says_where_it_is():
    placed, images = encoder(), normal(2, 2, 12, 20)
    grid, _ = placed(images)
    table = placed.positions.table.weight
    expected = places(placed.features(images)) + table
    torch.testing.assert_close(grid, expected)
    assert len(table) == ROWS * COLUMNS


@pytest.mark.parametrize("positions", [True, False])
def test_what_is_folded_does_the_same(positions):
    made = encoder(positions=positions)
    same, images = folded(made), normal(3, 2, 12, 20)
    for ours, expected in zip(same(images), made(images), strict=True):
        torch.testing.assert_close(ours, expected)
    assert not [m for m in same.modules() if isinstance(m, nn.BatchNorm2d)]
    assert same.config == replace(made.config, norm=False)
    assert made.config.norm  # and is as it was
    assert isinstance(made.convolutions[1], nn.BatchNorm2d)
    fresh = GridEncoder(same.config).double()
    fresh.load_state_dict(same.state_dict())
    assert torch.equal(fresh(images)[0], same(images)[0])
    assert torch.equal(folded(same)(images)[0], same(images)[0])


def test_one_vector_reads_every_place():
    made, images = OneVector(encoder()).double(), normal(2, 2, 12, 20)
    vectors, first = made(images)
    grid, _ = made.encoder(images)
    whole = grid.flatten(1) @ made.whole.weight.T + made.whole.bias
    torch.testing.assert_close(first, F.layer_norm(whole, (8,)))
    assert torch.equal(vectors, first.unsqueeze(1))
    assert made.whole.weight.shape == (8, ROWS * COLUMNS * 8)
    assert OneVector(encoder(), 11).double()(images)[1].shape == (2, 11)


@pytest.mark.usefixtures("as_readers_run_it")
@pytest.mark.parametrize("make", [encoder, lambda: OneVector(encoder())])
def test_images_that_do_not_fit_are_named(make):
    made = make()
    with pytest.raises(ValueError, match=r"height = 12 and width = 20, .*height = 28"):
        made(normal(2, 2, 28, 28))
    with pytest.raises(ValueError, match=r"has channel = 2, .* have channel = 3"):
        made(normal(2, 3, 12, 20))
    with pytest.raises(ValueError, match=r"'batch channel .*images\.unsqueeze\(0\)"):
        made(normal(2, 12, 20))
    with pytest.raises(TypeError, match=r"give images\.float\(\) / 255"):
        made(torch.zeros(2, 2, 12, 20, dtype=torch.uint8))


@pytest.mark.usefixtures("as_readers_run_it")
@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"image": (28, 30)}, r"width = 30, but both are halved 2 times; .* 4 divides"),
        ({"image": (0, 28)}, r"both must be at least 1"),
        ({"channels": 0}, "channels must be at least 1, not 0"),
        ({"widths": (8, 16)}, r"widths is \(8, 16\), but .* three convolutions"),
        ({"widths": (8, 0, 16)}, "second width must be at least 1, not 0"),
    ],
)
def test_what_no_grid_can_be_made_of_is_refused(changes, said):
    with pytest.raises(ValueError, match=said):
        GridConfig(**changes)


# ------------------------------------------------------------------------- captioner


@fast
@given(
    seed=seeds,
    hides=st.booleans(),
    positions=st.booleans(),
    score=st.sampled_from(["additive", "dot", "general"]),
)
def test_the_trace_is_the_call(seed, hides, positions, score):
    model = captioner(seed, score, positions=positions)
    images, words = asked(seed=seed)
    visible = [some_in_sight(2, seed=seed)] if hides else []
    trace, logits = (run(images, *visible, words) for run in (model.trace, model))
    torch.testing.assert_close(trace.probabilities, logits.softmax(-1))
    pull = normal(*logits.shape, seed=seed)
    weights = [p for p in model.parameters() if p.requires_grad]
    torch.testing.assert_close(
        torch.autograd.grad(trace.probabilities, weights, pull),
        torch.autograd.grad(logits.softmax(-1), weights, pull),
    )


@kinds
def test_a_step_at_a_time_is_the_call(make):
    model, (images, words) = make(), asked(3, 5)
    assert isinstance(model, Writer)
    state, logits = model.start(images), []
    for word in words.unbind(1):
        next_logits, state = model.step(word, state)
        logits.append(next_logits)
    torch.testing.assert_close(torch.stack(logits, 1), model(images, words))


@kinds
def test_what_is_written_greedily_is_what_the_call_says(make):
    model, (images, _) = make(), asked(5)
    written = greedy(model, images, max_length=6)
    fed = torch.full((5, 1), BOS)
    for _ in range(written.shape[1]):
        best = model(images, fed)[:, -1].argmax(-1, keepdim=True)
        fed = torch.cat([fed, best], 1)
    ended = ((written == EOS).cumsum(1) - (written == EOS).long()).bool()
    assert torch.equal(written, fed[:, 1:].masked_fill(ended, 0))
    found, _ = beam(model, images, max_length=6, width=1)
    assert torch.equal(found, written)


@fast
@given(seed=seeds)
def test_a_look_is_chapter_2s_on_the_flattened_grid(seed):
    model, (images, words) = captioner(seed), asked(seed=seed)
    score = AdditiveScore(8, 8, 8).double()
    score.load_state_dict(model.score.state_dict())
    trace = model.trace(images, words)
    flat = einops.rearrange(trace.features, "b c h w -> b (h w) c")
    flat = flat + model.encoder.positions.table.weight
    look = attend(score(trace.queries, score.project(flat)), flat)
    torch.testing.assert_close(trace.attention.weights, look.weights)
    torch.testing.assert_close(trace.attention.context, look.context)
    torch.testing.assert_close(trace.weights.flatten(2), look.weights)


def test_a_map_is_one_distribution_over_rows_and_columns():
    weights = captioner().trace(*asked()).weights
    assert weights.shape == (2, 4, ROWS, COLUMNS)
    torch.testing.assert_close(weights.sum((-2, -1)), torch.ones(2, 4).double())


def test_the_steps_have_names_and_axes():
    steps = {s.path: s.shape for s in walk(captioner().trace(*asked()))}
    grid = {"batch": 2, "d_hidden": 8, "row": ROWS, "column": COLUMNS}
    assert steps["features"] == grid
    assert steps["grid"] == {"batch": 2, "place": 15, "d_hidden": 8}
    assert steps["attention.weights"] == {"batch": 2, "query": 4, "key": 15}
    assert list(steps)[-1] == "probabilities"
    steps = {s.path: s.shape for s in walk(transformer().trace(*asked()))}
    cross = {"batch": 2, "head": 2, "query": 4, "key": 15}
    assert steps["decoder.1.cross.attention.weights"] == cross
    assert list(steps)[-1] == "probabilities"


@pytest.mark.parametrize("name", ["grid", "Transformer"])
def test_every_parameter_learns(name):
    model, (images, words) = KINDS[name]().train(), asked()
    model(images, words).square().sum().backward()
    still = {n for n, p in model.named_parameters() if p.grad is None}
    # The Transformer begins with nothing but words.
    assert still == ({"encoder.first.weight", "encoder.first.bias"} & still)
    assert bool(still) is (name == "Transformer")


def test_one_vector_is_looked_at_with_a_weight_of_1():
    model, (images, words) = one_vector(), asked()
    trace = model.trace(images, words)
    assert torch.equal(trace.weights, torch.ones(2, 4, 1, 1).double())
    torch.testing.assert_close(trace.probabilities, model(images, words).softmax(-1))
    torch.testing.assert_close(
        trace.attention.context, trace.grid.expand(-1, 4, -1).contiguous()
    )


# ---------------------------------------------------------------------------- hiding


@fast
@given(seed=seeds)
def test_hiding_is_minus_infinity_before_the_softmax(seed):
    model, (images, words) = captioner(seed), asked(seed=seed)
    visible = some_in_sight(2, seed=seed)
    visible[:, 0, 0] = True
    trace = model.trace(images, visible, words)
    hidden = ~visible.flatten(1).unsqueeze(1).expand(-1, 4, -1)
    scores = model.score(trace.queries, model.score.project(trace.grid))
    weights = scores.masked_fill(hidden, -torch.inf).softmax(-1)
    torch.testing.assert_close(trace.attention.weights, weights)
    torch.testing.assert_close(trace.attention.context, weights @ trace.grid)
    assert not trace.attention.weights[hidden].any()


def test_a_hidden_place_is_as_if_it_were_not_there():
    model, (images, words) = captioner(), asked()
    visible = torch.ones(2, ROWS, COLUMNS, dtype=torch.bool)
    torch.testing.assert_close(model(images, visible, words), model(images, words))
    visible[:, 1, 2] = False
    there = visible[0].flatten()
    state = model.start(images)
    memory = state.memory
    kept = replace(
        state,
        memory=replace(
            memory, values=memory.values[:, there], keys=memory.keys[:, there]
        ),
    )
    expected, _ = model.step(words[:, 0], kept)
    torch.testing.assert_close(model(images, visible, words)[:, 0], expected)
    written = greedy(model, images, visible, max_length=6)
    assert written.dtype is torch.int64


def test_with_nothing_in_sight_words_alone_are_left():
    model, (images, words) = captioner(), asked()
    visible = some_in_sight(2)
    visible[0] = False
    trace = model.trace(images, visible, words)
    assert not trace.attention.context[0].any()
    assert trace.probabilities.isfinite().all()
    logits = model(images, visible, words)
    torch.testing.assert_close(trace.probabilities, logits.softmax(-1))
    (pull,) = torch.autograd.grad(logits.sum(), [model.score.U.weight])
    assert pull.isfinite().all()


def test_one_word_alone_is_said_again():
    """The longest way: write up to a word with all in sight, hide, and say it."""
    model, (images, words) = captioner(), asked()
    visible = some_in_sight(2, 4)
    visible[0, 1] = False  # one of the words is blind
    trace = model.trace(images, words)
    found = model.at_one_word(trace, words, visible)
    for t in range(4):
        state = model.start(images)
        for before in words[:, :t].unbind(1):
            _, state = model.step(before, state)
        logits, after = model.step(words[:, t], model.hiding(state, visible[:, t]))
        torch.testing.assert_close(found[:, t], logits.softmax(-1))
        assert after.memory.bias is not None
        assert state.memory.bias is None  # the state itself sees all
    everything = torch.ones_like(visible)
    again = model.at_one_word(trace, words, everything)
    torch.testing.assert_close(again, trace.probabilities)


@pytest.mark.usefixtures("as_readers_run_it")
def test_what_does_not_fit_is_named():
    model, (images, words) = captioner(), asked()
    visible = some_in_sight(2)
    with pytest.raises(ValueError, match=r"row column = \(2, 5, 3\), .* at \(2, 3, 5"):
        model(images, visible.mT, words)
    with pytest.raises(ValueError, match=r"batch target row column = \(2, 3, 5\), "):
        model.at_one_word(model.trace(images, words), words, visible)
    with pytest.raises(TypeError, match=r"visible is torch\.float64"):
        model.trace(images, visible.double(), words)
    for wrong in (model, model.trace, transformer(), transformer().trace):
        with pytest.raises(ValueError, match="source has batch = 2, but target_in has"):
            wrong(images, words[:1])
        with pytest.raises(ValueError, match="target has token 11, but the model know"):
            wrong(images, torch.full_like(words, WORDS))


# ----------------------------------------------------------------------- Transformer


@fast
@given(seed=seeds, layers=st.integers(1, 3), learned=st.booleans())
def test_the_transformers_trace_is_the_call(seed, layers, learned):
    positions = Learned(4, 8) if learned else None
    model = transformer(seed, layers=layers, positions=positions)
    images, words = asked(seed=seed)
    trace, logits = model.trace(images, words), model(images, words)
    assert len(trace.decoder) == layers
    torch.testing.assert_close(trace.logits, logits)
    torch.testing.assert_close(trace.probabilities, logits.softmax(-1))


def test_its_cross_attention_is_pytorchs_on_the_grid():
    """Queries are the words', keys and values the normalised grid's."""
    model, (images, words) = transformer(), asked()
    trace = model.trace(images, words)
    for layer, steps in zip(model.decoder.layers, trace.decoder, strict=True):
        theirs = nn.MultiheadAttention(8, 2, batch_first=True).double()
        theirs.load_state_dict(layer.multihead_attn.state_dict())
        grid = F.layer_norm(trace.grid, (8,), model.norm.weight, model.norm.bias)
        output, weights = theirs(
            steps.cross_normalised.output, grid, grid, average_attn_weights=False
        )
        torch.testing.assert_close(steps.cross.output, output)
        torch.testing.assert_close(steps.cross.attention.weights, weights)


def test_it_is_pytorchs_decoder_with_our_weights():
    model, (images, words) = transformer(), asked()
    layer = nn.TransformerDecoderLayer(
        8, 2, 16, dropout=0.0, batch_first=True, norm_first=True
    )
    theirs = nn.TransformerDecoder(layer, 2, nn.LayerNorm(8)).double().eval()
    theirs.load_state_dict(model.decoder.state_dict())
    trace = model.trace(images, words)
    causal = nn.Transformer.generate_square_subsequent_mask(4, dtype=torch.float64)
    decoded = theirs(trace.placed, trace.memory, tgt_mask=causal)
    torch.testing.assert_close(model(images, words), model.output(decoded))


@pytest.mark.usefixtures("as_readers_run_it")
def test_what_no_transformer_can_be_made_of_is_refused():
    with pytest.raises(ValueError, match="heads = 3 does not divide d_model = 8"):
        TransformerCaptioner(encoder(), WORDS, heads=3)
    with pytest.raises(ValueError, match="layers must be at least 1"):
        TransformerCaptioner(encoder(), WORDS, layers=0)


# ---------------------------------------------------------------------- what is refused


@pytest.mark.usefixtures("as_readers_run_it")
def test_more_than_images_and_what_is_visible_is_refused_by_call_and_trace():
    """A second mask took the place of the first, in silence; the trace raised."""
    model, (images, words) = captioner(), asked()
    some = some_in_sight(2)
    for run in (model, model.trace):
        with pytest.raises(
            ValueError, match=r"source is 3 tensors.*target_in after it"
        ):
            run(images, some, some, words)
    with pytest.raises(ValueError, match="source is 0 tensors"):
        model(images)
    with pytest.raises(ValueError, match="images and target_in; give both"):
        model.trace(images)


@pytest.mark.usefixtures("as_readers_run_it")
def test_what_is_visible_is_true_or_false_in_a_tensor():
    model, (images, words) = captioner(), asked()
    some = some_in_sight(2)
    with pytest.raises(TypeError, match=r"visible is of type list.*torch\.tensor"):
        model(images, some.tolist(), words)
    with pytest.raises(TypeError, match="visible is of type ndarray"):
        model.trace(images, some.numpy(), words)
    with pytest.raises(TypeError, match=r"float32, but must be .* visible > 0\.5"):
        model(images, some.float(), words)


@pytest.mark.usefixtures("as_readers_run_it")
def test_a_vector_has_a_width():
    with pytest.raises(ValueError, match="d_hidden must be at least 1, not 0"):
        OneVector(encoder(), 0)
    with pytest.raises(TypeError, match=r"d_hidden is 2\.5"):
        OneVector(encoder(), 2.5)


@pytest.mark.usefixtures("as_readers_run_it")
def test_what_is_no_grid_encoder_is_not_folded():
    with pytest.raises(TypeError, match=r"type Captioner, .* give its encoder"):
        folded(captioner())
    with pytest.raises(ValueError, match=r"widths is 8, but .* three convolutions"):
        GridConfig(widths=8)


def test_what_is_folded_can_be_trained_on():
    """A bias that was the norm's had come out frozen."""
    made = encoder()
    assert all(p.requires_grad for p in folded(made).parameters())
    made.requires_grad_(False)
    assert not any(p.requires_grad for p in folded(made).parameters())
