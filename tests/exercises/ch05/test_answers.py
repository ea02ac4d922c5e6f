"""The references of chapter 5 mean what the package and PyTorch mean."""

import pytest
import torch

from qkv import positions
from qkv.exercises.ch05.in_sight import in_sight
from qkv.exercises.ch05.order_blind_ceiling import order_blind_ceiling
from qkv.exercises.ch05.rotated_scores import rotated_scores
from qkv.exercises.ch05.score_at_distance import score_at_distance
from qkv.exercises.ch05.shared import rotate
from qkv.exercises.ch05.which_position import which_position
from qkv.exercises.draw import normal


@pytest.mark.parametrize("start", [0, 13])
def test_rotary_is_the_packages(start: int) -> None:
    x = normal(2, 7, 10)
    ours = rotate(x, start + torch.arange(7))
    torch.testing.assert_close(ours, positions.rotate(x, start=start))


def test_positions_are_read_off_the_packages_encoding() -> None:
    read = which_position(positions.sinusoidal(5, 4, start=590))
    torch.testing.assert_close(read, 590 + torch.arange(5.0), rtol=1e-4, atol=0)


def test_a_score_at_a_distance_is_that_of_any_two_places_so_far_apart() -> None:
    q, k = normal(2, 10), normal(2, 10, seed=1)
    one, other = (positions.rotate(x[:, None].expand(2, 19, 10)) for x in (q, k))
    scores = one @ other.mT
    distances = torch.tensor([-4, 0, 11])
    ours = score_at_distance(q, k, distances)
    torch.testing.assert_close(ours, scores[:, 6, 6 + distances], atol=1e-5, rtol=0)


def test_what_is_in_sight_has_its_share_under_the_packages_alibi() -> None:
    weights = positions.alibi(3, 53).softmax(-1)
    own = weights.diagonal(dim1=1, dim2=2)[..., None]
    assert torch.equal(in_sight(3, 53, 0.3), weights >= 0.3 * own)


def test_cached_scores_are_the_last_rows_of_all_scores() -> None:
    q, k = normal(2, 11, 6), normal(2, 11, 6, seed=1)
    everything = rotated_scores(q, k)
    torch.testing.assert_close(rotated_scores(q[:, -3:], k), everything[:, -3:])


def test_the_ceiling_is_reached_by_the_best_single_answer() -> None:
    sequences = torch.tensor([[1, 1, 2], [3, 2, 1]])
    assert order_blind_ceiling(sequences) == pytest.approx((2 / 3 + 1 / 3) / 2)
