"""Writes the page about performance from the results kept as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

_TOP = """\
# Performance

This page is written by `make bench` from what it measures; the suite is `tests/benchmarks/`.
"""

_HOW = """\
## How it is measured

- Both programs get the same simulated survey: one camera of 189 detectors, exposures with groups
  and days, visits and their detectors with regions, a sky map of 16 tracts with 64 patches each.
  Where both answer, their answers must be the same (numbers of quanta, edges, rows, and which run
  each dataset came from), or there is no figure.
- The *peer* is Rubin's middleware from PyPI in an environment of its own. Where a repository is
  prepared before anything is timed, the peer's is analysed (`ANALYZE`), which helps its query
  planner and which it does not do by itself; ours is taken as it is. Ingest and dimension records
  go to a new repository each time, on both sides as it is.
- The same work can be of different sizes where a table cell says so: the peer's dense gather and
  the graph that it opens are smaller than ours. Puts of a dataset leave it in the repository, so
  an empty one holds some thousands after the last repetition.
- The *floor* is the least that the work can take: the bare system calls, the best SQL statement
  through the bare driver, the bare joins, or the library call alone.
- Every measurement is made in a new process. The sides take turns, three times; medians are
  shown, and the processor's changes of speed meet all sides alike. Ratios are therefore more
  trustworthy than seconds.
- Command lines are timed from their start to their end. For library calls the clock starts with
  the call, with its arguments as Python objects: paths and data IDs, mappings with regions and
  timespans. Turning these into what a program works on is part of the time.
- Files and rows that we write are on the disk when a call returns (`fsync`, `synchronous=FULL`);
  the peer does not wait for its files. In the row on one transaction ours are made in one; the
  peer's are made one by one, which is what the requirement compares with.
- Nothing is removed before the last row is done, and each repository lies in a part of the disk of
  its own (`chattr +T`): ext4 without a journal passes over inodes freed in the last minutes, so
  what one side removes would slow the other's new files.
- What one more quantum costs is the difference between a run of many and one of few, divided by
  that of their numbers; what is left is the start. Ours keeps metadata and log of each quantum and
  syncs its files. The peer's `run -j 2` starts a process for each quantum, which takes more than a
  second; it is not compared.
- Memory is the peak resident memory of the process that does the work.

`make bench ROWS="graph put"` measures some rows anew and keeps the others' last results; the raw
numbers are in `build/benchmarks/`.
"""

_UNITS = {
    "seconds": "{:,.3g} s",
    "rss_mb": "{:,.0f} MB",
    "ms_each": "{:,.3g} ms",
    "start_s": "start {:,.3g} s",
    "header_ms": "header {:,.3g} ms",
    "quantum_ms": "quantum {:,.3g} ms",
    "schedule_us": "schedule {:,.3g} us",
    "per_second": "{:,.0f}/s",
    "n_quanta": "{:,.0f} quanta",
    "n_edges": "{:,.0f} edges",
    "n_rows": "{:,.0f} rows",
    "n_statements": "{:,.0f} statements",
    "n_trips": "waits {:,.0f} times",
    "round_trips": "{:,.3g} times `SELECT 1`",
    "size": "N = {:,.0f}",
}
_REQUIRED = {
    "rss_mb": "{} MB",
    "seconds": "{} s",
    "ms_each": "{} ms",
    "start_s": "start {} s",
    "header_ms": "{} ms to the header",
    "schedule_us": "{} us of scheduling",
    "quantum_ms": "{} ms to a quantum",
    "n_trips": "{} waits for the server",
    "round_trips": "{} times `SELECT 1`",
}
_SIDES = ("ours", "peer", "floor")


def page(rows: Iterable[Mapping[str, Any]], machine: Mapping[str, str]) -> str:
    """Return the page as Markdown."""
    rows = list(rows)
    return "\n".join([_TOP, _machine_text(machine), _table(rows), "", _summary(rows), "", _HOW])


def _machine_text(machine: Mapping[str, str]) -> str:
    listed = "; ".join(f"{name} {value}" for name, value in machine.items())
    return f"Measured on: {listed}.\n"


def _table(rows: Iterable[Mapping[str, Any]]) -> str:
    lines = [
        "| what | ours | peer | floor | found, and required |",
        "|---|---|---|---|---|",
        *(line(row) for row in rows),
    ]
    return "\n".join(lines)


def line(row: Mapping[str, Any]) -> str:
    """Return a row of the table."""
    cells = [row["title"], *(_cell(row, side) for side in _SIDES)]
    cells.append("<br>".join(requirement_text(one) for one in row["requirements"]))
    return f"| {' | '.join(cells)} |"


def _cell(row: Mapping[str, Any], side: str) -> str:
    return "<br>".join(case_text(case) for case in row["cases"] if case["side"] == side)


def case_text(case: Mapping[str, Any]) -> str:
    """Say what a case took, beginning with its name if that is more than its side."""
    shown = [
        _UNITS[field].format(case["medians"][field])
        for field in case["shows"]
        if field in case["medians"]
    ]
    name = case["name"].removeprefix(case["side"]).removeprefix(", ")
    return (f"{name}: " if name else "") + ", ".join(shown)


def requirement_text(requirement: Mapping[str, Any]) -> str:
    """Say what was found and what is required."""
    template = _REQUIRED.get(requirement["text"], f"{{}} {requirement['text']}")
    least, most = requirement["at_least"], requirement["at_most"]
    limit = f"at least {least:,g}" if least is not None else f"at most {most:,g}"
    text = f"{template.format(_number(requirement['found']))} ({limit})"
    return text if requirement["is_met"] else f"**{text}: not met**"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def _summary(rows: Iterable[Mapping[str, Any]]) -> str:
    met = [one["is_met"] for row in rows for one in row["requirements"]]
    return f"{sum(met)} of {len(met)} requirements are met."
