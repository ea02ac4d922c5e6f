"""One mask in both of PyTorch's senses."""

import torch
from jaxtyping import Bool
from torch import Tensor

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises import draw
from qkv.exercises.ch06.shared import real_keys


def for_pytorch(
    may_attend: Bool[Tensor, "batch key"],
) -> tuple[Bool[Tensor, "batch key"], Bool[Tensor, "batch head=1 query=1 key"]]:
    return ~may_attend, may_attend[:, None, None]


def _open_first(may_attend):
    may_attend = may_attend.clone()
    may_attend[:, 0] = True
    return for_pytorch(may_attend)


EXERCISE = Exercise(
    id="6.5",
    title="One mask, two senses",
    minutes=5,
    difficulty=2,
    reference=for_pytorch,
    results=("key_padding_mask", "sdpa_mask"),
    cases={
        "three padded sentences": lambda: (real_keys(torch.tensor([2, 7, 4]), 7),),
        "keys hidden anywhere": lambda: (draw.normal(5, 11) > 0,),
        "a batch of one": lambda: (real_keys(torch.tensor([3]), 5),),
        "a sentence with nothing in it": lambda: (real_keys(torch.tensor([0, 3]), 5),),
    },
    mistakes={
        "both may attend": Mistake(
            "key_padding_mask is True where a key is hidden; yours is True where it "
            "may be attended to, so that all weight would lie on the padding",
            lambda m: (m, m[:, None, None]),
        ),
        "both hidden": Mistake(
            "scaled_dot_product_attention takes True for may attend, as this book "
            "does; yours is True where a key is hidden. (If you have turned the "
            "mask over in place, with logical_not_ or ^=, both have changed.)",
            lambda m: (~m, ~m[:, None, None]),
        ),
        "exchanged": Mistake(
            "each of the two has the other's sense: key_padding_mask says True for "
            "hidden, scaled_dot_product_attention's mask True for may attend",
            lambda m: (m, ~m[:, None, None]),
        ),
        "first sentence": Mistake(
            "every sentence has got the first one's mask",
            lambda m: for_pytorch(m[:1].expand_as(m)),
        ),
        "common mask": Mistake(
            "a key is open in all sentences if it is open in any of them: the "
            "shorter ones' padding is seen",
            lambda m: for_pytorch(m.any(0).expand_as(m)),
        ),
        "first key open": Mistake(
            "the first key is always open, perhaps to save empty sentences from "
            "NaN. It also opens one that was hidden for a reason",
            _open_first,
        ),
        "nothing hidden": Mistake(
            "nothing is hidden in either of them",
            lambda m: for_pytorch(torch.ones_like(m)),
        ),
    },
    hints=(
        "~ turns a boolean mask over; one of the two needs it, the other does not.",
        "indexing with None puts in an axis of length 1: for scores in axes (batch, "
        "head, query, key), the mask needs two of them in the middle.",
    ),
)
