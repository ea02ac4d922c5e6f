"""Train one model in two processes, as test_processes.py starts them.

usage: torchrun --nproc-per-node=2 two_processes.py FOLDER

What each process has seen is written into FOLDER, one file for each.
"""

import sys
from datetime import timedelta
from pathlib import Path

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from qkv.data import Batch, DictatedNumbers
from qkv.recurrent import Seq2Seq
from qkv.training import FitSettings, fit, update

NUMBERS = DictatedNumbers((1, 5))
SETTINGS = FitSettings(save_every=2)


def model() -> nn.Module:
    torch.manual_seed(0)
    return Dropped()


def quiet() -> nn.Module:
    network = model()
    network.dropout.p = 0.0
    return network


class Dropped(nn.Module):
    """Draws random numbers while it is trained, and adds to the loss."""

    def __init__(self, share: float = 0.2) -> None:
        super().__init__()
        sizes = len(NUMBERS.source_vocab), len(NUMBERS.target_vocab)
        self.model = Seq2Seq(*sizes, d_embedding=5, d_hidden=7)
        self.dropout = nn.Dropout(share)
        self.shy = Shy(1, 1)

    def forward(self, source, source_lengths, target_in):
        logits = self.dropout(self.model(source, source_lengths, target_in))
        return logits + self.shy(source_lengths[:, None, None].float()) * 0.1


class Shy(nn.Linear):
    def auxiliary_loss(self, x):
        return (self(x) ** 2).mean() * 0.01


def halves() -> list[Batch]:
    """Two batches, one of short examples and one of long: a mean of means is wrong."""
    drawn = next(DictatedNumbers((1, 5)).batches(batch_size=40, seed=7))
    order = drawn.source_lengths.argsort()
    return [
        Batch(drawn.source[rows], drawn.source_lengths[rows], drawn.target[rows])
        for rows in (order[:20], order[20:])
    ]


def together() -> Batch:
    one, other = halves()
    return Batch(
        *(torch.cat(both) for both in zip(_parts(one), _parts(other), strict=True))
    )


def _parts(batch: Batch) -> tuple[torch.Tensor, ...]:
    return batch.source, batch.source_lengths, batch.target


def stepped(network: nn.Module, batch: Batch) -> tuple[float, dict]:
    """The loss, and how one step of plain descent has moved the parameters."""
    before = {n: p.detach().clone() for n, p in network.named_parameters()}
    loss = update(
        network, batch, torch.optim.SGD(network.parameters(), lr=1.0), clip_norm=1e9
    )
    return loss, {
        n.removeprefix("module."): before[n] - p.detach()
        for n, p in network.named_parameters()
    }


def stream(rank: int):
    return NUMBERS.batches(batch_size=11, seed=100 + rank)


def main(folder: Path) -> None:
    # a fault may make one wait for the other: not for ever
    dist.init_process_group("gloo", timeout=timedelta(minutes=5))
    rank = dist.get_rank()
    seen = {"step": stepped(DistributedDataParallel(quiet()), halves()[rank])}

    seen["watched"] = []
    whole = model()
    torch.manual_seed(rank)
    file = folder / "run.pt"
    history = fit(
        DistributedDataParallel(whole),
        stream(rank),
        steps=6,
        watch=lambda bare: seen["watched"].append(type(bare).__name__) or 0.5,
        settings=SETTINGS,
    )
    seen["losses"], seen["whole"] = history.losses, whole.state_dict()

    resumed = model()
    torch.manual_seed(rank)
    parallel = DistributedDataParallel(resumed)
    fit(parallel, stream(rank), steps=3, checkpoint=file, settings=SETTINGS)
    torch.manual_seed(99)
    fit(parallel, stream(rank), steps=6, checkpoint=file, settings=SETTINGS)
    seen["resumed"] = resumed.state_dict()
    torch.save(seen, folder / f"seen{rank}.pt")
    dist.destroy_process_group()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
