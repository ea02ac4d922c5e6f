"""A small trained network that goes with a widget, to read what its reader types."""

from typing import Any

import torch

_SCORED = {"score.W.weight", "score.U.weight", "score.v.weight"}
_NAMES = {
    f"{part}{name}"
    for part in ("", "encoder.")
    for name in (
        "embedding.weight",
        *(f"cell.{kind}_{of}" for kind in ("weight", "bias") for of in ("ih", "hh")),
    )
} | {"output.weight", "output.bias"}


def network(model: Any, corpus: Any) -> tuple[dict[str, Any], bytes]:
    """Return what the front end must know of a network, and its weights as float16.

    Raises
    ------
    ValueError
        If the model is none that the front end can run: a
        :class:`~qkv.recurrent.Seq2Seq`, or an :class:`~qkv.recurrent.AttentionSeq2Seq`
        with an additive score.

    Examples
    --------
    >>> from qkv.data import DictatedNumbers
    >>> from qkv.recurrent import Seq2Seq
    >>> said, weights = network(Seq2Seq(13, 13), DictatedNumbers())
    >>> said["digits"][7], len(weights)
    (['seven', '칠'], 104858)
    """
    weights = model.state_dict()
    if set(weights) - _SCORED != _NAMES or len(set(weights) & _SCORED) not in (0, 3):
        raise ValueError(
            f"the page cannot run {type(model).__name__} of {sorted(weights)}; it "
            "runs a Seq2Seq, or an AttentionSeq2Seq with an additive score: leave the "
            "model out, and only a kernel reads what is typed"
        )
    read = [corpus.parse(str(digit)) for digit in range(10)]
    said = {
        "shapes": [[name, list(value.shape)] for name, value in weights.items()],
        "source": list(corpus.source_vocab.tokens),
        "target": list(corpus.target_vocab.tokens),
        "digits": [[example.source[0], example.target[0]] for example in read],
    }
    halves = (value.detach().cpu().half() for value in weights.values())
    return said, b"".join(bytes(half.flatten().view(torch.uint8)) for half in halves)
