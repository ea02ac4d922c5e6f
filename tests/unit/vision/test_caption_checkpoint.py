"""Checkpoints of captioners: what is saved comes back folded; errors are named."""

import json
from dataclasses import asdict, replace

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from qkv.transformer import checkpoint as checkpoints
from qkv.vision import (
    Captioner,
    GridConfig,
    GridEncoder,
    OneVector,
    folded,
    load,
    load_captioner,
    save,
)
from qkv.vision.captioning import CAPTIONER

SMALL = GridConfig(image=(12, 20), channels=2, widths=(3, 5, 8))


def make(score: str = "additive", **changes) -> Captioner:
    """A captioner whose batch norms have seen something."""
    torch.manual_seed(5)
    encoder = GridEncoder(replace(SMALL, **changes))
    encoder(3 * torch.rand(7, 2, 12, 20) - 1)
    return Captioner(encoder, 11, d_embedding=7, score=score)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "small.safetensors"
    save(make(), path)
    return path


@pytest.mark.parametrize("changes", [{}, {"score": "dot"}, {"positions": False}])
def test_a_captioner_comes_back_folded_and_rounded_to_float16(tmp_path, changes):
    model = make(**changes)
    before = {name: x.clone() for name, x in model.state_dict().items()}
    save(model, tmp_path / "m.safetensors")
    assert all(torch.equal(before[n], x) for n, x in model.state_dict().items())
    found = load_captioner(str(tmp_path / "m.safetensors"))
    assert found.encoder.config == replace(model.encoder.config, norm=False)
    assert not found.training
    assert next(found.parameters()).dtype == torch.float32
    model.encoder = folded(model.encoder)
    for parameter in model.eval().parameters():
        parameter.data = parameter.data.half().float()
    images, words = torch.rand(3, 2, 12, 20), torch.randint(11, (3, 4))
    assert torch.equal(found(images, words), model(images, words))


def test_it_says_what_it_said(file):
    model, images = make().eval(), torch.rand(3, 2, 12, 20)
    words = torch.randint(11, (3, 4))
    ours, kept = model(images, words), load_captioner(file)(images, words)
    torch.testing.assert_close(kept, ours, rtol=0, atol=5e-3)


def test_it_is_the_same_when_written_again(file):
    assert load_captioner(file).to_bytes() == file.read_bytes()


def test_what_a_page_reads_has_these_names_and_no_batch_norm(file):
    shapes = {name: tuple(x.shape) for name, x in load_file(file).items()}
    assert shapes["encoder.convolutions.0.weight"] == (3, 2, 3, 3)
    assert shapes["encoder.convolutions.4.bias"] == (5,)
    assert shapes["encoder.convolutions.8.weight"] == (8, 5, 3, 3)
    assert shapes["encoder.positions.table.weight"] == (15, 8)
    assert shapes["cell.weight_ih"] == (24, 15)
    assert shapes["output.weight"] == (11, 16)
    assert not [name for name in shapes if "running" in name]


def test_the_packages_own_have_names(file, monkeypatch):
    monkeypatch.setattr(checkpoints, "_NAMED", file.parent)
    assert load_captioner("small").encoder.grid == (3, 5)
    with pytest.raises(FileNotFoundError, match="'large'; the package has 'small'"):
        load_captioner("large")


def test_a_checkpoint_of_another_kind_is_named(file):
    with pytest.raises(ValueError, match=r"VisionTransformer.*not 'qkv\.vision\.Capt"):
        load_captioner("digits")
    with pytest.raises(ValueError, match=r"'qkv\.vision\.Capt.*not 'qkv\.vision\.Vis"):
        load(file)


def test_a_file_that_is_damaged_is_named(file):
    content = bytearray(file.read_bytes())
    content[-3] ^= 1
    file.write_bytes(content)
    with pytest.raises(ValueError, match=r"small\.safetensors is damaged.*checksum"):
        load_captioner(file)
    file.write_bytes(content[:-1])
    with pytest.raises(ValueError, match=r"small\.safetensors is damaged"):
        load_captioner(file)


def test_what_cannot_be_kept_is_refused(tmp_path):
    path, model = tmp_path / "m.safetensors", make()
    model.cell.bias_hh.data[3] = float("nan")
    with pytest.raises(ValueError, match=r"cell\.bias_hh holds NaN, or a number"):
        save(model, path)
    with pytest.raises(TypeError, match=r"type OneVector, .* with a GridEncoder"):
        save(Captioner(OneVector(GridEncoder(SMALL)), 11), path)
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("as_readers_run_it")
def test_a_model_of_another_kind_is_not_saved(tmp_path):
    with pytest.raises(TypeError, match="type GridEncoder, but checkpoints are of a"):
        save(GridEncoder(SMALL), tmp_path / "m.safetensors")
    assert not list(tmp_path.iterdir())


GRID = asdict(SMALL) | {"norm": False}
TOLD = {"grid": GRID, "n_target": 11, "d_embedding": 7, "score": "additive"}


def written(path, told):
    model = make()
    model.encoder = folded(model.encoder)
    save_file(model.state_dict(), path, {CAPTIONER: json.dumps(told)})
    return path


def test_a_file_with_what_is_told_here_is_read(tmp_path):
    assert load_captioner(written(tmp_path / "m.safetensors", TOLD)).encoder.grid


@pytest.mark.parametrize(
    "changes",
    [
        {"grid": None},
        {"grid": GRID | {"image": [12, 21]}},
        {"grid": GRID | {"widths": [3, 5]}},
        {"grid": GRID | {"positions": "yes"}},
        {"n_target": "many"},
        {"n_target": 0},
        {"score": "loud"},
        {"score": 7},
    ],
)
def test_metadata_that_make_no_model_are_named(tmp_path, changes):
    path = written(tmp_path / "m.safetensors", TOLD | changes)
    with pytest.raises(ValueError, match=r"m\.safetensors: its (metadata|weights)"):
        load_captioner(path)


@pytest.mark.parametrize(
    "changes",
    [
        {"n_target": 10**9},
        {"grid": GRID | {"image": [10**6, 10**6]}},
        {"grid": GRID | {"channels": 3}},
        {"grid": GRID | {"norm": True}},
        {"grid": GRID | {"positions": False}},
    ],
)
def test_weights_of_another_model_are_named(tmp_path, changes):
    path = written(tmp_path / "m.safetensors", TOLD | changes)
    with pytest.raises(ValueError, match=r"m\.safetensors: its (metadata|weights)"):
        load_captioner(path)


def test_folding_leaves_the_statistics_alone():
    model = make()
    norms = [m for m in model.modules() if isinstance(m, nn.BatchNorm2d)]
    before = [norm.running_mean.clone() for norm in norms]
    model.to_bytes()
    assert model.training
    pairs = zip(norms, before, strict=True)
    assert all(torch.equal(norm.running_mean, mean) for norm, mean in pairs)
