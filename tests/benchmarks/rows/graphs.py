"""Rows about quantum graphs."""

from __future__ import annotations

from row import Case, Requirement, Row, Step, at_most, three, times_peer
from scale import Scale

_SAME = ("n_quanta", "n_edges")
_LOOKS = ("header", "quantum")


def rows(scale: Scale) -> list[Row]:
    """Return the rows."""
    return [
        *(_built(scale, name, n) for name, n in _sizes(scale).items()),
        _million(scale),
        _dense(scale),
        _reading(scale),
    ]


def _sizes(scale: Scale) -> dict[str, int]:
    return {"isr": scale.n_isr, "visit": scale.n_visit, "full": scale.n_full}


_PIPELINES = {
    "isr": "one task",
    "visit": "isr, calibration and visit summary",
    "full": "the same, warps and coadds",
}


def _survey(side: str, n_exposures: int) -> Step:
    return Step(side, "repositories.survey", {"n_exposures": n_exposures})


def _built(scale: Scale, pipeline: str, n_exposures: int) -> Row:
    sides = ("ours", "peer")
    return Row(
        f"graph-{pipeline}",
        "graph",
        f"`pipetask qgraph`, start-up included: {_PIPELINES[pipeline]}",
        three(
            dict.fromkeys(sides, "graphs.by_command"),
            {"pipeline": pipeline, "n_exposures": n_exposures},
            {side: {"repository": _survey(side, scale.n_survey)} for side in sides},
        ),
        (times_peer(20), at_most("rss_mb", 400)),
        shows=("seconds", "rss_mb", "n_quanta", "n_edges"),
        same=_SAME,
    )


def _million(scale: Scale) -> Row:
    survey = {"repository": _survey("ours", scale.n_million)}

    def build(name: str, n_exposures: int) -> Case:
        given = {"pipeline": "visit", "n_exposures": n_exposures}
        return Case(name, Step("ours", "graphs.by_command", given, survey))

    limited = {
        "pipeline": "visit",
        "n_exposures": scale.n_million,
        "memory_limit_mb": scale.memory_limit_mb,
    }
    tables = Step("floor", "joins.tables", {"n_exposures": scale.n_million})
    return Row(
        "million",
        "million",
        "A graph of a million quanta and five million edges (isr, calibration, visit summary)",
        (
            build("ours", scale.n_million),
            build("a tenth", scale.n_tenth),
            Case("limited", Step("ours", "graphs.within", limited, survey)),
            Case("floor", Step("floor", "joins.quanta_and_edges", {}, {"tables": tables})),
        ),
        (
            at_most("seconds", 15),
            at_most("rss_mb", 1000),
            Requirement(
                "ours.seconds / a tenth.seconds", "times the time of a tenth of it", at_most=11
            ),
            Requirement(
                "limited.rss_mb", f"MB with a limit of {scale.memory_limit_mb} MB", at_most=600
            ),
        ),
        shows=("seconds", "rss_mb", "n_quanta", "n_edges"),
        same=_SAME,
    )


def _dense(scale: Scale) -> Row:
    sizes = {"ours": scale.n_dense, "peer": scale.n_dense_peer}
    return Row(
        "dense",
        "dense",
        "A dense gather: each of N quanta reads what each of N others writes",
        tuple(
            Case(
                side,
                Step(
                    side,
                    "graphs.dense",
                    {"size": size},
                    {"repository": Step(side, "repositories.square", {"size": size})},
                ),
            )
            for side, size in sizes.items()
        ),
        (at_most("seconds", 20), at_most("rss_mb", 1500)),
        shows=("seconds", "rss_mb", "size"),
    )


def _reading(scale: Scale) -> Row:
    """Return the row on first looks at a graph; the peer's is as thin as it can be."""
    looks = {"repeats": scale.n_looks}
    peer_graph = Step(
        "peer",
        "graphs.kept",
        {"pipeline": "visit", "n_exposures": scale.n_visit},
        {"repository": _survey("peer", scale.n_survey)},
    )
    return Row(
        "reading",
        "reading",
        "First looks at a graph in a warm process: open it and read its header; open it and read "
        "one quantum",
        (
            *(
                Case(name, Step("ours", "graph_reading.first_looks", looks, {"graph": step}))
                for name, step in _graphs_to_read(scale).items()
            ),
            Case("peer", Step("peer", "graphs.thin_load", {"repeats": 3}, {"graph": peer_graph})),
        ),
        (
            *(at_most(f"{look}_ms", 50, case) for case in ("ours", "links") for look in _LOOKS),
            *(_is_flat(look) for look in _LOOKS),
        ),
        shows=("header_ms", "quantum_ms", "n_quanta"),
    )


def _graphs_to_read(scale: Scale) -> dict[str, Step]:
    """Return our graphs by case: of three sizes, and of a pipeline of many tasks."""
    survey = {"repository": _survey("ours", scale.n_million)}
    sizes = {"ours": scale.n_million, "a tenth": scale.n_tenth, "a hundredth": scale.n_hundredth}
    graphs = {
        name: Step("ours", "graphs.kept", {"pipeline": "visit", "n_exposures": n}, survey)
        for name, n in sizes.items()
    }
    start = Step("ours", "repositories.links", {"n_exposures": 1, "n_detectors": 100})
    n_tasks = {"n_tasks": scale.n_link_tasks}
    graphs["links"] = Step("ours", "graphs.kept_links", n_tasks, {"repository": start})
    return graphs


def _is_flat(look: str) -> Requirement:
    return Requirement(
        f"ours.{look}_ms / a hundredth.{look}_ms",
        f"times the {look} of a hundredth of it",
        at_most=1.5,
    )
