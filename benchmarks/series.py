"""Race what forecasts series against scikit-learn, PyTorch's own layers and loops.

usage: python -m benchmarks.series [--rounds N]

Ridge regression is on the windows of `Seasons`; scikit-learn's is given them in
float64, in which ours solves, and its default solver. A step of the patch Transformer
is forward and backward of 64 windows; its peer is the same model with PyTorch's own
`nn.TransformerEncoder`. Look-up attention compares every value of 32 series with all
before it; beside it run a loop over the queries, and the same with all differences in
memory at once. Windows are also cut in a loop of slices. The last candidate of
each table is the peer of the limit. Returns 1 where a limit is missed.
"""

import argparse
import sys
from collections.abc import Callable

import torch
from sklearn.linear_model import Ridge
from torch import Tensor, nn

from benchmarks.measure import race, table
from qkv.data import Motifs, Seasons
from qkv.series import PatchConfig, PatchTransformer, lookup, ridge, windows

LENGTH, HORIZON, PENALTY = 72, 12, 100.0
WIDTH, BANDWIDTH = 3, 0.15
BATCH = 64

Calls = dict[str, Callable[[], object]]


def cutting(series: Tensor) -> Calls:
    def sliced() -> tuple[Tensor, Tensor]:
        now = range(LENGTH, len(series) - HORIZON + 1)
        past = torch.stack([series[n - LENGTH : n] for n in now])
        return past, torch.stack([series[n : n + HORIZON] for n in now])

    calls: Calls = {
        "qkv.series.windows": lambda: windows(series, LENGTH, HORIZON),
        "a loop of slices": sliced,
    }
    for ours, theirs in zip(*(call() for call in calls.values()), strict=True):
        assert torch.equal(ours, theirs)
    return calls


def solving(series: Tensor) -> Calls:
    past, future = windows(series, LENGTH, HORIZON)
    x, y = past.double().numpy(), future.double().numpy()
    calls: Calls = {
        "qkv.series.ridge": lambda: ridge(past, future, PENALTY),
        "scikit-learn": lambda: Ridge(alpha=PENALTY).fit(x, y),
    }
    expected = torch.from_numpy(Ridge(alpha=PENALTY).fit(x, y).coef_).float()
    torch.testing.assert_close(ridge(past, future, PENALTY).weight, expected)
    return calls


class OfTorch(nn.Module):
    """The patch Transformer around PyTorch's own encoder."""

    def __init__(self, model: PatchTransformer):
        super().__init__()
        config = model.config
        self.embedding, self.positions = model.embedding, model.positions
        layer = nn.TransformerEncoderLayer(
            config.d_model,
            config.heads,
            config.d_ff,
            dropout=0.0,
            batch_first=True,
            norm_first=True,
        )
        self.encoder = nn.TransformerEncoder(
            layer, config.layers, nn.LayerNorm(config.d_model), False
        )
        self.encoder.load_state_dict(model.encoder.state_dict())
        self.head, self.patch = model.head, config.patch

    def forward(self, past: Tensor) -> Tensor:
        mean = past.mean(-1, keepdim=True)
        std = (past.var(-1, correction=0, keepdim=True) + 1e-5).sqrt()
        patches = ((past - mean) / std).unflatten(-1, (-1, self.patch))
        x = self.encoder(self.positions(self.embedding(patches)))
        return self.head(x.flatten(1)) * std + mean


def stepping(series: Tensor) -> Calls:
    torch.manual_seed(0)
    ours = PatchTransformer(PatchConfig(LENGTH, HORIZON))
    theirs = OfTorch(ours)
    past, future = (x[:BATCH] for x in windows(series, LENGTH, HORIZON))
    torch.testing.assert_close(ours(past), theirs(past))

    def step(model: nn.Module) -> Callable[[], object]:
        def both_ways() -> None:
            model.zero_grad()
            (model(past) - future).square().mean().backward()

        return both_ways

    return {
        "qkv.series.PatchTransformer": step(ours),
        "nn.TransformerEncoder": step(theirs),
    }


def looking_up(series: Tensor) -> Calls:
    """Forecast every value of each series from all before it."""
    key, value = windows(series[:, :-1], WIDTH, 1)
    query = series[:, :-1].unfold(-1, WIDTH, 1)
    steps = torch.arange(query.shape[1])
    mask = steps[: key.shape[1]] < steps.unsqueeze(-1)

    def weighed(apart: Tensor, seen: Tensor) -> Tensor:
        scores = (-apart / (2 * BANDWIDTH**2)).masked_fill(~seen, -torch.inf)
        return scores.softmax(-1).nan_to_num() @ value

    def in_memory() -> Tensor:
        apart = (query.unsqueeze(2) - key.unsqueeze(1)).square().sum(-1)
        return weighed(apart, mask)

    def one_by_one() -> Tensor:
        found = []
        for n, seen in enumerate(mask):
            apart = (query[:, n : n + 1] - key).square().sum(-1).unsqueeze(1)
            found.append(weighed(apart, seen))
        return torch.cat(found, 1)

    calls: Calls = {
        "qkv.series.lookup": lambda: lookup(
            query, key, value, bandwidth=BANDWIDTH, mask=mask
        ),
        "a loop over the queries": one_by_one,
        "all differences in memory": in_memory,
    }
    expected, *found = (call() for call in calls.values())
    for each in found:
        torch.testing.assert_close(each, expected, atol=1e-4, rtol=1e-4)
    return calls


def main(arguments: list[str] | None = None) -> int:
    """Run the races and print them; return 1 where a limit is missed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=20)
    rounds = parser.parse_args(arguments).rounds
    series = Seasons(0).train
    motifs = Motifs().sample(32, seed=0).values
    held = []
    for title, calls, limit in (
        (f"Windows of {len(series):,} values", cutting(series), 0.1),
        ("Ridge regression", solving(series), 1.0),
        (f"A step of the patch Transformer, batch {BATCH}", stepping(series), 1.05),
        ("A look-up in 32 series", looking_up(motifs), 1.0),
    ):
        held.append(table(title, race(calls, rounds=rounds), limit=limit))
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
