"""A shift of the sinusoids as a rotation."""

from functools import partial

import torch

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises.ch05.shared import (
    encoded,
    halves_turned,
    mirrored,
    overwritten,
    rates,
    turned,
    unwoven,
)
from qkv.positions import shift


def _rows_counted(encoding, offset):
    length, d_model = encoding.shape
    return encoded(torch.arange(length) + offset, d_model)


def _at(positions: tuple[int, ...], d_model: int, offset: int) -> tuple:
    return encoded(torch.tensor(positions), d_model), offset


EXERCISE = Exercise(
    id="5.3",
    title="Further on, wherever that is",
    minutes=8,
    difficulty=3,
    reference=shift,
    cases={
        "the positions 0, 1, 2, …": partial(_at, tuple(range(7)), 10, 3),
        "positions in any order": partial(_at, (31, 4, 17, 2, 23), 6, 5),
        "a single position, moved back": partial(_at, (13,), 14, -11),
    },
    mistakes={
        "wrong way": Mistake(
            "the positions have moved back instead of on. The first of each pair is "
            "the sine and the second the cosine, so a rotation that takes them for "
            "(cos, sin) turns the wrong way",
            lambda encoding, offset: shift(encoding, -offset),
        ),
        "one angle": Mistake(
            "all pairs have been turned by the same angle, offset; pair i turns by "
            "offset / 10000^(2i / d_model): each hand has a speed of its own",
            lambda encoding, offset: turned(
                encoding, -offset * torch.ones(encoding.shape[-1] // 2)
            ),
        ),
        "encoding added": Mistake(
            "the encoding of the offset has been added. sin a + sin b is not "
            "sin(a + b): angles add up, their sines do not",
            lambda encoding, offset: (
                encoding + encoded(torch.tensor([offset]), encoding.shape[-1])
            ),
        ),
        "rows counted": Mistake(
            "this takes the rows for the positions 0, 1, 2, … and makes their "
            "encodings anew. Nobody has said where the rows stand, and it is not "
            "needed: turn what is given",
            _rows_counted,
        ),
        "rolled": Mistake(
            "the rows have been moved along; the last ones come round to the front, "
            "and rows that do not stand in order get each other's places",
            lambda encoding, offset: encoding.roll(-offset, dims=0),
        ),
        "sign lost": Mistake(
            "a minus is missing: cos(a + b) = cos a cos b − sin a sin b. With a plus "
            "it is no rotation, and the pairs change their length",
            lambda encoding, offset: mirrored(
                encoding, offset * rates(encoding.shape[-1])
            ),
        ),
        "overwritten": Mistake(
            "the cosines have been made of the new sines: the first line has "
            "overwritten what the second needs. Keep the old ones, or write into "
            "another tensor",
            lambda encoding, offset: overwritten(
                encoding, -offset * rates(encoding.shape[-1])
            ),
        ),
        "put side by side": Mistake(
            "the numbers are right, but all sines come first, and then all cosines; "
            "they are to take turns again, as in what was given",
            lambda encoding, offset: unwoven(shift(encoding, offset)),
        ),
        "halves": Mistake(
            "feature i has been paired with feature i + d_model / 2; here a pair "
            "stands side by side, columns 2i and 2i + 1",
            lambda encoding, offset: halves_turned(
                encoding, -offset * rates(encoding.shape[-1])
            ),
        ),
    },
    hints=(
        "sin(a + b) = sin a cos b + cos a sin b, and cos(a + b) = cos a cos b − "
        "sin a sin b. Which of the four numbers do you have, and which can you make?",
        "sin a and cos a of every pair are encoding[:, 0::2] and encoding[:, 1::2]; "
        "the angle b of every pair is offset / 10000 ** (2i / d_model).",
    ),
    tolerance=1e-4,
)
