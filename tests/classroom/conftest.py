"""A class on a hub of its own, for the tests of a module, and a browser to use it."""

import pytest

from tests.browser import browser
from tests.classroom.hub import running_class

__all__ = ["browser"]


@pytest.fixture(scope="module")
def classroom(tmp_path_factory):
    with running_class(tmp_path_factory.mktemp("class")) as classroom:
        yield classroom
