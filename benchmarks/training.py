"""What the training loop adds to a loop written by hand, and what batches cost.

usage: python -m benchmarks.training [--rounds N]

The loop by hand is the least that trains: no bar, no history, no watching, no
checkpoint. Both have the same model, the same batches and the same arithmetic.
"""

import argparse
import sys
import tempfile
from itertools import islice
from pathlib import Path

import torch
from torch.nn.functional import cross_entropy
from torch.nn.utils import clip_grad_norm_

from benchmarks.measure import race, ratios, report
from qkv.data import PAD, DictatedNumbers, KoreanDates
from qkv.recurrent import AttentionSeq2Seq, Seq2Seq
from qkv.training import DEFAULTS, fit

LIMIT = 1.03
STEPS = 10


def by_hand(model, batches, steps):
    optimizer = torch.optim.Adam(
        model.parameters(), lr=DEFAULTS.learning_rate, fused=True
    )
    model.train()
    for batch in islice(batches, steps):
        logits = model(batch.source, batch.source_lengths, batch.target_in)
        loss = cross_entropy(
            logits.flatten(0, 1), batch.target.flatten(), ignore_index=PAD
        )
        optimizer.zero_grad()
        loss.backward()
        clip_grad_norm_(model.parameters(), DEFAULTS.clip_norm)
        optimizer.step()


class Nothing(torch.nn.Module):
    """A model that hardly costs anything, so that the loop is all there is."""

    def __init__(self, n_source: int, n_target: int):
        super().__init__()
        self.logits = torch.nn.Parameter(torch.zeros(n_target))

    def forward(self, source, source_lengths, target_in):
        return self.logits.expand(*target_in.shape, -1)


def loops(kind, folder: Path, rounds: int):
    """Race three ways to take the same steps with the same model."""
    numbers = DictatedNumbers()
    torch.manual_seed(0)
    model = kind(len(numbers.source_vocab), len(numbers.target_vocab))
    # the same batches for everyone: lengths differ from batch to batch
    drawn = list(islice(numbers.batches(batch_size=128, seed=0), STEPS))
    kept = folder / f"{kind.__name__}.pt"

    def with_checkpoint():
        kept.unlink(missing_ok=True)
        fit(model, drawn, steps=STEPS, checkpoint=kept)

    return race(
        {
            "by hand": lambda: by_hand(model, drawn, STEPS),
            "fit": lambda: fit(model, drawn, steps=STEPS),
            "fit, one checkpoint": with_checkpoint,
        },
        rounds=rounds,
    )


def drawing(rounds: int):
    """The cost of batches alone."""
    numbers = DictatedNumbers().batches(batch_size=128, seed=0)
    dates = KoreanDates().batches(batch_size=64, seed=0)
    return race(
        {
            "128 dictated numbers": lambda: list(islice(numbers, STEPS)),
            "64 dates": lambda: list(islice(dates, STEPS)),
        },
        rounds=rounds,
    )


def main(arguments: list[str] | None = None) -> int:
    """Run the races and print them; return 1 where the loop costs too much."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=21)
    rounds = parser.parse_args(arguments).rounds
    held = True
    with tempfile.TemporaryDirectory() as folder:
        for kind in (Seq2Seq, AttentionSeq2Seq):
            seconds = loops(kind, Path(folder), rounds)
            title = f"a training step of {kind.__name__}, batch 128 (limit {LIMIT})"
            print(report(title, seconds, to="by hand", per=STEPS))
            held &= ratios(seconds, to="by hand")["fit"][1] <= LIMIT
        seconds = loops(Nothing, Path(folder), rounds)
        print(report("the loop alone (no limit)", seconds, to="by hand", per=STEPS))
    seconds = drawing(rounds)
    print(report("drawing a batch", seconds, to="128 dictated numbers", per=STEPS))
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
