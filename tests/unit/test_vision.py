"""Patches, the Vision Transformer, what is hidden from it, and what it is beside."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from qkv.positions import sinusoidal
from qkv.trace import walk
from qkv.vision import (
    ConvolutionalNetwork,
    PatchEmbedding,
    VisionConfig,
    VisionTransformer,
    patches,
    rollout,
    sinusoidal_2d,
)

primes = st.permutations([2, 3, 5, 7]).map(tuple)
seeds = st.integers(0, 2**31)
fast = settings(max_examples=15, deadline=None)
kinds = st.fixed_dictionaries(
    {
        "positions": st.sampled_from(["learned", "sinusoidal", "none"]),
        "norm_first": st.booleans(),
        "activation": st.sampled_from(["relu", "gelu"]),
        "layers": st.sampled_from([1, 2, 3]),
    }
)


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def make(*, seed: int = 0, **changes) -> VisionTransformer:
    """A model whose every parameter counts: no scale is 1, no shift 0."""
    sizes = {"image": (6, 15), "patch": 3, "channels": 2, "classes": 7}
    sizes |= {"d_model": 12, "heads": 3, "d_ff": 11}
    torch.manual_seed(seed)
    model = VisionTransformer(VisionConfig(**sizes | changes)).double().eval()
    for parameter in model.parameters():
        if parameter.ndim == 1 or len(parameter) == 11:
            nn.init.normal_(parameter, mean=0.3)
    return model


def assert_same_gradients(ours, other, inputs, seed):
    torch.testing.assert_close(ours, other)
    pull = normal(*ours.shape, seed=seed)
    torch.testing.assert_close(
        torch.autograd.grad(ours, inputs, pull),
        torch.autograd.grad(other, inputs, pull),
    )


# --------------------------------------------------------------------------- patches


@fast
@given(sizes=primes, patch=st.integers(1, 4), batch=st.integers(0, 2), seed=seeds)
def test_patches_are_cut_as_by_hand(sizes, patch, batch, seed):
    channels, rows, columns, first = sizes
    leading = (first, 2)[:batch]
    images = normal(*leading, channels, rows * patch, columns * patch, seed=seed)
    found = patches(images, patch)
    assert found.shape == (*leading, rows * columns, channels * patch**2)
    for row in range(rows):
        for column in range(columns):
            top, left = row * patch, column * patch
            square = images[..., top : top + patch, left : left + patch]
            cut = found[..., row * columns + column, :]
            assert torch.equal(cut, square.flatten(-3))


def test_every_pixel_of_patches_is_one_of_the_image():
    images = torch.arange(2 * 6 * 15.0).view(2, 6, 15)
    assert patches(images, 3).flatten().sort().values.tolist() == list(range(180))


@fast
@given(sizes=primes, patch=st.integers(1, 4), seed=seeds)
def test_an_embedding_is_a_strided_convolution(sizes, patch, seed):
    channels, rows, columns, batch = sizes
    torch.manual_seed(seed)
    embedding = PatchEmbedding(channels, patch, 11).double()
    images = normal(batch, channels, rows * patch, columns * patch, seed=seed)
    images.requires_grad_()
    proj = embedding.proj
    convolved = F.conv2d(images, proj.weight, proj.bias, stride=patch)
    inputs = images, proj.weight, proj.bias
    tokens = embedding(images)
    assert_same_gradients(tokens, convolved.flatten(2).mT, inputs, seed)
    assert torch.equal(tokens, embedding.project(patches(images, patch)))


def test_a_patch_that_does_not_divide_is_named_with_the_nearest_size():
    with pytest.raises(
        ValueError, match=r"patch = 4 .* height = 24 and width = 30"
    ) as e:
        patches(torch.zeros(1, 24, 30), 4)
    assert "24 by 28" in str(e.value)
    with pytest.raises(ValueError, match=r"patch = 4 .* 4 by 8"):
        patches(torch.zeros(1, 3, 8), 4)
    with pytest.raises(ValueError, match="at least 1, not 0"):
        patches(torch.zeros(1, 3, 8), 0)


def test_another_number_of_channels_is_named():
    with pytest.raises(ValueError, match=r"channel = 3, .*channel = 1"):
        PatchEmbedding(3, 2, 5)(torch.zeros(7, 1, 4, 4))


@pytest.mark.parametrize(("rows", "columns"), [(3, 5), (5, 3), (1, 7)])
def test_a_place_is_its_row_beside_its_column(rows, columns):
    found = sinusoidal_2d(rows, columns, 12)
    for place, vector in enumerate(found):
        row, column = divmod(place, columns)
        assert torch.equal(vector[:6], sinusoidal(rows, 6)[row])
        assert torch.equal(vector[6:], sinusoidal(columns, 6)[column])
    assert len(found) == rows * columns == len(found.unique(dim=0))


@pytest.mark.parametrize("d_model", [0, 2, 6, 7])
def test_a_width_that_has_no_halves_of_pairs_is_refused(d_model):
    with pytest.raises(ValueError, match=f"divisible by 4.*not {d_model}"):
        sinusoidal_2d(2, 3, d_model)


# ----------------------------------------------------------------------------- model


@fast
@given(batch=st.integers(0, 2), seed=seeds, kind=kinds, hides=st.booleans())
def test_the_trace_is_the_call(batch, seed, kind, hides):
    model = make(seed=seed, **kind)
    leading = (5, 2)[:batch]
    images = normal(*leading, 2, 6, 15, seed=seed).requires_grad_()
    visible = normal(*leading, 10, seed=seed + 1) > 0 if hides else None
    trace = model.trace(images, visible)
    assert trace.logits.shape == (*leading, 7)
    weights = tuple(p for p in model.parameters() if p.requires_grad)
    logits = model(images, visible)
    assert_same_gradients(trace.logits, logits, (images, *weights), seed)
    torch.testing.assert_close(trace.probabilities, trace.logits.softmax(-1))


@fast
@given(seed=seeds, kind=kinds)
def test_the_class_token_is_all_that_the_classes_are_read_from(seed, kind):
    model = make(seed=seed, **kind)
    trace = model.trace(normal(5, 2, 6, 15, seed=seed))
    torch.testing.assert_close(model.head(trace.normalised[:, 0]), trace.logits)
    assert torch.equal(trace.tokens[:, 0], model.class_token.expand(5, -1))
    assert torch.equal(trace.tokens[:, 1:], trace.embedded)
    if kind["norm_first"]:
        last = trace.encoder[-1].output
        assert torch.equal(trace.normalised, model.encoder.norm(last))
    else:
        assert torch.equal(trace.normalised, trace.encoder[-1].output)


def test_positions_are_added_once_and_the_class_token_has_one_if_they_are_learned():
    images = normal(5, 2, 6, 15)
    learned = make(positions="learned")
    trace = learned.trace(images)
    added = (trace.positioned - trace.tokens)[0]
    torch.testing.assert_close(added, learned.positions.table.weight)
    trace = make(positions="sinusoidal").trace(images)
    added = (trace.positioned - trace.tokens)[0]
    assert not added[0].any()
    expected = sinusoidal_2d(2, 5, 12).double()
    torch.testing.assert_close(added[1:], expected, rtol=0, atol=1e-6)
    trace = make(positions="none").trace(images)
    assert torch.equal(trace.positioned, trace.tokens)


def shuffled(images: torch.Tensor, order: torch.Tensor) -> torch.Tensor:
    """The same patches in another order: of 3 × 3, in 2 rows of 5."""
    cut = images.unflatten(-1, (5, 3)).unflatten(-3, (2, 3)).movedim(-2, -3)
    mixed = cut.flatten(-4, -3)[..., order, :, :].unflatten(-3, (2, 5))
    return mixed.movedim(-2, -3).flatten(-4, -3).flatten(-2)


def test_without_positions_an_image_is_a_bag_of_patches():
    images, order = normal(3, 2, 6, 15), torch.randperm(10)
    mixed = shuffled(images, order)
    assert torch.equal(patches(mixed, 3), patches(images, 3)[:, order])
    bag = make(positions="none")
    torch.testing.assert_close(bag(mixed), bag(images))
    for positions in ("learned", "sinusoidal"):
        model = make(positions=positions)
        assert (model(mixed) - model(images)).abs().max() > 1e-4


def test_dropout_drops_in_training_only():
    images = normal(5, 2, 6, 15)
    model = make(dropout=0.5)
    assert torch.equal(model(images), model(images))
    torch.testing.assert_close(model.trace(images).logits, model(images))
    model.train()
    assert not torch.equal(model(images), model(images))


def test_every_parameter_learns():
    model = make()
    model(normal(5, 2, 6, 15)).square().sum().backward()
    assert all(p.grad.abs().sum() > 0 for p in model.parameters())


def test_the_steps_have_names_and_axes():
    shapes = {s.path: s.shape for s in walk(make().trace(normal(3, 2, 6, 15)))}
    assert shapes["patches"] == {"batch": 3, "patch": 10, "pixel": 18}
    assert shapes["positioned"] == {"batch": 3, "token": 11, "d_model": 12}
    weights = shapes["encoder.1.attention.attention.weights"]
    assert weights == {"batch": 3, "head": 3, "query": 11, "key": 11}
    assert shapes["probabilities"] == {"batch": 3, "classes": 7}
    assert list(shapes)[-1] == "probabilities"


# ---------------------------------------------------------------------------- hiding


@fast
@given(seed=seeds, kind=kinds)
def test_what_a_hidden_patch_shows_changes_nothing(seed, kind):
    model = make(seed=seed, **kind)
    images, other = normal(5, 2, 6, 15, seed=seed), normal(5, 2, 6, 15, seed=seed + 1)
    visible = normal(5, 10, seed=seed + 2) > 0
    ones = visible.double().view(5, 1, 2, 5)
    seen = F.interpolate(ones, scale_factor=3, mode="nearest").bool()
    mixed = torch.where(seen, images, other)
    assert not torch.equal(mixed, images)
    torch.testing.assert_close(model(mixed, visible), model(images, visible))
    assert (model(images, visible) - model(images)).abs().max() > 0


def test_a_hidden_patch_is_as_if_it_were_not_there():
    model = make()
    images, visible = normal(3, 2, 6, 15), torch.ones(3, 10, dtype=torch.bool)
    torch.testing.assert_close(model(images, visible), model(images))
    visible[:, [2, 7]] = False
    placed = model.trace(images).positioned
    there = torch.tensor([0, 1, 2, 4, 5, 6, 7, 9, 10])  # token 0 is the class token
    expected = model.head(model.encoder(placed[:, there])[:, 0])
    torch.testing.assert_close(model(images, visible), expected)
    for layer in model.trace(images, visible).encoder:
        weights = layer.attention.attention.weights
        assert not weights[..., [3, 8]].any()
        torch.testing.assert_close(weights.sum(-1), torch.ones(3, 3, 11).double())


def test_with_nothing_visible_the_class_token_sees_itself():
    model, nothing = make(), torch.zeros(3, 10, dtype=torch.bool)
    logits = model(normal(3, 2, 6, 15), nothing)
    torch.testing.assert_close(logits, logits[:1].expand(3, -1))
    assert logits.isfinite().all()


@pytest.mark.usefixtures("as_readers_run_it")
def test_what_does_not_fit_is_named():
    model = make()
    with pytest.raises(ValueError, match=r"height = 6 and width = 15, .*height = 15"):
        model(normal(3, 2, 15, 6))
    with pytest.raises(ValueError, match=r"has channel = 2, .* have channel = 1"):
        model.trace(normal(3, 1, 6, 15))
    images = normal(3, 2, 6, 15)
    with pytest.raises(ValueError, match=r"\(3, 11\), but the images have \(3, 10\)"):
        model(images, torch.ones(3, 11, dtype=torch.bool))
    with pytest.raises(TypeError, match=r"visible is torch\.float64"):
        model(images, torch.ones(3, 10, dtype=torch.float64))


@pytest.mark.usefixtures("as_readers_run_it")
@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"image": (8,)}, r"image is \(8,\), but is two numbers, \(height, width\)"),
        ({"image": (0, 8)}, r"image is \(0, 8\), but both must be at least 1"),
        ({"image": (8, 9)}, "patch = 2 does not divide"),
        ({"patch": 0}, "patch must be at least 1, not 0"),
        ({"classes": 0}, "classes must be at least 1, not 0"),
        ({"layers": 0}, "layers must be at least 1, not 0"),
        ({"heads": 5}, "heads = 5 does not divide d_model = 64"),
        ({"positions": "rotary"}, "'rotary', but the model knows 'learned', "),
        ({"positions": "sinusoidal", "d_model": 6, "heads": 3}, "by 4.* not 6"),
        ({"activation": "tanh"}, "'tanh', but the layers know 'relu', 'gelu'"),
        ({"dropout": 1.0}, "below 1, not 1.0"),
    ],
)
def test_what_no_model_can_be_made_of_is_refused(changes, said):
    with pytest.raises(ValueError, match=said):
        VisionConfig(**changes)


# ---------------------------------------------------------------------------- rollout


@fast
@given(sizes=primes, layers=st.integers(1, 4), seed=seeds)
def test_rollout_is_a_product_whose_rows_sum_to_one(sizes, layers, seed):
    batch, head, token, _ = sizes
    weights = [
        normal(batch, head, token, token, seed=seed + i).softmax(-1)
        for i in range(layers)
    ]
    found = rollout(weights)
    expected = torch.eye(token).double().expand(batch, -1, -1)
    for layer in weights:
        average = sum(layer[:, h] for h in range(head)) / head
        expected = (average @ expected + expected) / 2
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(found.sum(-1), torch.ones(batch, token).double())


def test_rollout_by_hand_takes_the_first_layer_first():
    swap = torch.tensor([[[0.0, 1.0], [1.0, 0.0]]])
    first = torch.tensor([[[1.0, 0.0], [1.0, 0.0]]])
    # swap: ½ ½ / ½ ½; first: 1 0 / ½ ½
    assert rollout([swap, first]).tolist() == [[0.5, 0.5], [0.5, 0.5]]
    assert rollout([first, swap]).tolist() == [[0.75, 0.25], [0.75, 0.25]]


def test_rollout_of_a_trace():
    trace = make().trace(normal(5, 2, 6, 15))
    found = rollout([layer.attention.attention.weights for layer in trace.encoder])
    assert found.shape == (5, 11, 11)


def test_rollout_refuses_what_are_no_layers_of_the_same_tokens():
    with pytest.raises(ValueError, match="at least 1 layer"):
        rollout([])
    with pytest.raises(ValueError, match=r"\(2, 3, 5\)"):
        rollout([torch.ones(2, 3, 5)])
    with pytest.raises(ValueError, match=r"\(2, 3, 3\), \(2, 5, 5\)"):
        rollout([torch.ones(2, 3, 3), torch.ones(2, 5, 5)])


# ---------------------------------------------------------------- convolutional network


@pytest.mark.parametrize("batch", [(), (5,), (3, 5), (0,)])
def test_a_convolutional_network_has_any_batch(batch):
    model = ConvolutionalNetwork(classes=7, channels=2, width=3).eval()
    images = torch.rand(*batch, 2, 6, 15)
    found = model(images)
    assert found.shape == (*batch, 7)
    if batch == (3, 5):
        torch.testing.assert_close(found[1], model(images[1]))


def test_a_convolutional_network_says_the_same_of_what_stands_elsewhere():
    model = ConvolutionalNetwork(width=3).double().eval()
    image = torch.zeros(1, 40, 40).double()
    image[0, 12:18, 12:18] = normal(6, 6)
    moved = image.roll((6, -2), (1, 2))
    torch.testing.assert_close(model(moved), model(image))


def test_the_two_models_are_of_one_size():
    sizes = [
        sum(p.numel() for p in model.parameters())
        for model in (ConvolutionalNetwork(), VisionTransformer(VisionConfig()))
    ]
    assert sizes[1] / sizes[0] == pytest.approx(1, abs=0.1)


def test_an_image_that_cannot_be_halved_is_named():
    with pytest.raises(ValueError, match="height = 1 and width = 8"):
        ConvolutionalNetwork()(torch.zeros(3, 1, 1, 8))


@pytest.mark.parametrize("factor", [5.0, 0.9, float("nan")])
def test_rollout_refuses_what_are_no_weights(factor):
    even = torch.full((2, 3, 3), 1 / 3)
    rollout([even, even])
    with pytest.raises(ValueError, match=r"layer 2 sums to .*not scores"):
        rollout([even, factor * even])
