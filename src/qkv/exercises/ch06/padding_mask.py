"""The padding mask."""

from functools import partial

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises.ch06.shared import real_keys
from qkv.exercises.sentences import ONE_KEY_TOO_FEW


def padding_mask(
    lengths: Int[Tensor, " batch"], key: int
) -> Bool[Tensor, "batch query=1 key"]:
    return real_keys(lengths, key)[:, None]


def _sentences(lengths: tuple[int, ...], key: int) -> tuple:
    return torch.tensor(lengths), key


EXERCISE = Exercise(
    id="6.3",
    title="Nothing where nothing is",
    minutes=5,
    difficulty=1,
    reference=padding_mask,
    cases={
        "as many sentences as places": partial(_sentences, (2, 5, 1, 4, 3), 5),
        "wider than the longest": partial(_sentences, (3, 5, 2), 7),
        "a batch of one without padding": partial(_sentences, (3,), 3),
        "a sentence with nothing in it": partial(_sentences, (4, 0), 5),
    },
    mistakes={
        "inverted": Mistake(
            "the mask is inverted: it is True at the padding. torch.nn's "
            "key_padding_mask wants it so; in this book True means may attend",
            lambda lengths, key: ~padding_mask(lengths, key),
        ),
        "one key too many": Mistake(
            "the first token of the padding may be attended to: a sentence of 3 "
            "tokens has them at places 0, 1 and 2",
            lambda lengths, key: padding_mask(lengths + 1, key),
        ),
        "one key too few": Mistake(
            ONE_KEY_TOO_FEW, lambda lengths, key: padding_mask(lengths - 1, key)
        ),
        "padding in front": Mistake(
            "the first keys are hidden, as if the padding stood in front of the "
            "words; here it stands behind them",
            lambda lengths, key: padding_mask(lengths, key).flip(-1),
        ),
        "longest": Mistake(
            "every sentence is masked as if it were the longest one: the others' "
            "padding is open",
            lambda lengths, key: padding_mask(lengths.max().expand(len(lengths)), key),
        ),
        "first sentence": Mistake(
            "every sentence is masked by the first one's length",
            lambda lengths, key: padding_mask(lengths[:1].expand(len(lengths)), key),
        ),
        "axes changed": Mistake(
            "sentences and keys have changed places: lengths needs an axis for the "
            "keys, lengths[:, None], and the places need none. It fails in sight "
            "only where the two differ in number",
            lambda lengths, key: (torch.arange(key)[:, None] < lengths)[:, None],
        ),
        "never empty": Mistake(
            "a sentence of 0 tokens has got one, perhaps to save a softmax from NaN. "
            "The mask says what is there; the softmax must see to itself",
            lambda lengths, key: padding_mask(lengths.clamp(min=1), key),
        ),
    },
    hints=(
        "torch.arange(key) counts the places; place j is real where j < length.",
        "lengths[:, None] has an axis for the keys. The result still needs one for "
        "the queries, of length 1, in the middle: [:, None] once more.",
    ),
)
