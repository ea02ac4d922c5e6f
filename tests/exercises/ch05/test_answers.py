"""The references of chapter 5 mean what the package and PyTorch mean."""

import pytest
import torch

from qkv import positions
from qkv.exercises.ch05.alibi import alibi
from qkv.exercises.ch05.order_blind_ceiling import order_blind_ceiling
from qkv.exercises.ch05.rotated_scores import rotated_scores
from qkv.exercises.ch05.shared import rotate
from qkv.exercises.draw import normal


@pytest.mark.parametrize("start", [0, 13])
def test_rotary_is_the_packages(start: int) -> None:
    x = normal(2, 7, 10)
    ours = rotate(x, start + torch.arange(7))
    torch.testing.assert_close(ours, positions.rotate(x, start=start))


def test_alibi_is_the_packages() -> None:
    torch.testing.assert_close(alibi(3, 7), positions.alibi(3, 7))


def test_cached_scores_are_the_last_rows_of_all_scores() -> None:
    q, k = normal(2, 11, 6), normal(2, 11, 6, seed=1)
    everything = rotated_scores(q, k)
    torch.testing.assert_close(rotated_scores(q[:, -3:], k), everything[:, -3:])


def test_the_ceiling_is_reached_by_the_best_single_answer() -> None:
    sequences = torch.tensor([[1, 1, 2], [3, 2, 1]])
    assert order_blind_ceiling(sequences) == pytest.approx((2 / 3 + 1 / 3) / 2)
