"""What is typed, situation by situation, to see which collections come of it.

Plain text, so that the peer's Python can read it too: see ``record_collections.py``.
"""

from __future__ import annotations

#: Collections and their children before the first step; runs have two datasets each.
RUNS = ("in/a", "in/b", "other")
CHAINS = {"defaults": ["in/a", "in/b"], "deep": ["defaults", "other"]}

#: Options of ``run`` for each step of each story; every story begins in a fresh repository.
STORIES: dict[str, list[str]] = {
    "a new chain": [
        "-i in/a -o out --output-run out/1",
        "-o out --output-run out/2",
        "-i in/a -o out --output-run out/3",
    ],
    "inputs that are chains": [
        "-i defaults -o out --output-run out/1",
        "-i in/a,in/b -o out --output-run out/2",
        "-i defaults -o out --output-run out/3",
        "-i deep -o nested --output-run nested/1",
        "-i other,defaults -o both --output-run both/1",
    ],
    "other inputs than before": [
        "-i in/a -o out --output-run out/1",
        "-i in/b -o out --output-run out/2",
        "-i in/b -o out --output-run out/3 --rebase",
        "-o out --output-run out/4",
        "-i in/a,in/b -o out --output-run out/5",
        "-i in/a,in/b -o out --output-run out/6 --rebase",
        "-i in/b -o out --output-run out/7",
    ],
    "a run and no chain": [
        "-i in/a --output-run alone",
        "-i in/a --output-run alone",
        "-i in/a --output-run alone --extend-run",
        "--output-run none",
    ],
    "extending": [
        "-i in/a -o out --output-run out/1",
        "-o out --extend-run",
        "-i in/a -o out --extend-run",
        "-i in/b -o out --extend-run",
        "-o out --output-run out/1 --extend-run",
        "-o absent --extend-run",
        "-i in/a -o absent --extend-run",
    ],
    "replacing": [
        "-i in/a -o out --output-run out/1",
        "-o out --replace-run --output-run out/2",
        "-o out --replace-run --prune-replaced unstore --output-run out/3",
        "-o out --replace-run --prune-replaced purge --output-run out/4",
        "-i in/a -o out --replace-run --output-run out/5",
        "-i in/a -o new --replace-run --output-run new/1",
        "-o out --prune-replaced purge --output-run out/6",
        "-o out --replace-run --extend-run",
        "--output-run out/7 --replace-run -i in/a",
    ],
    "replacing what only inputs are in": [
        "-i in/a -o out --output-run out/1",
        "-o out --replace-run --prune-replaced purge --output-run out/1",
        "-o out --replace-run --output-run out/1",
    ],
    "wrong kinds": [
        "-i in/a -o other --output-run out/1",
        "-i in/a -o out --output-run defaults",
        "-i absent -o out --output-run out/1",
        "-i in/a",
        "-o out",
        "-o defaults --replace-run --output-run out/2",
        "-o deep --extend-run",
    ],
}

#: Tidying after stories: collections made by hand, and what is typed.
TIDYING: dict[str, tuple[dict[str, list[str] | None], list[str]]] = {
    "purge": (
        {"p/1": None, "p/2": None, "p": ["p/2", "p/1", "in/a"]},
        ["purge p"],
    ),
    "purge of a chain in another": ({"p/1": None, "p": ["p/1"], "q": ["p"]}, ["purge p"]),
    "purge of a shared child": ({"p/1": None, "p": ["p/1"], "q": ["p/1"]}, ["purge p"]),
    "purge of no chain": ({}, ["purge in/a", "purge absent"]),
    "purge of a chain in a chain": (
        {"p/1": None, "p/c/1": None, "p/c": ["p/c/1"], "p": ["p/1", "p/c"]},
        ["purge p", "purge --recursive p"],
    ),
    "cleanup": (
        {"p/1": None, "p/2": None, "p/3": None, "p": ["p/2", "in/a"]},
        ["cleanup p"],
    ),
    "cleanup of no chain": ({}, ["cleanup in/a", "cleanup absent"]),
}
