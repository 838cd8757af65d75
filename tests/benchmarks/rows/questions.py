"""Rows about asking for datasets."""

from __future__ import annotations

from row import Case, Row, Step, at_most, on_a_server, three, times_peer, within_floor
from scale import Scale

from rows.naming import named, titled

_SIDES = ("ours", "peer")


def rows(scale: Scale, backend: str) -> list[Row]:
    """Return the rows on one backend."""
    return [
        _columns(scale, backend),
        _objects(scale, backend),
        _first(scale, backend),
        *_single(scale, backend),
        _collections(backend),
        _datasets(scale, backend),
    ]


def _chain(scale: Scale, side: str) -> dict[str, Step]:
    return {"chain": Step(side, "repositories.chain", {"n_refs": scale.n_refs})}


def _chains(scale: Scale) -> dict[str, dict[str, Step]]:
    return {side: _chain(scale, side) for side in _SIDES}


def _columns(scale: Scale, backend: str) -> Row:
    given = {"n_refs": scale.n_refs}
    return Row(
        named("query-columns", backend),
        "query",
        titled(
            f"{scale.n_refs:,} datasets of a chain of ten runs, the first of each data ID, as "
            "columns; the floor is the best SQL statement",
            backend,
        ),
        (
            Case("ours", Step("ours", "queries.columns", given, _chain(scale, "ours"))),
            Case("peer", Step("peer", "queries.objects", given, _chain(scale, "peer"))),
            Case("floor", Step("floor", "statements.find_first", given, _chain(scale, "ours"))),
        ),
        (times_peer(6), within_floor(1.5)),
        same=("runs",),
        backend=backend,
    )


def _objects(scale: Scale, backend: str) -> Row:
    return Row(
        named("query-objects", backend),
        "query",
        titled("The same as references", backend),
        three(dict.fromkeys(_SIDES, "queries.objects"), {"n_refs": scale.n_refs}, _chains(scale)),
        (times_peer(3),),
        same=("runs",),
        backend=backend,
    )


def _first(scale: Scale, backend: str) -> Row:
    return Row(
        named("query-first", backend),
        "query",
        titled("The first reference of the same", backend),
        three(dict.fromkeys(_SIDES, "queries.first_row"), {}, _chains(scale)),
        (at_most("ms_each", 30),),
        shows=("ms_each",),
        backend=backend,
    )


def _single(scale: Scale, backend: str) -> list[Row]:
    """Return the rows on one data ID at a time."""
    titles = {
        "find": "`find_dataset` in the same chain, another data ID each time",
        "by_data_id": "`query_datasets` for one data ID, given as a mapping",
        "by_where": "`query_datasets` for one data ID, given as an expression",
    }
    requirements = (times_peer(8),)
    if backend == "postgresql":
        requirements += on_a_server()
    return [
        Row(
            named(workload.replace("_", "-"), backend),
            "look-up",
            titled(title, backend),
            three(
                dict.fromkeys(_SIDES, f"queries.{workload}"),
                {"n_refs": scale.n_refs, "n_calls": scale.n_calls},
                _chains(scale),
            ),
            requirements,
            shows=("ms_each", "n_statements", "n_trips", "round_trips"),
            same=("runs",),
            backend=backend,
        )
        for workload, title in titles.items()
    ]


def _collections(backend: str) -> Row:
    return Row(
        named("command-collections", backend),
        "command",
        titled("`butler query-collections` of an empty repository; the floor is Python's start",
               backend),
        three(
            dict.fromkeys(_SIDES, "commands.query_collections") | {"floor": "programs.start"},
            {},
            {side: {"empty": Step(side, "repositories.empty")} for side in _SIDES},
        ),
        (times_peer(2.2),),
        backend=backend,
    )  # fmt: skip


def _datasets(scale: Scale, backend: str) -> Row:
    return Row(
        named("command-datasets", backend),
        "command",
        titled("`butler query-datasets` of all datasets in that chain", backend),
        three(dict.fromkeys(_SIDES, "commands.query_datasets"), {}, _chains(scale)),
        (times_peer(4), at_most("rss_mb", 200)),
        shows=("seconds", "rss_mb", "n_rows"),
        same=("n_rows",),
        backend=backend,
    )
