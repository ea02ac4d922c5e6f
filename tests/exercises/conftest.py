"""Exercises are proven as readers have them: without the test runs' shape checks.

Under these a mistake would be refused for the shapes inside it, and never judged by its
values. Shapes have a test of their own: the annotations of each reference hold on all
of its cases (test_proofs.py).
"""

import pytest
from jaxtyping import config


@pytest.fixture(autouse=True)
def _no_shape_checks():
    before = config.jaxtyping_disable
    config.update("jaxtyping_disable", True)
    yield
    config.update("jaxtyping_disable", before)
