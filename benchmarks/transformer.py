"""Race a Transformer's training step against its peers, and a whole task.

usage: python -m benchmarks.transformer [--rounds N]

A step is `qkv.training.update` with Adam(fused=True) for every candidate: the optimizer
is the same, the models differ. The last candidate of a table is the best peer. What
a step needs of memory is held against the most frugal peer that normalises at the same
places (Marian is post-norm, and spares two norms that pre-norm needs).

At d_model 512 nearly all the time is the products of matrices, and the same in every
candidate: who is the best peer changes from race to race. The step is raced three
times, each time with new models, and the median of the three ratios has the limit.

In the whole task, ours and `nn.Transformer` are trained with the same data, seeds and
settings; the CPU seconds count until 99 % of new sequences are written without a
mistake. Returns 1 where a limit is missed.
"""

import argparse
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from statistics import median
from time import process_time

import torch
from torch import Tensor, nn
from torch.optim import Adam

from benchmarks.measure import memory, race, ratio, table, verdict
from benchmarks.peers import PyTorch, best_last, models, same_weights
from qkv.data import EOS, Batch
from qkv.training import FitSettings, update
from qkv.transformer import Transformer, TransformerConfig

VOCAB, LENGTH = 100, 20
SMALL = {"d_model": 128, "heads": 4, "d_ff": 256, "layers": (2, 2)}
LARGE = {"d_model": 512, "heads": 8, "d_ff": 2048, "layers": (6, 6)}


@dataclass(frozen=True)
class Step:
    """A training step to race: the model, the batch, how often, and our limits.

    ``share`` is the part of N that is the rounds of one of the ``races``, and
    ``repeat`` the steps in a round. Ours may take ``time`` times what the best peer
    takes, and ``memory`` times what the most frugal one needs.
    """

    sizes: dict
    batch: int
    padded: bool = False
    races: int = 1
    share: float = 1.0
    repeat: int = 2
    time: float = 1.0
    memory: float = 1.0

    def __str__(self) -> str:
        """Return the title of its table."""
        padded = "padded" if self.padded else "full"
        norms = "pre-norm" if self.sizes.get("norm_first", True) else "post-norm"
        size = f"d_model {self.sizes['d_model']}, batch {self.batch}"
        return f"Training step, {size}, {padded}, {norms}"


TRAINING = (
    Step(SMALL, 64),
    Step(SMALL, 64, padded=True),
    # the bias of Marian's output is not trained: 400 bytes of gradients fewer
    Step(SMALL | {"norm_first": False}, 64, memory=1.0001),
    # what x-transformers has no biases for is 0.12 % of the parameters
    Step(LARGE, 8, races=3, share=0.5, repeat=1, time=1.05, memory=1.005),
)

SEEDS, DIGITS, TASK_LENGTH = (0, 1, 2), 10, 16
STEPS, REACHED, LOOK_EVERY = 240, 0.99, 20
SETTINGS = FitSettings(learning_rate=3e-3, decay_over=STEPS)


def batch(size: int, *, padded: bool) -> Batch:
    """Return random tokens, with sources as long as each other or of any length."""
    generator = torch.Generator().manual_seed(0)
    source, target = torch.randint(
        3, VOCAB, (2, size, LENGTH), generator=generator
    ).unbind()
    lengths = torch.full((size,), LENGTH)
    if padded:
        lengths[1:] = torch.randint(1, LENGTH, (size - 1,), generator=generator)
    return Batch(source * (torch.arange(LENGTH) < lengths[:, None]), lengths, target)


def stepping(model: nn.Module, inputs: Batch) -> partial:
    optimizer = Adam(model.parameters(), lr=1e-4, fused=True)
    return partial(update, model.train(), inputs, optimizer, clip_norm=1.0)


def stepping_all(step: Step) -> dict[str, partial]:
    """Return a training step of ours and of each peer, the models new."""
    candidates = models(TransformerConfig(VOCAB, VOCAB, **step.sizes))
    inputs = batch(step.batch, padded=step.padded)
    ours, pytorchs, *_ = candidates.values()
    torch.testing.assert_close(
        ours(*inputs.inputs), pytorchs(*inputs.inputs), rtol=1e-4, atol=1e-4
    )
    return {name: stepping(model, inputs) for name, model in candidates.items()}


def raced(step: Step, rounds: int) -> float:
    """Race a step once, with models of its own; return our ratio to the best peer."""
    rounds = max(2, round(step.share * rounds))
    times = best_last(race(stepping_all(step), rounds=rounds, repeat=step.repeat))
    table(str(step), times, limit=None)
    ours, *_, best = times.values()
    return ratio(ours, best)


def fast(step: Step, rounds: int) -> bool:
    """Race a step as often as it says; hold the median of the ratios to its limit."""
    middle = median(raced(step, rounds) for _ in range(step.races))
    held = middle <= step.time
    of = f", the median of {step.races} races" if step.races > 1 else ""
    print(f"  ratio {middle:.3f}{of}   {verdict(held)} the limit of {step.time}")
    return held


