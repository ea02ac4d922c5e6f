"""A file is written whole or not at all, by every one of the package's writers."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import torch

from qkv import transformer, vision
from qkv._files import write
from qkv.data import Vocabulary
from qkv.transformer import Transformer, TransformerConfig
from qkv.vision import VisionConfig, VisionTransformer


def a_transformer(path: Path) -> None:
    words = Vocabulary(["a", "b"])
    transformer.save(Transformer(TransformerConfig(5, 5)), path, words, words)


def a_vision_transformer(path: Path) -> None:
    vision.save(VisionTransformer(VisionConfig(image=(4, 4), patch=2)), path)


WRITERS = [lambda path: write(path, b"new"), a_transformer, a_vision_transformer]
every_writer = pytest.mark.parametrize("save", WRITERS, ids=["any", "text", "images"])


@every_writer
@pytest.mark.parametrize("fails", ["fsync", "replace"])
def test_where_the_disk_is_full_the_old_file_stays(tmp_path, monkeypatch, save, fails):
    def full(*_):
        raise OSError(28, "No space left on device")

    path = tmp_path / "m.safetensors"
    path.write_bytes(b"old")
    monkeypatch.setattr(os, fails, full)
    with pytest.raises(OSError, match=r"No space left.*m\.safetensors'$"):
        save(path)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@every_writer
def test_a_link_stays_a_link(tmp_path, save):
    file, link = tmp_path / "folder" / "file", tmp_path / "link"
    file.parent.mkdir()
    file.write_bytes(b"old")
    link.symlink_to(file)
    save(link)
    assert link.is_symlink()
    assert file.read_bytes() == link.read_bytes() != b"old"
    assert list(tmp_path.rglob("*.part")) == []


KILLED = """
import os, signal, sys
from qkv._files import write
os.fsync = lambda _: os.kill(os.getpid(), signal.SIGKILL)
write(sys.argv[1], b"half a fi")
"""


def test_what_a_killed_process_left_is_cleared_and_no_more(tmp_path):
    path = tmp_path / "run.pt"
    path.write_bytes(b"old")
    subprocess.run([sys.executable, "-c", KILLED, path], check=False)
    assert path.read_bytes() == b"old"
    (left,) = set(tmp_path.iterdir()) - {path}
    assert left.match(".run.pt.*.part")
    living = tmp_path / f".run.pt.{os.getppid()}.part"
    another = tmp_path / left.name.replace("run", "other")
    named = tmp_path / ".run.pt.first.part"
    for file in (living, another, named):
        file.touch()
    write(path, b"new")
    assert path.read_bytes() == b"new"
    assert set(tmp_path.iterdir()) == {path, living, another, named}


def test_it_keeps_the_permissions_it_had(tmp_path):
    path = tmp_path / "private"
    path.touch(mode=0o600)
    write(path, b"new")
    assert path.stat().st_mode & 0o777 == 0o600


def test_threads_do_not_come_between_each_other(tmp_path):
    path, failed = tmp_path / "shared", []

    def many(letter: bytes) -> None:
        try:
            for _ in range(20):
                write(path, letter * 10_000)
        except OSError as error:
            failed.append(error)

    threads = [threading.Thread(target=many, args=(x,)) for x in (b"a", b"b", b"c")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    assert len(set(path.read_bytes())) == 1
    assert len(path.read_bytes()) == 10_000


def one_bit_other(content: bytes, place: int) -> bytes:
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


@pytest.mark.parametrize(
    ("save", "load"),
    [(a_transformer, transformer.load), (a_vision_transformer, vision.load)],
    ids=["text", "images"],
)
def test_one_bit_that_flipped_in_a_model_is_noticed(tmp_path, save, load):
    path = tmp_path / "m.safetensors"
    save(path)
    written = path.read_bytes()
    numbers = 8 + int.from_bytes(written[:8], "little")
    for place in torch.linspace(numbers, len(written) - 1, 40).long().tolist():
        path.write_bytes(one_bit_other(written, place))
        with pytest.raises(ValueError, match=r"m\.safetensors is damaged"):
            load(path)


def test_one_letter_that_flipped_in_a_vocabulary_is_noticed(tmp_path):
    path = tmp_path / "m.safetensors"
    a_transformer(path)
    path.write_bytes(path.read_bytes().replace(b'\\"b\\"', b'\\"c\\"', 1))
    with pytest.raises(ValueError, match=r"m\.safetensors is damaged"):
        transformer.load(path)
