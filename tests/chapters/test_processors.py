"""Twins hold on another processor: two are run as one rounds that has no wide vectors.

PyTorch and the libraries below it choose their code by the processor, so that sums are
rounded otherwise, and training makes that visible. Told to take the plainest code, any
machine shows what another one would.
"""

import os
import subprocess
import sys
from pathlib import Path

import jupytext
import pytest

ROOT = Path(__file__).resolve().parents[2]
OTHER = {
    "ATEN_CPU_CAPABILITY": "default",
    "ONEDNN_MAX_CPU_ISA": "SSE41",
    "MKL_CBWR": "COMPATIBLE",
}
NBVAL = ["--nbval", "--nbval-sanitize-with", "tests/chapters/sanitize.cfg"]


def cost(chapter: Path) -> tuple[int, str]:
    return jupytext.read(chapter).metadata["book"]["cpu_seconds"], chapter.name


# All of them train, and all are run as this machine rounds.
CHEAPEST = sorted((ROOT / "chapters").glob("[0-9][0-9]_*.md"), key=cost)[:2]


@pytest.mark.parametrize("chapter", CHEAPEST, ids=lambda chapter: chapter.stem)
def test_a_twin_holds_where_sums_are_rounded_otherwise(chapter: Path) -> None:
    twin = chapter.with_suffix(".ipynb").relative_to(ROOT)
    program = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *NBVAL]
    ran = subprocess.run(
        [*program, str(twin)],
        cwd=ROOT,
        env=os.environ | OTHER,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stdout
    assert " passed" in ran.stdout
