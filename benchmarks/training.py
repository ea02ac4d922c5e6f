"""What the training loop adds to a loop written by hand, and what batches cost.

usage: python -m benchmarks.training [--rounds N]

The loop by hand is the least that trains: no bar, no history, no watching, no
checkpoint. Both have the same model, the same batches and the same arithmetic.
"""

import argparse
import sys
import tempfile
from functools import partial
from itertools import islice
from pathlib import Path

import torch
from torch import nn
from torch.nn.functional import cross_entropy
from torch.nn.utils import clip_grad_norm_

from benchmarks.measure import race, table
from qkv.data import PAD, DictatedNumbers, KoreanDates
from qkv.recurrent import AttentionSeq2Seq, Seq2Seq
from qkv.training import DEFAULTS, fit

LIMIT = 1.03
STEPS = 5


class Nothing(nn.Module):
    """A model that hardly costs anything, so that the loop is all there is."""

    def __init__(self, n_source: int, n_target: int):
        super().__init__()
        self.logits = nn.Parameter(torch.zeros(n_target))

    def forward(self, source, source_lengths, target_in):
        return self.logits.expand(*target_in.shape, -1)


def by_hand(model, batches):
    optimizer = torch.optim.Adam(
        model.parameters(), lr=DEFAULTS.learning_rate, fused=True
    )
    model.train()
    for batch in batches:
        logits = model(batch.source, batch.source_lengths, batch.target_in)
        loss = cross_entropy(
            logits.flatten(0, 1), batch.target.flatten(), ignore_index=PAD
        )
        optimizer.zero_grad()
        loss.backward()
        clip_grad_norm_(model.parameters(), DEFAULTS.clip_norm)
        optimizer.step()


def loops(kind, rounds: int) -> dict[str, list[float]]:
    """Race the loops over the same batches with the same model."""
    numbers = DictatedNumbers()
    torch.manual_seed(0)
    model = kind(len(numbers.source_vocab), len(numbers.target_vocab))
    drawn = list(islice(numbers.batches(batch_size=128, seed=0), STEPS))
    with tempfile.TemporaryDirectory() as folder:
        kept = Path(folder, "run.pt")

        def with_checkpoint():
            kept.unlink(missing_ok=True)
            fit(model, drawn, steps=STEPS, checkpoint=kept)

        candidates = {
            f"{STEPS} steps of fit": lambda: fit(model, drawn, steps=STEPS),
            f"{STEPS} steps of fit, 1 checkpoint": with_checkpoint,
            f"{STEPS} steps by hand": lambda: by_hand(model, drawn),
        }
        return race(candidates, rounds=rounds)


def drawing(rounds: int) -> dict[str, list[float]]:
    """Race the drawing of batches against a training step of the fixed vector."""
    numbers = DictatedNumbers().batches(batch_size=128, seed=0)
    dates = KoreanDates().batches(batch_size=64, seed=0)
    model, batch = Seq2Seq(13, 13), next(numbers)
    candidates = {
        "drawing 128 dictated numbers": partial(next, numbers),
        "drawing 64 dates": partial(next, dates),
        "a step with 128 dictated numbers": lambda: by_hand(model, [batch]),
    }
    return race(candidates, rounds=rounds)


def main(arguments: list[str] | None = None) -> int:
    """Run the races and print them; return 1 where the loop costs too much."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=40)
    rounds = parser.parse_args(arguments).rounds
    held = [
        table(f"training {kind.__name__}", loops(kind, rounds), limit=LIMIT)
        for kind in (Seq2Seq, AttentionSeq2Seq)
    ]
    table("the loop alone", loops(Nothing, rounds), limit=None)
    held.append(table("batches", drawing(rounds), limit=LIMIT - 1))
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
