"""A repository with raws that are files, and runs of little pipelines over them."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from butler_core import Butler, DatasetType
from pipetask import Pipeline
from pipetask.execution import RunOptions, RunSummary, run_graph
from pipetask.execution.prepare import prepare_run, register_dataset_types
from pipetask.pipeline_graph import ResolvedPipelineGraph, build_pipeline_graph, resolve
from pipetask.quantum_graph import BuildRequest, QuantumGraph, build_quantum_graph

sys.path.insert(0, str(Path(__file__).parents[1] / "importable"))

#: Ten times the exposure plus the detector, of every raw there is.
NUMBERS = [10, 11, 20, 21, 30, 31]


@dataclass
class Runs:
    """Builds and runs pipelines in one repository."""

    butler: Butler
    folder: Path

    def pipeline(self, **tasks: tuple[str, dict[str, Any]] | str) -> Pipeline:
        """Return a pipeline: label to class name, or to that and a configuration."""
        pipeline = Pipeline("little")
        for label, given in tasks.items():
            name, config = (given, {}) if isinstance(given, str) else given
            pipeline = pipeline.add_task(label, f"graph_tasks.{name}")
            for field, value in config.items():
                pipeline = pipeline.add_override(label, field, value)
        return pipeline

    def resolved(self, pipeline: Pipeline) -> ResolvedPipelineGraph:
        registry = self.butler.repository.registry

        def find(name: str) -> Any:
            found = registry.dataset_types.find(name)
            return None if found is None else found.dataset_type

        graph = build_pipeline_graph(pipeline)
        register_dataset_types(self.butler.repository, resolve(graph, registry.universe, find))
        return resolve(graph, registry.universe, find)

    def build(
        self, pipeline: Pipeline, run: str, **request: Any
    ) -> tuple[QuantumGraph, ResolvedPipelineGraph]:
        resolved = self.resolved(pipeline)
        asked = {"input_collections": ("raw/all",), **request}
        graph, _ = build_quantum_graph(
            BuildRequest(self.butler.repository, resolved, output_run=run, **asked),
            self.folder / f"{run.replace('/', '_')}.qg",
        )
        return graph, resolved

    def __call__(
        self,
        pipeline: Pipeline,
        run: str = "u/1",
        *,
        request: dict[str, Any] | None = None,
        **options: Any,
    ) -> RunSummary:
        graph, resolved = self.build(pipeline, run, **(request or {}))
        with graph:
            setup = prepare_run(self.butler.repository, graph, resolved)
            return run_graph(self.butler.repository, graph, setup, RunOptions(**options))

    def numbers(self, name: str, run: str = "u/1") -> dict[int, Any]:
        """Return the datasets of a type by ten times the exposure plus the detector."""
        found = self.butler.query_datasets(name, collections=run)
        return {
            10 * ref.data_id["exposure"] + dict(ref.data_id).get("detector", 0): self.butler.get(
                ref
            )
            for ref in found
        }

    def files(self, run: str) -> dict[str, bytes]:
        """Return the content of a run's files by path below the run; archives of notes aside."""
        root = self.butler.repository.root / run
        return {
            str(path.relative_to(root)): path.read_bytes()
            for path in root.rglob("*")
            if path.is_file() and path.suffix != ".zip" and path.parent.name != "graphs"
        }


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[Runs]:
    from graph_world import insert_records, make_world

    with Butler.create(tmp_path / "repo") as butler:
        insert_records(butler, make_world(5, n_detectors=2, n_exposures=3))
        butler.register_dataset_type(
            DatasetType.of(
                "raw", ("exposure", "detector"), "StructuredDataDict", universe=butler.dimensions
            )
        )
        with butler.transaction():
            for number in NUMBERS:
                exposure, detector = divmod(number, 10)
                butler.put(
                    {"number": number}, "raw", instrument="Cam", exposure=exposure,
                    detector=detector, run="raw/all",
                )  # fmt: skip
        level = logging.getLogger("pipetask").level
        logging.getLogger("pipetask").setLevel(logging.INFO)
        yield Runs(butler, tmp_path)
        logging.getLogger("pipetask").setLevel(level)


@pytest.fixture
def outcomes() -> Callable[[RunSummary], dict[str, dict[str, int]]]:
    """Return a function that gives the counts of a summary as plain values."""

    def plain(summary: RunSummary) -> dict[str, dict[str, int]]:
        return {
            label: {outcome.value: n for outcome, n in counts.items() if n}
            for label, counts in summary.counts.items()
        }

    return plain


@pytest.fixture
def require_same_results(
    runs: Runs, outcomes: Callable[[RunSummary], dict[str, dict[str, int]]]
) -> Callable[..., None]:
    """Return a function that runs one graph in several ways, and requires the same of all.

    Its parameters are options by name of a run.
    """

    def require(**ways: dict[str, Any]) -> None:
        pipeline = runs.pipeline(
            isr=("IsrTask", {"idle": [31], "empty": [10]}), split=("SplitTask", {"failing": [20]}),
            gather="GatherTask", notes="NotesTask",
        )  # fmt: skip
        counts = [outcomes(runs(pipeline, f"u/{name}", **way)) for name, way in ways.items()]
        files = [
            {
                path.replace(name, "RUN"): content
                for path, content in runs.files(f"u/{name}").items()
                if "isr_metadata" not in path and "isr_log" not in path and "packages" not in path
            }
            for name in ways
        ]

        assert all(other == counts[0] for other in counts)
        assert counts[0]["split"] == {"succeeded": 3, "failed": 1, "no-work": 2}
        assert all(other == files[0] for other in files)
        assert len(files[0]) > 10
        for name in ways:
            assert runs.numbers("summary", f"u/{name}")[20] == {"numbers": [20, 21], "n_logs": 2}
            assert set(runs.numbers("split_log", f"u/{name}")) == set(NUMBERS)

    return require
