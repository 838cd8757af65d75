"""How large each workload is: in full, or just large enough to try the suite."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Scale:
    """Sizes of all workloads; the defaults are those that requirements are about."""

    name: str = "full"
    #: Exposures of the survey whose graphs both programs build.
    n_survey: int = 270
    #: Exposures that give 50,000 quanta, by pipeline.
    n_isr: int = 265
    n_visit: int = 132
    n_full: int = 69
    #: Exposures that give 1,000,000, 100,000 and 10,000 quanta of the pipeline ``visit``.
    n_million: int = 2642
    n_tenth: int = 264
    n_hundredth: int = 27
    memory_limit_mb: int = 300
    #: Quanta on either side of the dense gather, ours and the peer's.
    n_dense: int = 3000
    n_dense_peer: int = 300
    n_link_tasks: int = 100
    n_looks: int = 20
    n_files: int = 50_000
    n_exposures: int = 100_000
    n_visits: int = 10_000
    n_refs: int = 100_000
    n_calls: int = 500
    n_objects: int = 1000
    n_filling: int = 100_000
    array_mb: int = 50
    #: Exposures whose quanta are run: few, many, and the peer's many.
    n_few_run: int = 5
    n_many_run: int = 53
    n_peer_run: int = 3
    #: Exposures whose images are gathered, and detectors of each.
    n_gathered: int = 1000
    n_gathers: int = 100
    n_large: int = 10_000_000
    n_large_calls: int = 200


FULL = Scale()
QUICK = Scale(
    "quick",
    n_survey=5,
    n_isr=5,
    n_visit=3,
    n_full=2,
    n_million=20,
    n_tenth=2,
    n_hundredth=1,
    n_dense=100,
    n_dense_peer=30,
    n_link_tasks=20,
    n_files=2000,
    n_exposures=2000,
    n_visits=500,
    n_refs=2000,
    n_calls=100,
    n_objects=100,
    n_filling=2000,
    n_few_run=1,
    n_many_run=4,
    n_peer_run=2,
    n_gathered=20,
    n_gathers=10,
    n_large=200_000,
)
SCALES = {scale.name: scale for scale in (FULL, QUICK)}
