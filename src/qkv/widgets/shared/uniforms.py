"""Random numbers that are the same in the page: core/gauss.js makes them, too."""

import torch
from torch import Tensor


def uniforms(seed: int, start: int, count: int) -> Tensor:
    """Return numbers in (0, 1) from place ``start`` of a seed's row: mulberry32.

    Examples
    --------
    >>> uniforms(1, 0, 2)
    tensor([0.6271, 0.0027], dtype=torch.float64)
    """
    low = 0xFFFFFFFF
    places = torch.arange(start + 1, start + 1 + count)
    state = (seed + places * 0x6D2B79F5) & low
    t = ((state ^ (state >> 15)) * (state | 1)) & low
    t = t ^ ((t + (((t ^ (t >> 7)) * (t | 61)) & low)) & low)
    return ((t ^ (t >> 14)).double() + 0.5) / 2**32
