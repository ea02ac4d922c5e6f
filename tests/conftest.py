"""What all tests share: one thread for each process that computes.

Tensors here are tiny: a second thread only spins, and on a busy machine for minutes.
Said in the environment, it holds for every kernel and program that a test starts, too:
the twins are made so (tools/execute.py), and each chapter says it to its reader.
"""

import os

os.environ["OMP_NUM_THREADS"] = "1"  # torch reads it when it is loaded

from pathlib import Path

import jaxtyping
import pytest
import torch
from hypothesis import HealthCheck, settings

torch.set_num_threads(1)  # where a plugin has loaded it before

# No example is too slow: how long one takes says what else the machine does.
settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any machine")

UNIT = Path(__file__).parent / "unit"

# What takes longest begins first, so that no process has it alone at the end: the
# Makefile keeps pytest-xdist from sorting the files by their number of tests.
LONGEST = (
    "lab/test_lab.py",
    "site/test_pages.py",
    "08_vision_transformer.ipynb",
    "07_transformer.ipynb",
    "lab/test_notebook.py",
    "site/test_pdf.py",
    "classroom",
    "chapters/test_processors.py",
    ".ipynb",
    "chapters/test_claims.py",
    "chapters/test_execute.py",
    "widgets",
)


def pytest_collection_modifyitems(items):
    """Sort the files, and leave the tests of each as they are."""
    items.sort(key=lambda item: place(item.path.as_posix()))


def place(path):
    """Return the place in the row of the longest, or the last."""
    named = (n for n, name in enumerate(LONGEST) if name in path)
    return next(named, len(LONGEST))


@pytest.hookimpl(tryfirst=True)  # before any fixture computes something
def pytest_runtest_setup(item):
    """Check shapes in the tests of the package's units alone.

    Elsewhere the same calls are made again and again, of code that was checked there.
    """
    checked = item.path.is_relative_to(UNIT)
    jaxtyping.config.update("jaxtyping_disable", not checked)
