"""Measure what the chapters claim, for three seeds, and write the claims page.

usage: python tools/claims.py [--jobs N] [chapter.md ...]

Every chapter is run from its source, in a kernel of its own, once for each seed, N of
them at a time, each in one thread (2, where there are 2 cores). The page,
book/claims.md, lists each claim with its bound, its worst and its best value. With
chapters named, only they are measured, and the others' tables stay as they are. So does
the table of a chapter that does not run, or of which a claim does not hold: it is named
at the end, and the command fails. Those that held are written all the same.
"""

import argparse
import json
import re
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from math import isnan
from pathlib import Path

import jupytext

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "src")]  # this tree's, wherever it is installed

from qkv.claims import in_words, shown_value  # noqa: E402
from tools import kernel  # noqa: E402

CHAPTERS, PAGE = ROOT / "chapters", ROOT / "book" / "claims.md"
SEEDS = (0, 1, 2)
INTRODUCTION = """\
<!-- Written by `make claims`. Change a claim in its chapter, not here. -->

# What was measured

Every claim of the chapters, measured over three seeds: what is said, the bound
that it must keep to, the worst and the best of the three values. A chapter
stops where a claim does not hold, on your machine as on ours; what you see
there is the value of seed 0. Ratios of times depend on the machine and on what
else it does: those in the chapter may lie outside the three here. `make
claims` measures all of them again and writes this page.
"""
HEADER = "| claim | bound | worst | best |\n| --- | --- | ---: | ---: |\n"


class ClaimsError(Exception):
    """The claims of a chapter could not be measured; the message says why."""


@dataclass(frozen=True)
class Row:
    """One claim of the page: its bound in words, its values as they are printed."""

    statement: str
    bound: str
    worst: str
    best: str


Run = list[dict] | ClaimsError  # what was claimed, or why nothing was


# -------------------------------------------------------------------------- measuring


def sources(paths: list[Path]) -> list[Path]:
    """The chapters given, or all of them."""
    found = paths or sorted(CHAPTERS.glob("[0-9][0-9]_*.md"))
    for path in found:
        if not path.is_file():
            raise SystemExit(f"{path}: no such chapter")
    return found


def measure(path: Path, seed: int) -> list[dict]:
    """Run a chapter with one seed; return its claims in their order.

    Raises
    ------
    ClaimsError
        If a cell fails, the kernel dies, or a statement is made twice.
    """
    with tempfile.TemporaryDirectory() as folder:
        record = Path(folder, "claims.jsonl")
        told = {"QKV_SEED": str(seed), "QKV_CLAIMS": str(record)}
        try:
            kernel.run(jupytext.read(path), path, **told)
        except kernel.KernelError as error:
            raise ClaimsError(f"seed {seed}: {error}") from None
        lines = record.read_text("utf-8").splitlines() if record.exists() else []
    claims = [json.loads(line) for line in lines]
    statements = [claim["statement"] for claim in claims]
    for statement in statements:
        if statements.count(statement) > 1:
            raise ClaimsError(f"{path.name} claims more than once: {statement}")
    return claims


def gather(name: str, runs: list[list[dict]]) -> list[Row]:
    """Put the runs of one chapter side by side.

    Raises
    ------
    ClaimsError
        If the runs do not claim the same, with the same bounds.
    """
    first = [_promise(claim) for claim in runs[0]]
    for run in runs[1:]:
        other = [_promise(claim) for claim in run]
        if other != first:
            odd = sorted(set(first) ^ set(other)) or first
            raise ClaimsError(
                f"{name} claims one thing with one seed and another with the next: "
                f"{odd[0]}; a statement and its bound are the same for every seed"
            )
    return [_row(list(of_one)) for of_one in zip(*runs, strict=True)]


def _promise(claim: dict) -> tuple[str, str]:
    return claim["statement"], in_words(claim["at_least"], claim["at_most"])


def _row(claims: list[dict]) -> Row:
    ordered = sorted(claims, key=_margin)
    worst, best = (shown_value(claim["value"]) for claim in (ordered[0], ordered[-1]))
    shown = claims[0]  # the first seed's, which the chapter shows beside its bound
    bound = in_words(shown["at_least"], shown["at_most"], beside=shown["value"])
    return Row(shown["statement"], bound, worst, best)


