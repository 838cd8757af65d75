"""Rows about running quanta."""

from __future__ import annotations

from row import Case, Requirement, Row, Step, at_most
from scale import Scale

_SHOWS = ("ms_each", "start_s", "rss_mb")


def rows(scale: Scale) -> list[Row]:
    """Return the rows."""
    return [_trivial(scale), _gather(scale)]


def _gather(scale: Scale) -> Row:
    made = {"n_exposures": scale.n_gathered, "n_detectors": scale.n_gathers}
    given = {"n_exposures": scale.n_gathered, "n_workers": 2}
    need = {"repository": Step("ours", "repositories.survey", made)}
    return Row(
        "run-gather",
        "run",
        f"{scale.n_gathered * scale.n_gathers:,} quanta, each read by one of {scale.n_gathers} that"
        f" gather {scale.n_gathered:,}; two workers",
        (Case("ours", Step("ours", "runs.gathered", given, need)),),
        (at_most("schedule_us", 60), at_most("rss_mb", 600)),
        shows=("ms_each", "schedule_us", "rss_mb", "n_quanta"),
    )


def _trivial(scale: Scale) -> Row:
    def survey(side: str) -> dict[str, Step]:
        return {
            "repository": Step(side, "repositories.survey", {"n_exposures": scale.n_survey}),
        }

    ours = {"few": scale.n_few_run, "many": scale.n_many_run}
    peer = {"few": 1, "many": scale.n_peer_run}
    n_files = 64 * (scale.n_many_run * 189 // 128)

    def own(name: str, workload: str, **more: object) -> Case:
        return Case(name, Step("ours", f"runs.{workload}", {**ours, **more}, survey("ours")))

    def bare(name: str, n_workers: int) -> Case:
        given = {"n_files": n_files, "n_workers": n_workers}
        return Case(name, Step("floor", "runs.write", given), shows=("ms_each",))

    return Row(
        "run-trivial",
        "run",
        "Trivial quanta (a small dict in, one out, metadata and log kept): what one more costs",
        (
            own("ours", "by_command"),
            own("two workers", "by_command", n_workers=2),
            own("threads", "by_command", n_workers=2, engine="threads"),
            own("Dask", "by_command", n_workers=2, engine="dask"),
            own("run-qbb", "quantum_backed"),
            Case("peer", Step("peer", "runs.by_command", peer, survey("peer"))),
            Case("peer, run-qbb", Step("peer", "runs.quantum_backed", peer, survey("peer"))),
            bare("floor", 1),
            bare("floor, two workers", 2),
        ),
        (
            Requirement(
                "peer, run-qbb.ms_each / ours.ms_each", "times the peer's run-qbb", at_least=20
            ),
            at_most("ms_each", 2),
            at_most("start_s", 1.5),
            Requirement(
                "two workers.ms_each / ours.ms_each", "times one worker's time", at_most=0.65
            ),
            at_most("ms_each", 3, "Dask"),
        ),
        shows=_SHOWS,
    )
