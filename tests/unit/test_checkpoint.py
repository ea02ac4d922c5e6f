"""Checkpoints: what is saved comes back, and what is no checkpoint is named."""

import errno
import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from qkv.data import Vocabulary
from qkv.transformer import (
    Transformer,
    TransformerConfig,
    checkpoint,
    load,
    save,
)

SOURCE, TARGET = Vocabulary(["I", "love", "cats", "<b>"]), Vocabulary(["고", "양", "␣"])
SOURCE_IDS, LENGTHS = torch.tensor([[3, 4, 5], [6, 3, 0]]), torch.tensor([3, 2])
TARGET_IN = torch.tensor([[1, 3, 4, 5], [1, 5, 4, 3]])


def make(**changes) -> Transformer:
    torch.manual_seed(5)
    sizes = {"d_model": 12, "heads": 3, "d_ff": 11, "layers": (1, 2), "max_length": 9}
    return Transformer(TransformerConfig(7, 6, **sizes | changes))


def rounded(model: Transformer) -> Transformer:
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(parameter.half())
    return model.eval()


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "small.safetensors"
    save(make(), path, SOURCE, TARGET)
    return path


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"tied": True, "positions": "learned"},
        {"norm_first": False, "final_norm": True, "positions": "none", "dropout": 0.1},
    ],
    ids=["plain", "tied, learned", "post-norm"],
)
def test_a_model_comes_back_rounded_to_float16(tmp_path, changes):
    model = make(**changes)
    save(model, tmp_path / "m.safetensors", SOURCE, TARGET)
    found = load(str(tmp_path / "m.safetensors"))
    assert found.model.config == model.config
    assert found.source_vocab.tokens == SOURCE.tokens
    assert found.target_vocab.tokens == TARGET.tokens
    assert not found.model.training
    asked = SOURCE_IDS, LENGTHS, TARGET_IN
    assert torch.equal(found.model(*asked), rounded(model)(*asked))
    assert next(found.model.parameters()).dtype == torch.float32


def test_saving_leaves_the_model_as_it_is(tmp_path):
    model = make()
    before = {name: x.clone() for name, x in model.state_dict().items()}
    save(model, tmp_path / "m.safetensors", SOURCE, TARGET)
    assert all(torch.equal(before[n], x) for n, x in model.state_dict().items())


def test_tied_weights_are_one_after_loading_and_are_written_once(tmp_path):
    path = tmp_path / "m.safetensors"
    save(make(tied=True), path, SOURCE, TARGET)
    model = load(path).model
    assert model.output.weight is model.target_embedding.weight
    save(make(), tmp_path / "n.safetensors", SOURCE, TARGET)
    more = (tmp_path / "n.safetensors").stat().st_size - path.stat().st_size
    assert more >= 2 * 6 * 12


def test_a_checkpoint_says_what_is_in_it_and_is_the_same_when_written_again(file):
    found = load(file)
    assert repr(found) == (
        "Checkpoint of a Transformer with 4,455 parameters: d_model 12, 3 heads, "
        "1 + 2 layers, 7 source and 6 target tokens"
    )
    assert found.to_bytes() == file.read_bytes()


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no file .*gone\.safetensors"):
        load(tmp_path / "gone.safetensors")


@pytest.mark.parametrize(
    "error",
    [
        PermissionError(13, "Permission denied", "model.safetensors"),
        OSError(5, "Input/output error", "model.safetensors"),
    ],
    ids=["permission", "disk"],
)
@pytest.mark.parametrize("what", ["stat", "open"])
def test_a_file_that_is_there_but_cannot_be_read_is_not_missing(
    file, monkeypatch, what, error
):
    def refuse(path, *_, **__):
        raise error

    monkeypatch.setattr(Path, what, refuse)
    with pytest.raises(type(error)) as caught:
        load(file)
    assert str(caught.value) == str(error)


def test_a_folder_is_no_checkpoint(tmp_path):
    folder = tmp_path / "m.safetensors"
    folder.mkdir()
    with pytest.raises(IsADirectoryError):
        load(folder)
    with pytest.raises(
        FileNotFoundError, match=r"there is no file .*below.safetensors"
    ):
        load(Path(__file__) / "below.safetensors")