def frugal(step: Step) -> bool:
    """Print the most memory that each needs at once; hold ours to its limit.

    In brackets, what is left without the gradients, of which a model has as many as
    parameters: peers whose attention has no biases need fewer.
    """
    calls = stepping_all(step)
    if step.sizes.get("norm_first", True):
        calls = {name: call for name, call in calls.items() if "Marian" not in name}
    needed = {name: memory(call).peak for name, call in calls.items()}
    said = []
    for name, call in calls.items():
        gradients = sum(x.nbytes for x in call.args[0].parameters())
        mib, beyond = needed[name] / 2**20, (needed[name] - gradients) / 2**20
        said.append(f"{name} {mib:.1f} ({beyond:.2f})")
    ours, *others = needed.values()
    held = ours <= step.memory * min(others)
    limit = f"the limit of {step.memory} × the least of the peers"
    print(f"  peak MiB: {', '.join(said)}   {verdict(held)} {limit}")
    return held


# ---------------------------------------------------------------------- the whole task
def sequences(answer: Callable[[Tensor], Tensor], seed: int) -> Iterator[Batch]:
    """Yield batches of digits and what is to be made of them."""
    generator = torch.Generator().manual_seed(seed)
    lengths = torch.full((64,), TASK_LENGTH)
    end = torch.full((64, 1), EOS)
    while True:
        source = torch.randint(3, 3 + DIGITS, (64, TASK_LENGTH), generator=generator)
        yield Batch(source, lengths, torch.cat([answer(source), end], 1))


@torch.no_grad()
def exact(model: nn.Module, asked: list[Batch]) -> float:
    """Return the share of rows without a mistake.

    A row is right where each token is the likeliest after the true ones, and then
    greedy writing, which is fed its own, right, tokens, writes the same.
    """
    right = [
        (model(*each.inputs).argmax(-1) == each.target).all(1).float().mean().item()
        for each in asked
    ]
    return sum(right) / len(right)


@dataclass
class Run:
    """A model in training: when it reached what it was to reach, and what it cost."""

    model: nn.Module
    optimizer: Adam
    steps: int | None = None
    seconds: float = 0.0
    exact: float = 0.0

    def __str__(self) -> str:
        """Say the step, the CPU seconds to it, and what was exact after the last."""
        reached = (
            "    –       –"
            if self.steps is None
            else f"{self.steps:5}{self.seconds:8.2f}"
        )
        return f"{reached}{self.exact:7.3f}"


def train(run: Run, inputs: Batch, done: int, asked: list[Batch]) -> None:
    """Take step ``done``, and look now and then; looking is not counted."""
    for group in run.optimizer.param_groups:
        group["lr"] = SETTINGS.rate(done)
    begin = process_time()
    update(run.model, inputs, run.optimizer, clip_norm=SETTINGS.clip_norm)
    if run.steps is None:
        run.seconds += process_time() - begin
    if done % LOOK_EVERY == 0:
        run.exact = exact(run.model, asked)
        if run.steps is None and run.exact >= REACHED:
            run.steps = done


def starting(seed: int) -> dict[str, nn.Module]:
    """Return ours, and PyTorch's with the same weights to begin with."""
    torch.manual_seed(seed)
    config = TransformerConfig(3 + DIGITS, 3 + DIGITS)
    ours, pytorchs = Transformer(config), PyTorch(config)
    same_weights(ours, pytorchs)
    return {"qkv.transformer.Transformer": ours, "nn.Transformer": pytorchs}


def whole_task(name: str, answer: Callable[[Tensor], Tensor], rounds: int) -> bool:
    """Train all step by step side by side; print when each reaches 99 %.

    Ours must reach it with every seed, in no more CPU seconds, all seeds together. A
    short run, of few rounds, tries fewer seeds.
    """
    print(
        f"\n{name} {TASK_LENGTH} digits to {REACHED:.0%} exact, d_model 64, batch 64; "
        f"for each seed: steps, CPU seconds, exact after step {STEPS}"
    )
    torch.set_num_threads(1)
    runs: dict[str, list[Run]] = {}
    for seed in SEEDS[: max(1, rounds // 4)]:
        stream, tests = sequences(answer, seed), sequences(answer, seed + 1000)
        asked = [next(tests) for _ in range(4)]
        side_by_side = {
            kind: Run(model, Adam(model.parameters(), fused=True))
            for kind, model in starting(seed).items()
        }
        for done in range(1, STEPS + 1):
            inputs = next(stream)
            for run in side_by_side.values():
                train(run, inputs, done, asked)
        for kind, run in side_by_side.items():
            runs.setdefault(kind, []).append(run)
    for kind, own in runs.items():
        print(f"  {kind:28}" + "  ".join(map(str, own)))
    ours, theirs = runs.values()
    held = all(run.steps and run.exact >= REACHED for run in ours)
    held &= sum(run.seconds for run in ours) <= sum(run.seconds for run in theirs)
    print(f"  {verdict(held)} the limit: sure, and no dearer in all")
    return held


def main(arguments: list[str] | None = None) -> int:
    """Run the races and print them; return 1 where a limit is missed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=24)
    rounds = parser.parse_args(arguments).rounds
    torch.manual_seed(0)
    held = [
        *(fast(step, rounds) & frugal(step) for step in TRAINING),
        whole_task("Reversing", lambda source: source.flip(1), rounds),
        whole_task("Copying", lambda source: source, rounds),
    ]
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