def _margin(claim: dict) -> float:
    """How far the value is on the right side of its nearer bound."""
    if isnan(claim["value"]):
        return -float("inf")
    low, high = claim["at_least"], claim["at_most"]
    above = float("inf") if low is None else claim["value"] - low
    below = float("inf") if high is None else high - claim["value"]
    return min(above, below)


# --------------------------------------------------------------------------- the page


def write(page: Path, tables: dict[str, list[Row]]) -> None:
    """Write the page: a section for each chapter, by its name (``01_…``)."""
    sections = [_section(name, tables[name]) for name in sorted(tables) if tables[name]]
    text = "\n".join([INTRODUCTION, *sections])
    page.write_text(text, encoding="utf-8")


def _section(name: str, rows: list[Row]) -> str:
    lines = [
        f"| {_escaped(row.statement)} | {row.bound} | {row.worst} | {row.best} |\n"
        for row in rows
    ]
    title = f"## Chapter {int(name[:2])}\n\n{{doc}}`chapters/{name}`\n\n"
    return title + HEADER + "".join(lines)


def read(page: Path) -> dict[str, list[Row]]:
    """Read the tables that :func:`write` wrote."""
    text = page.read_text("utf-8") if page.exists() else ""
    tables: dict[str, list[Row]] = {}
    for section in re.split("^## ", text, flags=re.MULTILINE)[1:]:
        name, *_ = re.findall(r"\{doc\}`chapters/([^`]+)`", section)
        tables[name] = list(_rows(section.partition(HEADER)[2]))
    return tables


def _rows(table: str) -> Iterator[Row]:
    for line in table.strip().splitlines():
        cells = re.split(r"(?<!\\)\|", line.strip().strip("|"))
        statement, bound, worst, best = (cell.strip() for cell in cells)
        yield Row(_plain(statement), bound, worst, best)


def _escaped(statement: str) -> str:
    """The statement as Markdown that shows each of its characters."""
    return re.sub(r"([\\`*_{}\[\]<>#|$])", r"\\\1", statement)


def _plain(markdown: str) -> str:
    return re.sub(r"\\([\\`*_{}\[\]<>#|$])", r"\1", markdown)


# ------------------------------------------------------------------------ the command


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return its exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("paths", nargs="*", type=Path)
    parser.add_argument("--jobs", type=int, default=kernel.JOBS)
    options = parser.parse_args(arguments)
    measured, failed = {}, []
    for path, runs in _run_all(sources(options.paths), options.jobs):
        rows = _table(path, runs)
        if rows is None:
            failed.append(path.stem)
        else:
            measured[path.stem] = rows
    # the page is read only now: another run may have written it in these minutes
    before = read(PAGE)
    kept = before if options.paths else {name: before.get(name, []) for name in failed}
    if measured:
        write(PAGE, kept | measured)
    if failed:
        names = ", ".join(failed)
        print(f"in {PAGE.name} left as they were: {names}", file=sys.stderr)
    return 1 if failed else 0


def _run_all(paths: list[Path], jobs: int) -> Iterator[tuple[Path, list[Run]]]:
    """Yield each chapter with its runs, one for each seed, as soon as they are done."""
    wanted = [(path, seed) for path in paths for seed in SEEDS]
    runs = kernel.in_parallel(_measured, wanted, jobs)
    for path in paths:
        yield path, [next(runs) for _ in SEEDS]


def _measured(wanted: tuple[Path, int]) -> Run:
    path, seed = wanted
    print(f"{path.name}, seed {seed} …", flush=True)
    try:
        return measure(path, seed)
    except ClaimsError as error:
        return error


def _table(path: Path, runs: list[Run]) -> list[Row] | None:
    """The chapter's table, or None, and why on the screen, where it does not hold."""
    claimed: list[list[dict]] = []
    try:
        for run in runs:
            if isinstance(run, ClaimsError):
                raise run
            claimed.append(run)
        rows = gather(path.name, claimed)
    except ClaimsError as error:
        print(error, file=sys.stderr, flush=True)
        return None
    broken = {c["statement"] for run in claimed for c in run if not c["held"]}
    print(path.name)
    for row in rows:
        sign = "✗" if row.statement in broken else "✓"
        values = f"worst {row.worst}, best {row.best}"
        print(f"  {sign} {row.statement}: {row.bound}; {values}", flush=True)
    return None if broken else rows


if __name__ == "__main__":
    sys.exit(main())
