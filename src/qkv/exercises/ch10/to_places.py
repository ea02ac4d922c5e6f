"""The grid of a convolution as a list of places."""

from functools import partial

from jaxtyping import Float
from torch import Tensor

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises import draw
from qkv.exercises.ch10.shared import (
    COLUMNS_FIRST,
    ONE_AXIS_MOVED,
    by_place,
    columns_first,
    one_axis_moved,
    viewed,
)


def to_places(
    features: Float[Tensor, "batch channel row column"],
) -> Float[Tensor, "batch place channel"]:
    return by_place(features)


def _rows_upside_down(features):
    return by_place(features.flip(2))


def _still_averaged(features):
    places = by_place(features)
    return places.mean(1, keepdim=True).expand_as(places)


def _features(*shape: int) -> tuple[Tensor]:
    return (draw.normal(*shape),)


EXERCISE = Exercise(
    id="10.1",
    title="Take the average away",
    minutes=6,
    difficulty=1,
    reference=to_places,
    cases={
        "as many pictures, channels and places": partial(_features, 4, 4, 2, 2),
        "every size different": partial(_features, 2, 5, 3, 7),
        "one picture": partial(_features, 1, 3, 7, 5),
        "one channel": partial(_features, 3, 1, 5, 2),
        "one row": partial(_features, 2, 3, 1, 5),
    },
    mistakes={
        "view": Mistake(
            "the numbers have been taken as they stand in memory, (batch, place, "
            "channel) in name only: what should be the channels of one place is a "
            "piece of the map of one channel. A view or reshape never moves a number. "
            "Move the channels to the end first (it was trained and published like "
            "this: fawazsammani/knowing-when-to-look-adaptive-attention #6)",
            viewed,
        ),
        "columns first": Mistake(COLUMNS_FIRST, columns_first),
        "one axis moved": Mistake(ONE_AXIS_MOVED, one_axis_moved),
        "channels first": Mistake(
            "rows and columns are one axis now, but it stands last: (batch, channel, "
            "place). The places come before the channels",
            lambda features: features.flatten(2),
        ),
        "batch last": Mistake(
            "the pictures have changed places with the channels: every place has one "
            "number of each picture",
            lambda features: by_place(features.transpose(0, 1)),
        ),
        "places first": Mistake(
            "the places stand before the pictures: (place, batch, channel). A "
            "torch.stack puts its new axis first, unless it is told dim=1",
            lambda features: by_place(features).transpose(0, 1),
        ),
        "rows from below": Mistake(
            "the places begin with the lowest row: row 0 is at the top",
            _rows_upside_down,
        ),
        "still averaged": Mistake(
            "every place has the mean of all places: the average is to go",
            _still_averaged,
        ),
    },
    hints=(
        "put rows and columns together to one axis first: they stand side by side, so "
        "a flatten of these two moves nothing.",
        "what you have then is (batch, channel, place). Which two axes are still to "
        "change places? (transpose, not reshape: a reshape moves no number.)",
    ),
)
