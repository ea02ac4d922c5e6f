"""Measuring: candidates in turn, round by round, compared within a round.

CPU time of one thread, so that a busy machine tells the same story; medians and
quartiles of the ratio to one candidate, since what slows one round slows all of it.
"""

import statistics
import time
from collections.abc import Callable

import torch


def race(
    candidates: dict[str, Callable[[], object]], *, rounds: int = 15
) -> dict[str, list[float]]:
    """Run each candidate once a round; return its CPU seconds, round by round.

    A first round is run and not counted. The order turns by one from round to round,
    so that nobody always runs after the same other.
    """
    torch.set_num_threads(1)
    names = list(candidates)
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(rounds + 1):
        first = turn % len(names)
        for name in names[first:] + names[:first]:
            began = time.process_time()
            candidates[name]()
            if turn:
                seconds[name].append(time.process_time() - began)
    return seconds


def ratios(
    seconds: dict[str, list[float]], *, to: str
) -> dict[str, tuple[float, float, float]]:
    """Return lower quartile, median and upper quartile of each ratio to ``to``."""
    return {
        name: tuple(
            statistics.quantiles(
                [mine / theirs for mine, theirs in zip(own, seconds[to], strict=True)],
                n=4,
            )
        )
        for name, own in seconds.items()
    }


def report(
    title: str, seconds: dict[str, list[float]], *, to: str, per: int = 1
) -> str:
    """Return a table: each candidate's median milliseconds, and its ratio to ``to``."""
    lines = [title]
    for name, (low, middle, high) in ratios(seconds, to=to).items():
        cost = f"{1_000 * statistics.median(seconds[name]) / per:9.3f} ms"
        lines.append(f"  {name:32} {cost}  {middle:6.3f}  [{low:.3f}, {high:.3f}]")
    return "\n".join(lines)
