"""A RouterMap whose runs are made by hand: each shows what a chapter's runs show."""

from math import pi

import torch

from qkv.widgets import RouterMap

STEPS = (0, 50, 100)
COUNT = 32


def tokens():
    """Return tokens in four clusters, and the topic of each: 0, 1, 2, 3, 0, ..."""
    generator = torch.Generator().manual_seed(0)
    topics = torch.arange(COUNT) % 4
    angles = pi / 4 + pi / 2 * topics
    centres = 2 * torch.stack([angles.cos(), angles.sin()], -1)
    return centres + 0.3 * torch.randn(COUNT, 2, generator=generator), topics


def rows(*degrees, length=1.0):
    """Return a router whose rows point that way."""
    angles = torch.tensor(degrees) * pi / 180
    return length * torch.stack([angles.cos(), angles.sin()], -1)


def runs():
    start = rows(10.0, 80.0, 200.0, 290.0, length=0.4)
    dead = torch.cat([rows(90.0, 225.0, 315.0, length=2.0), torch.tensor([[0.1, 0.0]])])
    balanced = rows(45.0, 135.0, 225.0, 315.0, length=1.0)
    cut = rows(0.0, 90.0, 180.0, 270.0, length=0.5)
    return {
        "balanced": dict(zip(STEPS, (start, balanced, 2 * balanced), strict=True)),
        "no balance": dict(zip(STEPS, (start, dead / 2, dead), strict=True)),
        "dead gate": dict(zip(STEPS, (start, cut, cut), strict=True)),
    }


def router_map(**options):
    return RouterMap(*tokens(), runs(), renormalised=["dead gate"], **options)
