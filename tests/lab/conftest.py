"""A JupyterLab for the tests of a module, and a browser to use it with."""

import pytest

from tests.browser import browser
from tests.lab.reader import running_lab

__all__ = ["browser"]


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    with running_lab(tmp_path_factory.mktemp("reader")) as lab:
        yield lab
