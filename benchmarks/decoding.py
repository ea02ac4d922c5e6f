"""Race greedy writing against its peers, from a few tokens to many.

usage: python -m benchmarks.decoding [--rounds N]

Nobody writes `<eos>`, so that all write to the last token. x-transformers and Marian
keep a cache; `nn.Transformer` has none, and computes the whole target again for every
token, as textbooks do: it stays away where that would take minutes. Two things of ours
have limits: the time of a token beside the best peer's, and how the total grows with
the number of tokens. Returns 1 where a limit is missed.
"""

import argparse
import math
import sys
from collections.abc import Callable
from functools import partial
from statistics import median

import torch
from torch import Tensor, nn

from benchmarks.measure import race, table, verdict
from benchmarks.peers import MAX_LENGTH, best_last, models
from qkv.data import EOS
from qkv.decoding import greedy
from qkv.transformer import Transformer, TransformerConfig

VOCAB, SOURCE = 100, 20
SIZES = {"d_model": 128, "heads": 4, "d_ff": 256, "layers": (2, 2)}
# For each batch and number of tokens, our time as a part of the best peer's. At batch 1
# time goes into calling operators, at batch 32 into arithmetic and memory, which no
# cache saves, and which a busy machine slows down more. With 16 tokens, more than a
# third of it is the reading of the source, which costs a peer as much.
LIMITS = {
    1: {16: 0.5, 64: 0.4, 256: 0.4, 512: 0.4},
    32: {16: 0.65, 64: 0.6, 256: 0.6, 512: 0.6},
}
# The exponent with which the total grows. At batch 32 each token reads all the keys and
# values before it, from memory, in every model that keeps them.
GROWTH = {1: 1.05, 32: 1.25}
NO_FASTER_THAN_PEERS = {32}
WITHOUT_CACHE = {1: 256, 32: 64}  # for each batch, the most tokens
ROUNDS_OF = 128  # as many tokens as take N rounds; fewer take more, being cheap
assert max(map(max, LIMITS.values())) < MAX_LENGTH

Times = dict[str, list[float]]


def never_ending(model: nn.Module) -> nn.Module:
    """Let ``<eos>`` never be the likeliest."""
    if hasattr(model, "output"):
        model.output.bias.data[EOS] = -99.0
    else:
        model.model.final_logits_bias[0, EOS] = -99.0
    return model.eval()


def writing(
    model: nn.Module, source: Tensor, lengths: Tensor, length: int
) -> Callable[[], Tensor]:
    if isinstance(model, Transformer):
        return partial(greedy, model, source, lengths, max_length=length)
    return partial(model.write, source, lengths, length)


def race_of(
    batch: int, length: int, candidates: dict[str, nn.Module], rounds: int
) -> Times:
    """Return the seconds that each candidate takes to write so many tokens."""
    generator = torch.Generator().manual_seed(batch)
    source = torch.randint(3, VOCAB, (batch, SOURCE), generator=generator)
    lengths = torch.full((batch,), SOURCE)
    calls = {
        name: writing(model, source, lengths, length)
        for name, model in candidates.items()
        if name != "nn.Transformer" or length <= WITHOUT_CACHE[batch]
    }
    written = {name: call() for name, call in calls.items()}
    ours = next(iter(calls))
    assert all(found.shape == (batch, length) for found in written.values())
    if "nn.Transformer" in calls:
        assert torch.equal(written[ours], written["nn.Transformer"])
    return race(calls, rounds=rounds * max(1, ROUNDS_OF // length))


def fast(batch: int, length: int, times: Times) -> bool:
    """Print the time of a token; say whether ours is within its limit."""
    each = {name: [s / length for s in took] for name, took in times.items()}
    title = f"A token, written greedily, batch {batch}, {length} tokens"
    return table(title, best_last(each), limit=LIMITS[batch][length])


def exponents(found: dict[int, Times]) -> dict[str, float]:
    """Return with which exponent each total grows, from the fewest tokens to the most.

    Who did not write the most has none.
    """
    few, many = min(found), max(found)
    return {
        name: math.log(median(took) / median(found[few][name])) / math.log(many / few)
        for name, took in found[many].items()
    }


def steady(batch: int, found: dict[int, Times]) -> bool:
    """Print how the totals grow; say whether ours grows within its limits."""
    grows = exponents(found)
    ours, *others = grows.values()
    limit = GROWTH[batch]
    if batch in NO_FASTER_THAN_PEERS:
        limit = min(limit, *others)
    held = ours <= limit
    few, many = min(found), max(found)
    print(f"\nbatch {batch}, {few} to {many} tokens: how the total grows")
    print(f"  {'':34}exponent   ms more for a token")
    for name, exponent in grows.items():
        more = median(found[many][name]) / many - median(found[few][name]) / few
        print(f"  {name:34}{exponent:8.3f}{more * 1e3:23.3f}")
    print(f"  exponent {ours:.3f}   {verdict(held)} the limit of {limit:.3f}")
    return held


def main(arguments: list[str] | None = None) -> int:
    """Run the races and print them; return 1 where a limit is missed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args(arguments).rounds
    torch.manual_seed(0)
    torch.set_num_threads(1)
    made = models(TransformerConfig(VOCAB, VOCAB, **SIZES))
    candidates = {name: never_ending(model) for name, model in made.items()}
    held = []
    for batch, limits in LIMITS.items():
        found = {}
        for length in limits:
            found[length] = race_of(batch, length, candidates, rounds)
            held.append(fast(batch, length, found[length]))
        held.append(steady(batch, found))
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
