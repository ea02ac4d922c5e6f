"""What the tests of the package share."""

from collections.abc import Iterator

import jaxtyping
import pytest


@pytest.fixture
def as_readers_run_it() -> Iterator[None]:
    """Switch the shape checks of test runs off: the package's own errors come next."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)
