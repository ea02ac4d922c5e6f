"""Race the picture tokens and the painter against the same written by hand.

usage: python -m benchmarks.painting [--rounds N]

A training step of the discrete VAE races the least code: the same convolutions,
PyTorch's `gumbel_softmax`, which draws its own numbers, and `torch.distributions` for
the KL. Drawing with a cache races what a notebook writes: the whole sequence again for
each token; both draw the same tokens by the same numbers. Returns 1 where a limit is
missed.
"""

import argparse
import sys
from collections.abc import Callable

import torch
from torch import Tensor
from torch.distributions import Categorical, kl_divergence
from torch.nn import functional as F

from benchmarks.measure import race, table
from qkv.data import Scenes
from qkv.vision import DiscreteVAE, Painter, Repainting, load_painter

BATCH, CELLS = 32, 16
TRAINING, DRAWING = 1.0, {1: 0.9, 32: 0.4}
Calls = dict[str, Callable[[], object]]


def by_hand(model: DiscreteVAE, pictures: Tensor, tau: float, beta: float) -> Tensor:
    logits = model.encoder(pictures).movedim(1, -1)
    shares = F.gumbel_softmax(logits, tau=tau)
    painted = model.decoder((shares @ model.codes.weight).movedim(-1, 1))
    even = Categorical(logits=torch.zeros_like(logits))
    kl = kl_divergence(Categorical(logits=logits), even).mean()
    return (painted - pictures).square().sum() / shares[..., 0].numel() + beta * kl


def back(model: DiscreteVAE, loss: Callable[[], Tensor]) -> Callable[[], None]:
    def step() -> None:
        for parameter in model.parameters():
            parameter.grad = None
        loss().backward()

    return step


def training(rounds: int) -> bool:
    torch.manual_seed(0)
    model, pictures = DiscreteVAE(), torch.rand(BATCH, 3, 16, 16)

    def ours() -> Tensor:
        batch = Repainting(pictures, torch.rand(BATCH, 4, 4, 64), 0.7, 0.1)
        return batch.loss(model(*batch.inputs), batch.target)

    calls: Calls = {
        "qkv.vision.DiscreteVAE": back(model, ours),
        "F.gumbel_softmax": back(model, lambda: by_hand(model, pictures, 0.7, 0.1)),
    }
    title = f"Training step of a discrete VAE, batch {BATCH}"
    return table(title, race(calls, rounds=rounds), limit=TRAINING)


@torch.inference_mode()
def all_again(painter: Painter, prompts: Tensor, uniform: Tensor) -> Tensor:
    """Draw as the formula has it: nothing is kept from token to token."""
    ids, offset = prompts, painter.vocabulary.offset
    for number in uniform.unbind(1):
        logits = painter.model(ids)[:, -1, offset:]
        below = logits.double().softmax(-1).cumsum(1)
        code = (below <= number[:, None]).sum(1, keepdim=True)
        ids = torch.cat([ids, code + offset], 1)
    return painter.vocabulary.tokens(ids)


def drawing(painter: Painter, size: int, rounds: int) -> bool:
    world = Scenes(slots=2, jitter=0, sizes=(1.0,), most=4, left_out=0.2)
    asked = world.sample(size, seed=0)
    said = [world.vocabulary.decode(row) for row in asked.target]
    prompts = painter.vocabulary.begin(said)
    uniform = torch.rand(size, CELLS, generator=torch.Generator().manual_seed(0))
    calls: Calls = {
        "qkv.vision.Painter.draw": lambda: painter.draw(said, uniform=uniform),
        "all again for each token": lambda: all_again(painter, prompts, uniform),
    }
    ours, theirs = (call() for call in calls.values())
    assert torch.equal(ours, theirs)
    title = f"Drawing {CELLS} tokens behind a sentence, batch {size}"
    return table(title, race(calls, rounds=rounds, repeat=3), limit=DRAWING[size])


def main(arguments: list[str] | None = None) -> int:
    """Run the races and print them; return 1 where a limit is missed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=20)
    rounds = parser.parse_args(arguments).rounds
    painter = load_painter("painter")
    held = [training(rounds), *(drawing(painter, size, rounds) for size in DRAWING)]
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
