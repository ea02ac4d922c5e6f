"""Race multi-head attention against its peers, and measure the memory it takes.

usage: python -m benchmarks.attention [--rounds N]

The last candidate is the peer of all: the least code that does the same, packed
projections around PyTorch's fused kernel. x-transformers takes part where it is
installed, as by `make bench`. All candidates share one set of weights, and
every race begins by holding their results and gradients equal. Returns 1 where a limit
is missed.
"""

import argparse
import importlib.util
import math
import sys
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.measure import memory, race, table, verdict
from qkv.attention import MultiHeadAttention

# batch, length, d_model, heads; the rounds, a part of N; and calls a round.
SIZES = (
    ((32, 64, 128, 4), 1.0, 3),
    ((8, 256, 256, 8), 0.5, 1),
    ((2, 1024, 256, 8), 0.25, 1),
    ((1, 4096, 256, 8), 0.125, 1),
)
LIMIT = 1.03
LENGTHS = (256, 512, 1024)
GROWTH = 1.1
QUADRATIC_AT_MOST = 1024  # where the textbook's weights still fit in a laptop's memory


class Minimal(nn.Module):
    """The fused kernel between two products, and nothing else."""

    def __init__(self, ours: MultiHeadAttention, *, causal: bool):
        super().__init__()
        self.heads, self.causal = ours.heads, causal
        self.W, self.b = ours.in_proj_weight, ours.in_proj_bias
        self.out = ours.out_proj

    def forward(self, x: Tensor) -> Tensor:
        batch, length, d_model = x.shape
        packed = F.linear(x, self.W, self.b).view(batch, length, 3, self.heads, -1)
        q, k, v = packed.permute(2, 0, 3, 1, 4)
        output = F.scaled_dot_product_attention(q, k, v, is_causal=self.causal)
        return self.out(output.transpose(1, 2).reshape(batch, length, d_model))


class Textbook(nn.Module):
    """Equation 1 as it stands: three products, a softmax, and all the weights."""

    def __init__(self, ours: MultiHeadAttention, *, causal: bool):
        super().__init__()
        self.heads, self.causal = ours.heads, causal
        self.projections = nn.ModuleList(_linears(ours))
        self.out = ours.out_proj

    def forward(self, x: Tensor) -> Tensor:
        batch, length, d_model = x.shape
        q, k, v = (
            project(x).view(batch, length, self.heads, -1).transpose(1, 2)
            for project in self.projections
        )
        scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])
        if self.causal:
            past = torch.tril(torch.ones(length, length, dtype=torch.bool))
            scores = scores.masked_fill(~past, -torch.inf)
        output = scores.softmax(-1) @ v
        return self.out(output.transpose(1, 2).reshape(batch, length, d_model))


def _linears(ours: MultiHeadAttention) -> list[nn.Linear]:
    linears = []
    weights, biases = ours.in_proj_weight.chunk(3), ours.in_proj_bias.chunk(3)
    for weight, bias in zip(weights, biases, strict=True):
        linear = nn.Linear(ours.d_model, ours.d_model)
        linear.weight.data, linear.bias.data = weight.data, bias.data
        linears.append(linear)
    return linears


def pytorchs(ours: MultiHeadAttention, length: int, *, causal: bool) -> nn.Module:
    theirs = nn.MultiheadAttention(ours.d_model, ours.heads, batch_first=True)
    theirs.load_state_dict(ours.state_dict())
    future = ~torch.ones(length, length, dtype=torch.bool).tril() if causal else None

    class SelfAttention(nn.Module):
        def __init__(self):
            super().__init__()
            self.attention = theirs

        def forward(self, x: Tensor) -> Tensor:
            return self.attention(
                x, x, x, attn_mask=future, is_causal=causal, need_weights=False
            )[0]

    return SelfAttention()


