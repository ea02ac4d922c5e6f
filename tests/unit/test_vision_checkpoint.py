"""Checkpoints of a Vision Transformer: what is saved comes back; errors are named."""

import json

import pytest
import torch
from safetensors.torch import save_file

from qkv.transformer import checkpoint as checkpoints
from qkv.vision import VisionConfig, VisionTransformer, load, save
from qkv.vision.models import KIND


def make(**changes) -> VisionTransformer:
    torch.manual_seed(5)
    sizes = {"image": (6, 15), "patch": 3, "channels": 2, "classes": 7}
    sizes |= {"d_model": 12, "heads": 3, "d_ff": 11}
    return VisionTransformer(VisionConfig(**sizes | changes))


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "small.safetensors"
    save(make(), path)
    return path


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"positions": "sinusoidal", "activation": "gelu", "eps": 0.25},
        {"positions": "none", "norm_first": False, "dropout": 0.1, "layers": 1},
    ],
    ids=["plain", "computed positions", "post-norm"],
)
def test_a_model_comes_back_rounded_to_float16(tmp_path, changes):
    model = make(**changes)
    before = {name: x.clone() for name, x in model.state_dict().items()}
    save(model, tmp_path / "m.safetensors")
    assert all(torch.equal(before[n], x) for n, x in model.state_dict().items())
    found = load(str(tmp_path / "m.safetensors"))
    assert found.config == model.config
    assert not found.training
    assert next(found.parameters()).dtype == torch.float32
    for parameter in model.parameters():
        parameter.data = parameter.data.half().float()
    images = torch.rand(5, 2, 6, 15)
    assert torch.equal(found(images), model.eval()(images))


def test_it_is_the_same_when_written_again(file):
    assert load(file).to_bytes() == file.read_bytes()


def test_the_packages_own_have_names(file, monkeypatch):
    monkeypatch.setattr(checkpoints, "_NAMED", file.parent)
    assert load("small").config == make().config
    with pytest.raises(FileNotFoundError, match="'large'; the package has 'small'"):
        load("large")


def test_a_checkpoint_of_another_kind_is_named(file):
    with pytest.raises(ValueError, match=r"'qkv\.transformer\..*, and not 'qkv\.vis"):
        load("english_korean")
    with pytest.raises(ValueError, match=r"'qkv\.vision\..*, and not 'qkv\.transf"):
        checkpoints.load(file)


def test_a_file_that_was_cut_is_named(file):
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(ValueError, match=r"small\.safetensors is damaged"):
        load(file)


def test_a_weight_that_cannot_be_written_is_refused(tmp_path):
    model = make()
    model.class_token.data[3] = float("nan")
    with pytest.raises(ValueError, match="class_token holds NaN, or a number"):
        save(model, tmp_path / "m.safetensors")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"config": None},
        {"config": {"image": [8, 9]}},
        {"config": {"image": 8}},
        {"config": {"classes": True}},
        {"config": {"eps": "small"}},
        {"config": {"image": [10**5, 10**5], "patch": 1, "positions": "sinusoidal"}},
    ],
)
def test_metadata_that_make_no_model_are_named(tmp_path, told):
    path = tmp_path / "m.safetensors"
    save_file(dict(make().state_dict()), path, {KIND: json.dumps(told)})
    with pytest.raises(ValueError, match=r"m\.safetensors: its metadata make no model"):
        load(path)


@pytest.mark.parametrize(
    "setting", [{"layers": 10_000_000}, {"channels": 10**9}, {"classes": 10**12}]
)
def test_a_model_that_is_larger_than_its_file_is_not_made(tmp_path, setting):
    told = {"config": vars(make().config) | setting}
    path = tmp_path / "m.safetensors"
    save_file(dict(make().state_dict()), path, {KIND: json.dumps(told)})
    with pytest.raises(ValueError, match=r"m\.safetensors: its weights are not its"):
        load(path)


def test_weights_of_another_model_are_named(tmp_path):
    weights, path = dict(make().state_dict()), tmp_path / "m.safetensors"
    del weights["head.bias"]
    told = {"config": vars(make().config)}
    save_file(weights, path, {KIND: json.dumps(told)})
    with pytest.raises(ValueError, match=r"m\.safetensors: its weights .*head\.bias"):
        load(path)
