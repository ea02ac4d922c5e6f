"""Two real processes train one model, and it is the training of one."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from qkv.training import fit
from tests.unit import two_processes as script

pytestmark = pytest.mark.skipif(
    os.name == "nt", reason="torchrun on Windows needs a build without libuv"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Where two processes have written what they have seen."""
    folder = tmp_path_factory.mktemp("processes")
    command = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    ran = subprocess.run(
        [sys.executable, *command, script.__file__, str(folder)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return folder


@pytest.fixture(scope="module")
def seen(folder) -> list[dict]:
    return [torch.load(folder / f"seen{rank}.pt") for rank in range(2)]


def test_a_step_is_that_of_one_process_with_both_batches(seen):
    loss, moved = script.stepped(script.quiet(), script.together())
    for told, parts in (process["step"] for process in seen):
        assert told == pytest.approx(loss, rel=1e-6)
        assert parts.keys() == moved.keys()
        for name, part in parts.items():
            torch.testing.assert_close(part, moved[name], rtol=1e-5, atol=1e-7)


def test_each_process_has_the_same_model_and_the_same_losses(seen):
    one, other = seen
    assert one["losses"] == other["losses"]
    assert len(one["losses"]) == 6
    assert_same(one["whole"], other["whole"])


def test_the_first_process_writes_and_both_go_on_with_the_same_bits(folder, seen):
    assert [file.name for file in folder.glob("run*")] == ["run.pt"]
    for process in seen:
        assert_same(process["resumed"], process["whole"])


def test_each_watches_the_model_without_its_wrapper(seen):
    assert [process["watched"] for process in seen] == [["Dropped"] * 2] * 2


def test_one_process_does_not_go_on_from_two(folder):
    before = (folder / "run.pt").read_bytes()
    with pytest.raises(ValueError, match="by 2 processes, not by one process"):
        fit(
            script.model(),
            script.stream(0),
            steps=7,
            checkpoint=folder / "run.pt",
            settings=script.SETTINGS,
        )
    assert (folder / "run.pt").read_bytes() == before


def test_the_mean_of_the_means_would_be_another(seen):
    """What the weights are for: one half asks for more tokens than the other."""
    halves = script.halves()
    means = torch.tensor([script.stepped(script.quiet(), half)[0] for half in halves])
    told, _ = seen[0]["step"]
    assert told != pytest.approx(means.mean().item(), rel=1e-4)


def assert_same(one: dict, other: dict) -> None:
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)
