"""Race attention in tiles, and with shared keys, and weigh what each holds.

usage: python -m benchmarks.scales [--rounds N]

Tiles are raced against PyTorch's kernel and against the text-book, and the memory of
each is measured as the length doubles; so is that of tiles without a backward pass of
their own. Then one token reads a long cache, with keys of its own for every head and
with fewer; a layer whose heads share keys is trained; and a matrix is multiplied with
one token and with several. All candidates of a race make the same numbers, but for
those of the last two tables. Returns 1 where a limit is missed.
"""

import argparse
import math
import sys
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional as F

from benchmarks.measure import memory, race, ratio, table, verdict
from qkv.attention import MultiHeadAttention, scaled_dot_product_attention
from qkv.transformer.advancing import attending

LENGTHS = (512, 1024, 2048)
D_HEAD, TILE = 64, 256
TIME, GROWTH, QUADRATIC = 3.0, 1.1, 1.6
HEADS, TOKENS = 32, 4096
ONE_TOKEN, SHARED, TRAINED = 0.7, 0.6, 1.1
WIDTH, BATCHED = 4096, 0.35

Attend = Callable[[Tensor, Tensor, Tensor], Tensor]


def text_book(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Equation 1, with all the weights."""
    return (q @ k.mT / q.shape[-1] ** 0.5).softmax(-1) @ v


def in_tiles(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    return scaled_dot_product_attention(q, k, v, tile=TILE)


def kept_tiles(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """The same forward pass, but what goes back is autograd's, which keeps it all."""
    found = []
    for asked in (q * q.shape[-1] ** -0.5).split(TILE, -2):
        maximum = asked.new_full((*asked.shape[:-1], 1), -torch.inf)
        total, held = torch.zeros_like(maximum), torch.zeros_like(asked)
        for keys, values in zip(k.split(TILE, -2), v.split(TILE, -2), strict=True):
            scores = asked @ keys.mT
            new = torch.maximum(maximum, scores.amax(-1, keepdim=True))
            weights, shrink = (scores - new).exp(), (maximum - new).exp()
            total = total * shrink + weights.sum(-1, keepdim=True)
            held, maximum = held * shrink + weights @ values, new
        found.append(held / total)
    return torch.cat(found, -2)


WAYS: dict[str, Attend] = {
    "qkv in tiles": in_tiles,
    "tiles that autograd keeps": kept_tiles,
    "text-book": text_book,
    "F.scaled_dot_product_attention": F.scaled_dot_product_attention,
}


def drawn(length: int) -> list[Tensor]:
    return [torch.randn(1, 1, length, D_HEAD, requires_grad=True) for _ in range(3)]


def forward(attend: Attend, inputs: list[Tensor]) -> Tensor:
    with torch.no_grad():
        return attend(*inputs)


def both_ways(attend: Attend, inputs: list[Tensor]) -> Tensor:
    return torch.autograd.grad(attend(*inputs).sum(), inputs)[0]


def equal(runs: dict[str, Callable[[], Tensor]]) -> None:
    wanted = list(runs.values())[-1]()
    for run in runs.values():
        torch.testing.assert_close(run(), wanted, rtol=1e-4, atol=1e-4)


def tiles(rounds: int) -> bool:
    held = True
    for length in LENGTHS:
        inputs = drawn(length)
        for way in (forward, both_ways):
            runs = {name: partial(way, attend, inputs) for name, attend in WAYS.items()}
            equal(runs)
            title = f"{way.__name__}, one head of {D_HEAD}, {length} tokens"
            held &= table(title, race(runs, rounds=rounds), limit=TIME)
    return held


def growth(way: Callable, name: str, bounds: tuple[float, float]) -> bool:
    peaks = [memory(partial(way, WAYS[name], drawn(n))).peak for n in LENGTHS]
    exponent = math.log(peaks[-1] / peaks[0]) / math.log(LENGTHS[-1] / LENGTHS[0])
    held = bounds[0] <= exponent <= bounds[1]
    line = "".join(f"{peak / 2**20:9.1f}" for peak in peaks)
    low, high = bounds
    print(
        f"  {name:34}{line}   exponent {exponent:.2f}   {verdict(held)} {low} to {high}"
    )
    return held


def memory_of_tiles() -> bool:
    linear, square = (0.0, GROWTH), (QUADRATIC, 2.1)
    held = True
    for way, kept in ((forward, linear), (both_ways, square)):
        print(f"\nmost memory at once, {way.__name__}, MiB, at {LENGTHS} tokens")
        for name, bounds in zip(WAYS, (linear, kept, square, linear), strict=True):
            held &= growth(way, name, bounds)
    return held


def one_token(rounds: int) -> bool:
    """One token reads a cache of 4,096: with 32 heads of keys, 8, and 1."""
    times, held = {}, True
    for kv_heads in (1, 8, HEADS):
        layer = MultiHeadAttention(HEADS * D_HEAD, HEADS, kv_heads=kv_heads)
        q = torch.randn(1, HEADS, 1, D_HEAD)
        k, v = torch.randn(2, kv_heads, TOKENS, D_HEAD)
        ours = partial(attending(layer), q, k, v, None)
        fused = partial(
            F.scaled_dot_product_attention, q, k[None], v[None], enable_gqa=True
        )
        torch.testing.assert_close(ours().flatten(), fused().flatten())
        runs = {f"qkv, {kv_heads} of keys": ours, "enable_gqa": fused}
        found = race(runs, rounds=rounds, repeat=8)
        limit = ONE_TOKEN if kv_heads == 1 else None
        title = f"one token, {TOKENS} in the cache, {HEADS} heads, {kv_heads} of keys"
        held &= table(title, found, limit=limit)
        times |= found
    times.pop("enable_gqa")
    return held & table("the same against each other", times, limit=SHARED)


def repeated(layer: MultiHeadAttention, x: Tensor) -> Tensor:
    """Grouped-query attention as it is often written: the keys are repeated."""
    q, k, v = (
        part.unflatten(-1, (-1, layer.d_model // layer.heads)).transpose(1, 2)
        for part in F.linear(x, layer.in_proj_weight, layer.in_proj_bias).split(
            layer.widths, -1
        )
    )
    k, v = (part.repeat_interleave(layer.heads // layer.kv_heads, 1) for part in (k, v))
    found = F.scaled_dot_product_attention(q, k, v, is_causal=True)
    return layer.out_proj(found.transpose(1, 2).flatten(-2))


def training(rounds: int) -> bool:
    layer, plain = MultiHeadAttention(256, 8, kv_heads=2), MultiHeadAttention(256, 8)
    x = torch.randn(4, 512, 256, requires_grad=True)

    def trained(call: Callable[[Tensor], Tensor]) -> Tensor:
        return torch.autograd.grad(call(x).sum(), x)[0]

    runs = {
        "qkv, 2 of keys": partial(trained, partial(layer, causal=True)),
        "qkv, 8 of keys": partial(trained, partial(plain, causal=True)),
        "2 of keys, repeated": partial(trained, partial(repeated, layer)),
    }
    torch.testing.assert_close(
        runs["qkv, 2 of keys"](), runs["2 of keys, repeated"](), rtol=1e-4, atol=1e-4
    )
    peaks = {name: memory(run).peak / 2**20 for name, run in runs.items()}
    title = "forward and backward, causal, batch 4, length 512, 8 heads"
    held = table(title, race(runs, rounds=rounds), limit=TRAINED)
    print("  MiB: " + ", ".join(f"{name} {peak:.1f}" for name, peak in peaks.items()))
    return held & (peaks["qkv, 2 of keys"] < peaks["2 of keys, repeated"])


def batched(rounds: int) -> bool:
    """One token, and 64, through a matrix: the time of each token."""
    matrix = torch.randn(WIDTH, WIDTH)
    counts = (64, 16, 4, 1)
    runs = {
        f"{n} tokens at once": partial(F.linear, torch.randn(n, WIDTH), matrix)
        for n in counts
    }
    times = race(runs, rounds=rounds)
    alone = times["1 tokens at once"]
    shares = {
        name: ratio(own, alone) / n
        for n, (name, own) in zip(counts, times.items(), strict=True)
    }
    print(f"\na token's time in a matrix of {WIDTH} x {WIDTH}, to one alone")
    for name, share in shares.items():
        print(f"  {name:34}{share:8.3f}")
    held = shares["64 tokens at once"] <= BATCHED
    print(f"  64: {verdict(held)} the limit of {BATCHED}")
    return held


def main(arguments: list[str] | None = None) -> int:
    """Run the races and print them; return 1 where a limit is missed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=16)
    rounds = parser.parse_args(arguments).rounds
    torch.manual_seed(0)
    held = [
        tiles(rounds),
        memory_of_tiles(),
        one_token(rounds),
        training(rounds),
        batched(rounds),
    ]
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
