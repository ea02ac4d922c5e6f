"""Other right answers to "Bug hunt: the same but not quite"."""

from tests.exercises.ch03.self_attention import (
    self_linear,
    self_one_matrix,
    self_packed,
)

ALTERNATIVES = (self_linear, self_packed, self_one_matrix)
