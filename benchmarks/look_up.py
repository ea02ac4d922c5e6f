"""Race the self-attention block against the ways it is written elsewhere, and a CNN.

usage: python -m benchmarks.look_up [--rounds N]

Forward and backward, 8 pictures of 48 channels on grids from 7 × 7 to 28 × 28. *The
least code* is what a notebook has: 1 × 1 convolutions, flattened, and PyTorch's fused
attention. *With the map* multiplies the scores out, as SAGAN's code does.
`nn.MultiheadAttention` has one head and is given the places in a row. These four make
the same numbers. Then our block with keys pooled by 2, and what costs n and not n²: a
3 × 3 convolution. The limit is of our block to the best of the other ways, at 28 × 28;
smaller grids are mostly the calling of operators. Returns 1 where it is missed.
"""

import argparse
import sys
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.measure import race, ratio, table, verdict
from qkv.vision import SelfAttention2d

SIDES = ((7, 12), (14, 4), (28, 1))  # of a grid, and rounds for one that is asked for
BATCH, CHANNELS = 8, 48
LIMIT = 1.1

Calls = dict[str, Callable[[], object]]


def row(x: Tensor) -> Tensor:
    return x.flatten(2).mT


def least_code(block: SelfAttention2d, x: Tensor) -> Tensor:
    q, k, v = (row(W(x)) for W in (block.W_q, block.W_k, block.W_v))
    read = F.scaled_dot_product_attention(q, k, v)
    return x + block.gamma * block.W_o(read.mT.unflatten(2, x.shape[2:]))


def with_the_map(block: SelfAttention2d, x: Tensor) -> Tensor:
    q, k, v = (W(x).flatten(2) for W in (block.W_q, block.W_k, block.W_v))
    weights = (q.mT @ k / CHANNELS**0.5).softmax(-1)
    read = (v @ weights.mT).unflatten(2, x.shape[2:])
    return x + block.gamma * block.W_o(read)


def in_pytorchs_module(peer: nn.MultiheadAttention, block: SelfAttention2d, x: Tensor):
    places = row(x)
    said, _ = peer(places, places, places, need_weights=False)
    return x + block.gamma * said.mT.unflatten(2, x.shape[2:])


def same_weights(block: SelfAttention2d) -> nn.MultiheadAttention:
    """Return PyTorch's module with the weights of the block."""
    peer = nn.MultiheadAttention(CHANNELS, 1, batch_first=True)
    given = block.W_q, block.W_k, block.W_v
    with torch.no_grad():
        peer.in_proj_weight.copy_(torch.cat([W.weight.flatten(1) for W in given]))
        peer.in_proj_bias.copy_(torch.cat([W.bias for W in given]))
        peer.out_proj.weight.copy_(block.W_o.weight.flatten(1))
        peer.out_proj.bias.copy_(block.W_o.bias)
    return peer


def candidates(side: int) -> Calls:
    """Return the calls of all, of which the first four agree."""
    torch.manual_seed(0)
    x = torch.randn(BATCH, CHANNELS, side, side, requires_grad=True)
    block = SelfAttention2d(CHANNELS, gamma=0.5)
    pooled = SelfAttention2d(CHANNELS, pool=2, gamma=0.5)
    peer, convolution = same_weights(block), nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1)
    models: dict[str, Callable[[], Tensor]] = {
        "qkv.vision.SelfAttention2d": lambda: block(x),
        "the least code": lambda: least_code(block, x),
        "with the map": lambda: with_the_map(block, x),
        "nn.MultiheadAttention": lambda: in_pytorchs_module(peer, block, x),
        "ours, keys pooled by 2": lambda: pooled(x),
        "a 3 × 3 convolution": lambda: convolution(x),
    }
    ours, *same = (models[name]() for name in list(models)[:4])
    for other in same:
        torch.testing.assert_close(ours, other)
    return {name: _both_ways(model) for name, model in models.items()}


def _both_ways(model: Callable[[], Tensor]) -> Callable[[], object]:
    return lambda: model().sum().backward()


def fast(side: int, repeat: int, rounds: int) -> bool:
    """Print a race; say whether it is within its limit, where it has one."""
    times = race(candidates(side), rounds=rounds, repeat=repeat)
    table(f"{side} × {side} places, {BATCH} pictures", times, limit=None)
    ours, *others, _, _ = times.values()
    to_best = max(ratio(ours, other) for other in others)
    print(f"  to the best of the other ways: {to_best:.3f}")
    if (side, repeat) != SIDES[-1]:
        return True
    print(f"  limit {LIMIT}: {verdict(to_best <= LIMIT)}")
    return to_best <= LIMIT


def main(arguments: list[str] | None = None) -> int:
    """Run the races and print them; return 1 where a limit is missed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=12)
    rounds = parser.parse_args(arguments).rounds
    held = [fast(side, repeat, rounds) for side, repeat in SIDES]
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
