"""The references of chapter 8 mean what the package and PyTorch mean."""

import math

import pytest
import torch

from qkv import vision
from qkv.exercises.ch08.add_class_token import add_class_token
from qkv.exercises.ch08.cut import cut
from qkv.exercises.ch08.deletion_curve import deletion_curve
from qkv.exercises.ch08.embed import embed
from qkv.exercises.ch08.rollout import rollout
from qkv.exercises.ch08.small_vit import EXERCISE, small_vit
from qkv.exercises.draw import normal


def test_cutting_and_embedding_are_the_packages() -> None:
    images = normal(2, 3, 4, 10)
    tokens = torch.stack([cut(image, 2) for image in images])
    torch.testing.assert_close(tokens, vision.patches(images, 2))
    embedding = vision.PatchEmbedding(3, 2, 7)
    weight, bias = embedding.proj.weight.flatten(1), embedding.proj.bias
    torch.testing.assert_close(embed(images, weight, bias, 2), embedding(images))


def test_the_class_token_comes_as_in_the_package() -> None:
    config = vision.VisionConfig(image=(4, 6), patch=2, d_model=8, heads=2)
    model = vision.VisionTransformer(config)
    trace = model.trace(normal(3, 1, 4, 6))
    ours = add_class_token(
        trace.embedded, model.class_token, model.positions(torch.zeros(7, 8))
    )
    torch.testing.assert_close(ours, trace.positioned)


def test_rollout_is_the_packages() -> None:
    weights = normal(3, 2, 5, 5).softmax(-1)
    ours = rollout(weights)
    torch.testing.assert_close(ours, vision.rollout(list(weights)))


def test_a_deletion_curve_by_hand() -> None:
    """The first patch alone speaks for class 0: three to one, undiluted."""
    embedded, W = torch.tensor([[1.0], [0.0]]), torch.tensor([[math.log(3)], [0.0]])
    curve = deletion_curve(embedded, torch.tensor([0.9, 0.1]), W, 0)
    both = 3**0.5 / (3**0.5 + 1)
    assert curve.tolist() == pytest.approx([both, 0.5, 0.5])
    curve = deletion_curve(embedded, torch.tensor([0.1, 0.9]), W, 0)
    assert curve.tolist() == pytest.approx([both, 0.75, 0.5])


def test_a_picture_cut_on_its_side_is_the_same_model_under_other_names() -> None:
    """What the hunt says: the loss cannot tell, and what is seen is another patch."""
    case = EXERCISE.cases["every size different"]
    images, patch, W_e, class_token, positions, W, W_out = case()
    (channel, height, width), d_model = images.shape[1:], len(class_token)
    grid = height // patch, width // patch
    turned_W_e = W_e.reshape(d_model, channel, patch, patch).mT.flatten(1)
    turned = positions[1:].unflatten(0, grid).transpose(0, 1).flatten(0, 1)
    turned = torch.cat([positions[:1], turned])
    logits, seen = small_vit(*case())
    same, shown = EXERCISE.given(
        images, patch, turned_W_e, class_token, turned, W, W_out
    )
    torch.testing.assert_close(same, logits, rtol=1e-4, atol=1e-5)
    true = shown.flatten(1).unflatten(1, grid[::-1]).mT
    torch.testing.assert_close(true, seen, rtol=1e-4, atol=1e-5)
    assert not torch.allclose(shown, seen, atol=1e-2)
