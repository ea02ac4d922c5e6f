"""The names that timm, a library of vision models, gives to the same parameters."""

import re
from collections.abc import Mapping

from torch import Tensor

# Of a layer, theirs and ours.
_IN_A_LAYER = {
    "attn.qkv.weight": "self_attn.in_proj_weight",
    "attn.qkv.bias": "self_attn.in_proj_bias",
    "attn.proj": "self_attn.out_proj",
    "mlp.fc1": "linear1",
    "mlp.fc2": "linear2",
}


def renamed(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the weights of timm's Vision Transformer under this package's names.

    A name that is not known stays as it is.

    Examples
    --------
    >>> import torch
    >>> names = ["pos_embed", "blocks.3.attn.proj.bias", "blocks.3.norm1.weight"]
    >>> list(renamed({name: torch.zeros(1, 1, 4) for name in names}))
    ['positions.table.weight', 'encoder.layers.3.self_attn.out_proj.bias',
    'encoder.layers.3.norm1.weight']
    """
    return {_name(name): _value(name, value) for name, value in weights.items()}


def _name(theirs: str) -> str:
    if layer := re.fullmatch(r"blocks\.(\d+)\.(.+)", theirs):
        within = layer[2]
        for their_part, our_part in _IN_A_LAYER.items():
            within = within.replace(their_part, our_part)
        return f"encoder.layers.{layer[1]}.{within}"
    if theirs == "cls_token":
        return "class_token"
    if theirs == "pos_embed":
        return "positions.table.weight"
    if theirs.startswith("norm."):
        return f"encoder.{theirs}"
    return theirs.replace("patch_embed.", "patch_embedding.")


def _value(theirs: str, value: Tensor) -> Tensor:
    # theirs stand in a batch of one
    if theirs == "cls_token":
        return value.reshape(-1)
    return value.squeeze(0) if theirs == "pos_embed" else value
