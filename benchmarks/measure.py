"""Race candidates against each other: what to run, how long it takes, who wins.

The machine may be shared and its clock may vary, so that two times taken minutes apart
say little. Candidates therefore take turns: in each round every one of them runs once,
and is compared with the first *of the same round*. Times are CPU seconds of one thread.
"""

import json
from collections.abc import Callable
from operator import truediv
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from time import process_time
from typing import NamedTuple

import torch
from torch.profiler import ProfilerActivity, profile


def race(
    candidates: dict[str, Callable[[], object]], *, rounds: int = 40, repeat: int = 1
) -> dict[str, list[float]]:
    """Return the CPU seconds of one call of each candidate, one number a round."""
    torch.set_num_threads(1)
    for candidate in candidates.values():
        candidate()
    times: dict[str, list[float]] = {name: [] for name in candidates}
    names = list(candidates)
    for turn in range(rounds):
        first = turn % len(names)  # nobody always runs in the same one's warm cache
        for name in names[first:] + names[:first]:
            begin = process_time()
            for _ in range(repeat):
                candidates[name]()
            times[name].append((process_time() - begin) / repeat)
    return times


def table(title: str, times: dict[str, list[float]], *, limit: float | None) -> bool:
    """Print medians, and each candidate's ratio to the last; say if the first holds.

    The last candidate is the peer. ``limit`` bounds the first one's median ratio.
    """
    peer = list(times.values())[-1]
    print(f"\n{title}\n  {'':34}{'ms':>8}   ratio: median (quartiles)")
    held = True
    for place, (name, own) in enumerate(times.items()):
        ratios = [a / b for a, b in zip(own, peer, strict=True)]
        low, middle, high = quantiles(ratios, n=4)
        line = f"  {name:34}{quantiles(own, n=4)[1] * 1e3:8.3f}   {middle:5.3f} "
        line += f"({low:.3f} to {high:.3f})"
        if place == 0 and limit is not None:
            held = middle <= limit
            line += f"   {verdict(held)} the limit of {limit}"
        print(line)
    return held


def ratio(own: list[float], other: list[float]) -> float:
    """Return the median of the ratios within a round, which is what limits bound."""
    return median(map(truediv, own, other))


def verdict(held: bool) -> str:
    """Say whether a limit was kept, so that a miss is seen in a long output."""
    return "holds" if held else "MISSES"


class Memory(NamedTuple):
    """Bytes that a call asked the allocator for: most at once, and in one piece."""

    peak: int
    largest: int


def memory(call: Callable[[], object]) -> Memory:
    """Return what a call needs beyond what is there, after a first call to warm up."""
    call()
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
        call()
    with TemporaryDirectory() as folder:
        file = Path(folder, "trace.json")
        profiler.export_chrome_trace(str(file))
        events = json.loads(file.read_text("utf-8"))["traceEvents"]
    events = [event for event in events if event["name"] == "[memory]"]
    live: dict[int, int] = {}  # what is freed but was there before is not the call's
    peak = largest = 0
    for event in sorted(events, key=lambda event: event["ts"]):
        address, size = event["args"]["Addr"], event["args"]["Bytes"]
        if size > 0:
            live[address], largest = size, max(largest, size)
            peak = max(peak, sum(live.values()))
        else:
            live.pop(address, None)
    return Memory(peak, largest)
