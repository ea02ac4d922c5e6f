"""A small network that looks up, and boards, for the tests of LookUp."""

import functools

import torch
from torch import nn

from qkv.data import FindTheTwin
from qkv.vision import LookUpConfig, LookUpNetwork
from qkv.widgets import LookUp

task = functools.cache(FindTheTwin)


def network(*, seed=0, **sizes) -> LookUpNetwork:
    """A random network that attends unevenly; every parameter of it counts."""
    torch.manual_seed(seed)
    small = {"widths": (3, 5, 8), "d_k": 6, "hidden": 7}
    model = LookUpNetwork(LookUpConfig(**small | sizes)).eval()
    with torch.no_grad():
        for name, value in model.state_dict().items():
            if name.endswith("running_var"):
                value.uniform_(0.5, 2.0)
            elif value.is_floating_point():
                nn.init.normal_(value, std=4.0 if name[6:9] in ("W_q", "W_k") else 0.5)
    return model


def look_up(**options) -> LookUp:
    return LookUp(network(), task(), checkpoint="small", **options)


def piece(digit, colour, row, column, hand=0):
    return {"digit": digit, "hand": hand, "colour": colour, "slot": [row, column]}


def boards(count):
    """Return random boards of 0 to 9 digits of every kind and colour."""
    generator = torch.Generator().manual_seed(1)

    def below(n):
        return int(torch.randint(n, (), generator=generator))

    made = []
    for i in range(count):
        slots = torch.randperm(9, generator=generator)[: i % 10].tolist()
        colours = ("black", *task().colours)
        made.append(
            [
                piece(below(10), colours[below(5)], *divmod(slot, 3), hand=below(3))
                for slot in slots
            ]
        )
    return made