def test_an_unknown_name_is_named_with_those_that_there_are(file, monkeypatch):
    monkeypatch.setattr(checkpoint, "_NAMED", file.parent)
    assert load("small").source_vocab.tokens == SOURCE.tokens
    with pytest.raises(FileNotFoundError, match="'klingon'; the package has 'small'"):
        load("klingon")


@pytest.mark.parametrize("keep", [0, 5, 100, -1])
def test_a_file_that_was_cut_is_named(file, keep):
    file.write_bytes(file.read_bytes()[:keep])
    with pytest.raises(ValueError, match=r"small\.safetensors is damaged"):
        load(file)


def test_a_file_of_another_kind_is_named(tmp_path):
    path = tmp_path / "other.safetensors"
    path.write_text("I am no checkpoint, but a text that is long enough.")
    with pytest.raises(ValueError, match="damaged, or is no safetensors file"):
        load(path)
    save_file({"weight": torch.ones(3)}, path)
    with pytest.raises(ValueError, match="not a checkpoint of this kind"):
        load(path)


def test_a_vocabulary_of_another_size_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"6 target tokens, but .* has 7"):
        save(make(), tmp_path / "m.safetensors", SOURCE, SOURCE)


@pytest.mark.parametrize("value", [float("nan"), 1e6])
def test_a_weight_that_cannot_be_written_is_refused(tmp_path, value):
    model = make()
    model.encoder.layers[0].feed_forward.linear1.bias.data[3] = value
    with pytest.raises(ValueError, match=r"linear1\.bias holds NaN, or a number"):
        save(model, tmp_path / "m.safetensors", SOURCE, TARGET)


def told_and_weights():
    model = make()
    told = {
        "config": {**vars(model.config), "layers": [1, 2]},
        "source_vocab": SOURCE.tokens,
        "target_vocab": TARGET.tokens,
    }
    return told, dict(model.state_dict())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("config", None),
        ("config", {}),
        ("config", {"layers": [1, 2], "colour": 3}),
        ("config", []),
        ("source_vocab", None),
        ("source_vocab", "abcdefg"),
        ("source_vocab", [*SOURCE.tokens[:-1], 4]),
        ("source_vocab", [*SOURCE.tokens[:-1], []]),
        ("source_vocab", [*SOURCE.tokens[:-1], "I"]),
        ("source_vocab", list(SOURCE.tokens[::-1])),
        ("target_vocab", SOURCE.tokens),
    ],
)
def test_metadata_that_make_no_model_are_named(tmp_path, name, value):
    told, weights = told_and_weights()
    told[name] = value
    path = tmp_path / "m.safetensors"
    save_file(weights, path, {checkpoint.KIND: json.dumps(told)})
    with pytest.raises(ValueError, match=r"m\.safetensors: its metadata make no model"):
        load(path)
    save_file(weights, path, {checkpoint.KIND: "{"})
    with pytest.raises(ValueError, match=r"m\.safetensors: its metadata make no model"):
        load(path)


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ({"heads": True}, "heads is True, but must be int"),
        ({"d_model": 12.0}, r"d_model is 12\.0, but must be int"),
        ({"d_model": -12}, "d_model must be at least 1, not -12"),
        ({"layers": [1, True]}, r"layers is \(1, True\), but must be tuple"),
        ({"layers": [1]}, r"layers is \(1,\), but must be tuple\[int, int\]"),
        ({"layers": 3}, r"layers is 3, but must be tuple\[int, int\]"),
        ({"layers": [[[[[[[[[[]]]]]]]]]]}, r"layers is \(\[\[.*\.\.\..*, but must be"),
        ({"norm_first": "no"}, "norm_first is 'no', but must be bool"),
        ({"tied": 0}, "tied is 0, but must be bool"),
        ({"final_norm": 1}, r"final_norm is 1, but must be bool \| None"),
        ({"dropout": False}, "dropout is False, but must be float"),
        ({"dropout": float("nan")}, "dropout must be from 0 to below 1, not nan"),
        ({"positions": []}, r"positions is \(\), but must be str"),
    ],
)
@pytest.mark.usefixtures("as_readers_run_it")
def test_a_setting_of_another_kind_is_refused(tmp_path, setting, said):
    told, weights = told_and_weights()
    told["config"] |= {"dropout": 0} | setting  # a whole number is a fraction, too
    path = tmp_path / "m.safetensors"
    save_file(weights, path, {checkpoint.KIND: json.dumps(told)})
    with pytest.raises(ValueError, match=rf"m\.safetensors: its metadata .*{said}"):
        load(path)


