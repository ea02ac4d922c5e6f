"""Race greedy writing against its peers, from a few tokens to many.

usage: python -m benchmarks.decoding [--rounds N]

Nobody writes `<eos>`, so that all write to the last token. x-transformers and Marian
keep a cache; `nn.Transformer` has none, and computes the whole target again for every
token, as textbooks do: it stays away where that would take minutes. Of ours, the time
of a token must not grow with their number, and must be at most half the best peer's.
Returns 1 where a limit is missed.
"""

import argparse
import math
import sys
from collections.abc import Callable
from functools import partial
from statistics import median

import torch
from torch import Tensor, nn

from benchmarks.measure import race, table
from benchmarks.peers import MAX_LENGTH, best_last, models
from qkv.data import EOS
from qkv.decoding import greedy
from qkv.transformer import Transformer, TransformerConfig

VOCAB, SOURCE = 100, 20
SIZES = {"d_model": 128, "heads": 4, "d_ff": 256, "layers": (2, 2)}
LENGTHS = (16, 64, 256, 512)
WITHOUT_CACHE = {1: 256, 32: 64}  # for each batch, the most tokens
LIMIT, GROWTH = 0.5, 1.05
assert max(LENGTHS) < MAX_LENGTH


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
) -> tuple[bool, float]:
    """Race one length; return whether the limit holds, and our median seconds."""
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
    times = race(calls, rounds=rounds, repeat=max(1, 64 // length))
    each = {name: [s / length for s in took] for name, took in times.items()}
    title = f"A token, written greedily, batch {batch}, {length} tokens"
    return table(title, best_last(each), limit=LIMIT), median(times[ours])


def growth(batch: int, totals: dict[int, float]) -> bool:
    """Print the exponent of the total, from the fewest tokens to the most."""
    few, many = min(totals), max(totals)
    exponent = math.log(totals[many] / totals[few]) / math.log(many / few)
    held = exponent <= GROWTH
    print(
        f"\nbatch {batch}, {few} to {many} tokens: the total grows with exponent "
        f"{exponent:.2f}   {'holds' if held else 'MISSES'} the limit of {GROWTH}"
    )
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
    for batch in WITHOUT_CACHE:
        found = {n: race_of(batch, n, candidates, rounds) for n in LENGTHS}
        held += [fast for fast, _ in found.values()]
        held.append(growth(batch, {n: took for n, (_, took) in found.items()}))
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
