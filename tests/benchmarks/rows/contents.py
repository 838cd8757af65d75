"""Rows about filling a repository and getting what is in it."""

from __future__ import annotations

from collections.abc import Mapping

from row import Case, Requirement, Row, Step, on_a_server, three, times_peer, within_floor
from scale import Scale

from rows.naming import named, titled

_SIDES = ("ours", "peer")


def rows(scale: Scale, backend: str) -> list[Row]:
    """Return the rows on one backend."""
    found = [
        _ingest(scale, backend, "direct"),
        _ingest(scale, backend, "copy"),
        _records(scale, backend, "exposures", scale.n_exposures, 4.0),
        _records(scale, backend, "visits", scale.n_visits, 1.5),
        _get(scale, backend),
        _put(scale, backend),
        _put_together(scale, backend),
    ]
    if backend == "sqlite":
        found.append(_array(scale))
    return [*found, _large(scale, backend)]


def _ingest(scale: Scale, backend: str, mode: str) -> Row:
    files = {"files": Step("floor", "files.make", {"n_files": scale.n_files})}
    given = {"n_files": scale.n_files}
    cases = three(
        dict.fromkeys(_SIDES, "ingest.ingest"),
        {**given, "mode": mode},
        dict.fromkeys(_SIDES, files),
    )
    if mode == "copy":
        one_sync = {**given, "chunk": scale.n_files}
        cases += (Case("floor", Step("floor", "files.copy", one_sync, files)),)
    return Row(
        named(f"ingest-{mode}", backend),
        "ingest",
        titled(f"Ingest of existing files, {mode}", backend),
        cases,
        (times_peer(5),) if mode == "direct" else (within_floor(1.5),),
        shows=("per_second", "seconds"),
        same=("n_datasets",),
        backend=backend,
    )


def _records(scale: Scale, backend: str, what: str, count: int, factor: float) -> Row:
    titles = {"exposures": "exposures", "visits": "visits with regions and their overlaps"}
    return Row(
        named(f"records-{what}", backend),
        "records",
        titled(f"Dimension records in bulk: {titles[what]}", backend),
        three(dict.fromkeys(_SIDES, f"records.{what}"), {"count": count}),
        (times_peer(factor),),
        shows=("per_second", "seconds"),
        same=("n_records",),
        backend=backend,
    )


def _get(scale: Scale, backend: str) -> Row:
    stored = {
        side: {"stored": Step(side, "objects.stored", {"n_puts": 2 * scale.n_objects})}
        for side in _SIDES
    }
    requirements = (times_peer(6),)
    if backend == "postgresql":
        requirements += on_a_server()
    return Row(
        named("get", backend),
        "get",
        titled("Get of a small dict, by data ID", backend),
        three(dict.fromkeys(_SIDES, "objects.get"), {"n_gets": scale.n_objects}, stored),
        requirements,
        shows=("ms_each", "n_statements", "n_trips", "round_trips"),
        backend=backend,
    )


def _put(scale: Scale, backend: str) -> Row:
    given = {"n_puts": scale.n_objects}
    return Row(
        named("put", backend),
        "put",
        titled("Put of a small dict; ours is on the disk when it returns", backend),
        (
            *_puts(scale, dict.fromkeys(_SIDES, "put")),
            Case("floor", Step("floor", "files.put", given)),
        ),
        (times_peer(3), within_floor(1.5), _is_flat()),
        shows=("ms_each",),
        same=("n_datasets",),
        backend=backend,
    )


def _put_together(scale: Scale, backend: str) -> Row:
    return Row(
        named("put-together", backend),
        "put",
        titled(
            f"Put of {scale.n_objects:,} small dicts in one transaction; the peer's one by one, "
            "not synced",
            backend,
        ),
        _puts(scale, {"ours": "put_together", "peer": "put"}),
        (times_peer(15), _is_flat()),
        shows=("ms_each",),
        same=("n_datasets",),
        backend=backend,
    )


def _puts(scale: Scale, workloads: Mapping[str, str]) -> tuple[Case, ...]:
    """Return a case for each side in an empty repository, and in one of many datasets."""
    sizes = {"": 0, ", filled": scale.n_filling}
    return tuple(
        Case(
            side + suffix,
            Step(
                side,
                f"objects.{workloads[side]}",
                {"n_puts": scale.n_objects},
                {
                    "repository": Step(
                        side,
                        "repositories.filled",
                        {"n_datasets": n_datasets, "n_more": scale.n_objects},
                    )
                },
            ),
        )
        for suffix, n_datasets in sizes.items()
        for side in _SIDES
    )


def _is_flat() -> Requirement:
    return Requirement(
        "ours, filled.seconds / ours.seconds", "times that of an empty repository", at_most=1.25
    )


def _array(scale: Scale) -> Row:
    size = {"size_mb": scale.array_mb}
    return Row(
        "array",
        "get",
        f"Get of a {scale.array_mb} MB numpy array; the floor is `numpy.load`",
        three(
            dict.fromkeys(_SIDES, "objects.get_array") | {"floor": "files.get_array"},
            {**size, "repeats": 9},
            {side: {"array": Step(side, "objects.stored_array", size)} for side in _SIDES},
        ),
        (within_floor(1.2),),
        shows=("ms_each",),
        same=("checksum",),
    )


def _large(scale: Scale, backend: str) -> Row:
    size = {"n_datasets": scale.n_large}
    large = {"large": Step("ours", "large.fill", size)}
    calls = {**size, "n_calls": scale.n_large_calls}
    more = {"n_files": scale.n_files}
    return Row(
        named("large", backend),
        "large",
        titled(f"A repository of {scale.n_large:,} datasets: look-up by data ID; ingest", backend),
        (
            Case("look-up", Step("ours", "large.find", calls, large), ("ms_each",)),
            Case("ingest", Step("ours", "large.ingest_more", more, large)),
        ),
        (
            Requirement("look-up.ms_each", "ms a look-up", at_most=2),
            Requirement("ingest.per_second", "files a second", at_least=20_000),
        ),
        shows=("per_second",),
        backend=backend,
    )
