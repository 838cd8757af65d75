"""Which of the quanta that are ready start first."""

from __future__ import annotations

from typing import Any

import pytest

from pipetask.execution.run_options import CRITICAL_PATH
from pipetask.execution.watching import NobodyWatching
from pipetask.provenance.durations import mean_durations
from pipetask.provenance.known_graph import known_graphs


class Starts(NobodyWatching):
    """Keeps the labels of what started."""

    def __init__(self) -> None:
        self.labels: list[str] = []

    def started(self, label: str, number: int) -> None:
        self.labels += [label] * number


@pytest.mark.parametrize(("isr_s", "warn_s"), [(1.0, 5.0), (5.0, 1.0)])
def test_what_took_long_before_goes_first(runs: Any, isr_s: float, warn_s: float) -> None:
    starts = Starts()
    pipeline = runs.pipeline(isr="IsrTask", warn="WarnTask").add_override(
        "warn", "connections.frame", "warned"
    )

    runs(pipeline, order=CRITICAL_PATH, durations_s={"isr": isr_s, "warn": warn_s}, watcher=starts)

    first, second = ("isr", "warn") if isr_s > warn_s else ("warn", "isr")
    assert starts.labels == [first] * 6 + [second] * 6


def test_durations_are_means_of_what_succeeded_in_all_runs_that_are_known(runs: Any) -> None:
    root = runs.butler.repository.datastore.root
    slow = runs.pipeline(isr=("IsrTask", {"sleep_s": 0.02, "failing": [10, 11]}))
    runs(slow, "u/slow")
    runs(runs.pipeline(isr=("IsrTask", {"sleep_s": 0.1})), "u/slower")
    runs(runs.pipeline(split="SplitTask"), "u/none", request={"input_collections": ("u/slower",)})

    found = mean_durations(known_graphs(root, ["u/slow", "u/slower", "u/none", "u/absent"]))

    assert set(found) == {"isr", "split"}
    assert (4 * 0.02 + 6 * 0.1) / 10 <= found["isr"] < 0.1
    assert mean_durations(known_graphs(root, ["u/absent"])) == {}
