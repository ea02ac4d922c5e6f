"""Train chapter 7's model and write it into the package, for who skips the training.

usage: python tools/checkpoint.py [FILE]

English is translated into Korean by a Transformer of the default sizes, trained for
800 steps, in some 40 CPU seconds on one thread. Nothing is written where the result,
rounded as it is kept, translates fewer than 98 % of the held-out sentences exactly.
"""

import argparse
import sys
from pathlib import Path

import torch

from qkv.data import EnglishKorean
from qkv.decoding import exact_match
from qkv.training import FitSettings, History, fit
from qkv.transformer import Transformer, TransformerConfig, load, save

FILE = Path(__file__).parents[1] / "src/qkv/checkpoints/english_korean.safetensors"
STEPS = 800
REACHED = 0.98


def train(corpus: EnglishKorean, steps: int = STEPS) -> tuple[Transformer, History]:
    """Return the model, and what training it has cost."""
    torch.manual_seed(0)
    config = TransformerConfig(len(corpus.source_vocab), len(corpus.target_vocab))
    model = Transformer(config)
    history = fit(
        model,
        corpus.batches(batch_size=64, seed=0),
        steps=steps,
        settings=FitSettings(learning_rate=3e-3, decay_over=steps),
    )
    return model, history


def keep(model: Transformer, corpus: EnglishKorean, file: Path) -> float:
    """Write the model if it is good enough, and return its held-out exact match.

    What is measured is what the file holds, read back. It takes the place of the old
    one only when it is whole and good.
    """
    beside = file.with_name(f".{file.stem}.new{file.suffix}")
    try:
        save(model, beside, corpus.source_vocab, corpus.target_vocab)
        reached = exact_match(load(beside).model, corpus, corpus.held_out)
        if reached >= REACHED:
            beside.replace(file)
    finally:
        beside.unlink(missing_ok=True)
    return reached


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", nargs="?", type=Path, default=FILE)
    file = parser.parse_args(arguments).file
    torch.set_num_threads(1)
    corpus = EnglishKorean()
    model, history = train(corpus)
    reached = keep(model, corpus, file)
    said = f"{history.cpu_seconds:.0f} CPU s, held-out exact match {reached:.3f}"
    if reached < REACHED:
        print(f"{said}, below {REACHED}: {file} is left as it was", file=sys.stderr)
        return 1
    print(f"{said}: {file}, {file.stat().st_size / 1000:.0f} kB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
