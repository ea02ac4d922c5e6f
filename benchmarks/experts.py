"""Race a layer of experts against two other ways to run it, and the dense layers.

usage: python -m benchmarks.experts [--rounds N]

Forward and backward. Ours gives each expert its own tokens, in a loop. *The least loop*
does the same in a dozen lines, and looks at nothing that it is given. *A batched
product* puts the tokens of each expert into a row, padded to the longest, and
multiplies all rows with all experts at once. All three give the same numbers. The dense
layers have the width of one expert (equal active parameters) and of all of them (equal
total). The limits are of top-1 at d_model 256: smaller layers are mostly the calling of
operators, and the looks at what is given. Returns 1 where a limit is missed.
"""

import argparse
import sys
from collections.abc import Callable

import torch
from torch import Tensor

from benchmarks.measure import race, ratio, table, verdict
from qkv.experts import MixtureOfExperts
from qkv.layers import FeedForward

# d_model, d_ff, experts, tokens, rounds for one that is asked for
SIZES = ((24, 32, 4, 256, 40), (64, 128, 8, 512, 12), (256, 1024, 8, 2048, 1))
LIMITED, BEST, DENSE = 256, 1.15, 0.25

Calls = dict[str, Callable[[], object]]


def least_loop(layer: MixtureOfExperts, x: Tensor) -> Tensor:
    weights, chosen = layer.router(x).softmax(-1).topk(layer.k)
    output = torch.zeros_like(x)
    for number, expert in enumerate(layer.experts):
        token, choice = (chosen == number).nonzero(as_tuple=True)
        said = expert.linear2(torch.relu(expert.linear1(x[token])))
        output.index_add_(0, token, weights[token, choice, None] * said)
    return output


def batched_product(layer: MixtureOfExperts, x: Tensor) -> Tensor:
    weights, chosen = layer.router(x).softmax(-1).topk(layer.k)
    numbers, experts = chosen.flatten(), len(layer.experts)
    order = numbers.argsort(stable=True)
    counts = numbers.bincount(minlength=experts)
    longest = int(counts.max())
    place = torch.arange(len(order)) - (counts.cumsum(0) - counts)[numbers[order]]
    slot, token = numbers[order] * longest + place, order // layer.k
    rows = x.new_zeros(experts * longest, x.shape[1]).index_copy(0, slot, x[token])
    said = _all_at_once(layer, rows.view(experts, longest, -1)).flatten(0, 1)[slot]
    said = said * weights.flatten()[order, None]
    return torch.zeros_like(x).index_add(0, token, said)


def _all_at_once(layer: MixtureOfExperts, rows: Tensor) -> Tensor:
    up = torch.stack([expert.linear1.weight for expert in layer.experts])
    down = torch.stack([expert.linear2.weight for expert in layer.experts])
    one = torch.stack([expert.linear1.bias for expert in layer.experts])
    two = torch.stack([expert.linear2.bias for expert in layer.experts])
    hidden = torch.relu(torch.baddbmm(one[:, None], rows, up.mT))
    return torch.baddbmm(two[:, None], hidden, down.mT)


def candidates(d_model: int, d_ff: int, experts: int, tokens: int, k: int) -> Calls:
    """Return the calls of all, of which the first three agree."""
    torch.manual_seed(0)
    layer = MixtureOfExperts(d_model, d_ff, experts, k)
    x = torch.randn(tokens, d_model, requires_grad=True)
    small, large = FeedForward(d_model, d_ff), FeedForward(d_model, experts * d_ff)
    models: dict[str, Callable[[], Tensor]] = {
        "qkv.experts.MixtureOfExperts": lambda: layer(x),
        "the least loop": lambda: least_loop(layer, x),
        "a batched product": lambda: batched_product(layer, x),
        "dense, equal active": lambda: small(x),
        "dense, equal total": lambda: large(x),
    }
    ours, *same = (models[name]() for name in list(models)[:3])
    for other in same:
        torch.testing.assert_close(ours, other)
    return {name: _both_ways(model) for name, model in models.items()}


def _both_ways(model: Callable[[], Tensor]) -> Callable[[], object]:
    return lambda: model().sum().backward()


def fast(size: tuple[int, int, int, int, int], k: int, rounds: int) -> bool:
    """Print a race; say whether it is within its limits, where it has some."""
    *sizes, repeat = size
    d_model, d_ff, experts, tokens = sizes
    calls = candidates(d_model, d_ff, experts, tokens, k)
    times = race(calls, rounds=rounds, repeat=repeat)
    title = f"d_model {d_model}, {experts} experts of {d_ff}, top-{k}, {tokens} tokens"
    table(title, times, limit=None)
    ours, loop, batched, _, large = times.values()
    to_best, cheap = max(ratio(ours, loop), ratio(ours, batched)), ratio(ours, large)
    print(f"  to the best of the other ways: {to_best:.3f}")
    if k > 1 or d_model < LIMITED:
        return True
    held = to_best <= BEST and cheap <= DENSE
    print(f"  limits {BEST}, and {DENSE} of the dense layer: {verdict(held)}")
    return held


def main(arguments: list[str] | None = None) -> int:
    """Run the races and print them; return 1 where a limit is missed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=12)
    rounds = parser.parse_args(arguments).rounds
    held = [fast(size, k, rounds) for size in SIZES for k in (1, 2)]
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