@pytest.mark.parametrize(
    "setting",
    [
        {"layers": [10_000_000, 1]},
        {"d_ff": 10**10},
        {"d_ff": 10**30},
        {"d_model": 3 * 10**7},
        {"d_model": 3 * 10**9},
        {"positions": "learned", "max_length": 10**9},
        {"positions": "learned", "max_length": 10**30},
    ],
    ids=str,
)
def test_a_model_that_is_larger_than_its_file_is_not_made(
    tmp_path, monkeypatch, setting
):
    """Neither its layers, nor the memory of one weight, nor numbers to fill it with."""
    told, weights = told_and_weights()
    told["config"] |= setting
    path = tmp_path / "m.safetensors"
    save_file(weights, path, {checkpoint.KIND: json.dumps(told)})
    made = []
    monkeypatch.setattr(torch.nn.Linear, "reset_parameters", made.append)
    with pytest.raises(ValueError, match=r"m\.safetensors: its (weights|metadata) "):
        load(path)
    assert len(made) < 100


def test_how_much_larger_a_model_is_than_its_file_is_said(tmp_path):
    told, weights = told_and_weights()
    told["config"]["d_ff"] = 10_000
    path = tmp_path / "m.safetensors"
    save_file(weights, path, {checkpoint.KIND: json.dumps(told)})
    said = r"has 4,455 numbers, but the model is to have 12\d,\d{3}, and more to come"
    with pytest.raises(ValueError, match=said):
        load(path)


@pytest.mark.parametrize(
    "text", ["[" * 100_000, '{"config": ' * 100_000, "[" * 9_000 + "]" * 9_000]
)
def test_metadata_that_are_nested_too_deeply_are_named(tmp_path, text):
    path = tmp_path / "m.safetensors"
    save_file(told_and_weights()[1], path, {checkpoint.KIND: text})
    with pytest.raises(ValueError, match=r"make no model: RecursionError\('maximum"):
        load(path)
    nested = '{"config": {}, "sha256": "", "more": ' + "[" * 970 + "]" * 970 + "}"
    save_file(told_and_weights()[1], path, {checkpoint.KIND: nested})
    with pytest.raises(ValueError, match="make no model"):
        load(path)


def test_a_vocabulary_of_a_million_is_soon_found_to_have_a_word_twice():
    words = [str(i) for i in range(1_000_000)]
    with pytest.raises(ValueError, match="the token '999999' occurs twice"):
        Vocabulary([*words, words[-1]])


def test_a_file_that_may_not_be_read_is_not_said_to_be_missing(file, monkeypatch):
    def refuse(self, *_):
        raise PermissionError(errno.EACCES, "Permission denied", str(self))

    monkeypatch.setattr(type(file), "open", refuse)
    with pytest.raises(PermissionError, match=r"Permission denied: .*small\."):
        load(file)
    with pytest.raises(IsADirectoryError, match="is a folder, and a checkpoint is a f"):
        load(file.parent)


@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16, torch.float64])
def test_a_checksum_is_of_any_kind_of_numbers(tmp_path, kind):
    told, weights = told_and_weights()
    weights = {name: weight.to(kind) for name, weight in weights.items()}
    told["sha256"] = checkpoint._checksum(weights, told)
    path = tmp_path / "m.safetensors"
    save_file(weights, path, {checkpoint.KIND: json.dumps(told)})
    assert load(path).source_vocab.tokens == SOURCE.tokens
    weights["output.bias"][2] += 1
    save_file(weights, path, {checkpoint.KIND: json.dumps(told)})
    with pytest.raises(ValueError, match=r"m\.safetensors is damaged: .* checksum"):
        load(path)


def test_weights_of_another_model_are_named(tmp_path):
    told, weights = told_and_weights()
    path = tmp_path / "m.safetensors"
    del weights["output.bias"]
    save_file(weights, path, {checkpoint.KIND: json.dumps(told)})
    with pytest.raises(ValueError, match=r"m\.safetensors: its weights .*output\.bias"):
        load(path)