def x_transformers(ours: MultiHeadAttention, *, causal: bool) -> nn.Module:
    from x_transformers.x_transformers import Attention

    theirs = Attention(
        ours.d_model,
        dim_head=ours.d_model // ours.heads,
        heads=ours.heads,
        causal=causal,
        flash=True,
    )
    linears = (theirs.to_q, theirs.to_k, theirs.to_v)
    for linear, weight in zip(linears, ours.in_proj_weight.chunk(3), strict=True):
        linear.weight.data = weight.data  # it has no biases, and ours begin as zeros
    theirs.to_out.weight.data = ours.out_proj.weight.data
    return theirs


def candidates(
    ours: MultiHeadAttention, length: int, *, causal: bool
) -> dict[str, nn.Module]:
    made: dict[str, nn.Module] = {"qkv.attention.MultiHeadAttention": ours}
    if length <= QUADRATIC_AT_MOST:
        made["textbook"] = Textbook(ours, causal=causal)
        made["nn.MultiheadAttention"] = pytorchs(ours, length, causal=causal)
    if importlib.util.find_spec("x_transformers"):
        made["x-transformers"] = x_transformers(ours, causal=causal)
    made["minimal module"] = Minimal(ours, causal=causal)
    return {name: module.eval() for name, module in made.items()}


def forward(call: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    with torch.no_grad():
        return call(x)


def forward_and_backward(
    module: nn.Module, call: Callable[[Tensor], Tensor], x: Tensor
) -> Tensor:
    inputs = (x, *module.parameters())
    return torch.autograd.grad(call(x).sum(), inputs)[0]


def run(size: tuple[int, ...], rounds: int, repeat: int, *, causal: bool) -> bool:
    batch, length, d_model, heads = size
    ours = MultiHeadAttention(d_model, heads)
    modules = candidates(ours, length, causal=causal)
    calls = {name: module.__call__ for name, module in modules.items()}
    calls[next(iter(calls))] = partial(ours, causal=causal)
    x = torch.randn(batch, length, d_model, requires_grad=True)
    ways = {
        "forward": {name: partial(forward, calls[name], x) for name in calls},
        "forward and backward": {
            name: partial(forward_and_backward, modules[name], calls[name], x)
            for name in calls
        },
    }
    held = True
    for way, runs in ways.items():
        wanted = runs["minimal module"]()
        for candidate in runs.values():
            torch.testing.assert_close(candidate(), wanted, rtol=1e-4, atol=1e-4)
        kind = "causal" if causal else "no mask"
        title = f"{way}, {kind}: batch {batch}, length {length}, d_model {d_model}, "
        times = race(runs, rounds=rounds, repeat=repeat)
        held &= table(f"{title}{heads} heads", times, limit=LIMIT)
    return held


def growth(name: str, module: nn.Module, *, limit: float | None) -> bool:
    peaks = []
    for length in LENGTHS:
        x = torch.randn(2, length, 256, requires_grad=True)
        call = partial(forward_and_backward, module, module.__call__, x)
        peaks.append(memory(call).peak)
    exponent = math.log(peaks[-1] / peaks[0]) / math.log(LENGTHS[-1] / LENGTHS[0])
    line = f"  {name:34}" + "".join(f"{peak / 2**20:9.1f}" for peak in peaks)
    line += f"   exponent {exponent:.2f}"
    held = limit is None or exponent <= limit
    if limit is not None:
        line += f"   {verdict(held)} the limit of {limit}"
    print(line)
    return held


def growth_of_memory() -> bool:
    ours = MultiHeadAttention(256, 8)
    print("\nmost memory at once in forward and backward, MiB, batch 2, 8 heads")
    print(f"  {'length':34}" + "".join(f"{length:9}" for length in LENGTHS))
    modules = candidates(ours, LENGTHS[-1], causal=False)
    modules.pop("nn.MultiheadAttention")  # its mask is made for one length
    return all(
        [
            growth(name, module, limit=GROWTH if module is ours else None)
            for name, module in modules.items()
        ]
    )


def main(arguments: list[str] | None = None) -> int:
    """Run the races and print them; return 1 where a limit is missed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=32)
    rounds = parser.parse_args(arguments).rounds
    torch.manual_seed(0)
    held = [
        run(size, max(2, round(share * rounds)), repeat, causal=causal)
        for size, share, repeat in SIZES
        for causal in (False, True)
    ]
    held.append(growth_of_memory())
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
