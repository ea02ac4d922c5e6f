"""Checkpoints of a network that looks up: what is saved comes back, folded."""

import json

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from qkv.vision import LookUpConfig, LookUpNetwork, load, load_look_up, save
from qkv.vision.look_up import LOOK_UP, folded

SIZES = {"channels": 2, "widths": (2, 3, 5), "d_k": 7, "hidden": 11, "classes": 13}
IMAGES = torch.rand(7, 2, 8, 12, generator=torch.Generator().manual_seed(0))


def made() -> LookUpNetwork:
    torch.manual_seed(5)
    model = LookUpNetwork(LookUpConfig(**SIZES))
    nn.init.constant_(model.block.gamma, 0.5)
    model(IMAGES)  # so that the norms have seen something
    return model


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "small.safetensors"
    save(made(), path)
    return path


def test_a_network_comes_back_folded_and_rounded_to_float16(file):
    found, same = load_look_up(file), folded(made())
    assert found.config == LookUpConfig(**SIZES, norm=False)
    assert not found.training
    for parameter in same.parameters():
        parameter.data = parameter.data.half().float()
    assert torch.equal(found(IMAGES), same(IMAGES))


def test_it_is_the_same_when_written_again(file):
    assert load_look_up(file).to_bytes() == file.read_bytes()


def test_a_checkpoint_of_another_kind_is_named(file):
    with pytest.raises(ValueError, match=r"Vis.*, and not 'qkv\.vision\.Look"):
        load_look_up("digits")
    with pytest.raises(ValueError, match=r"Look.*, and not 'qkv\.vision\.Vis"):
        load(file)


@pytest.mark.parametrize(
    "told", [{}, {"config": {"widths": [3, 5]}}, {"config": {"d_k": "7"}}]
)
def test_metadata_that_make_no_network_are_named(tmp_path, told):
    path = tmp_path / "m.safetensors"
    save_file(folded(made()).state_dict(), path, {LOOK_UP: json.dumps(told)})
    with pytest.raises(ValueError, match=r"m\.safetensors: its metadata make no model"):
        load_look_up(path)


def test_weights_of_another_network_are_named(tmp_path):
    weights, path = folded(made()).state_dict(), tmp_path / "m.safetensors"
    del weights["block.gamma"]
    told = {"config": vars(folded(made()).config)}
    save_file(weights, path, {LOOK_UP: json.dumps(told)})
    with pytest.raises(ValueError, match=r"its weights .*block\.gamma"):
        load_look_up(path)
