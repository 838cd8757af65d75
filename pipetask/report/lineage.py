"""What a dataset was made from, back to what no task made, and what was made from it."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Self

from butler_core.datasets.collection import CollectionType
from butler_core.datasets.dataset_ref import DatasetRef
from butler_core.repository.repository import Repository
from pipetask.provenance.run_folder import RunFolder
from pipetask.quantum_graph.graph import QuantumGraph

_READS = ("input", "prerequisite")
_WRITES = ("output", "metadata", "log")


@dataclass(frozen=True, slots=True)
class MakingQuantum:
    """A quantum that made datasets of others."""

    run: str
    graph_id: str
    number: int
    task_label: str
    data_id: Mapping[str, Any]


@dataclass
class Lineage:
    """Datasets, and which of them were made from which."""

    #: The dataset that was asked for.
    start: uuid.UUID
    #: All datasets concerned, by id.
    refs: dict[uuid.UUID, DatasetRef] = field(default_factory=dict)
    #: The quantum that made a dataset, by the dataset's id; what no task made is not there.
    makers: dict[uuid.UUID, MakingQuantum] = field(default_factory=dict)
    #: What a dataset was made from, by its id.
    sources: dict[uuid.UUID, tuple[uuid.UUID, ...]] = field(default_factory=dict)
    #: What was made from a dataset, by its id.
    products: dict[uuid.UUID, tuple[uuid.UUID, ...]] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return everything as plain values."""
        return {
            "dataset": str(self.start),
            "datasets": {
                str(id_): {
                    "type": ref.dataset_type.name,
                    "data_id": dict(ref.data_id.required),
                    "run": ref.run,
                    "made_by": _maker_json(self.makers.get(id_)),
                    "made_from": [str(each) for each in self.sources.get(id_, ())],
                    "made_into": [str(each) for each in self.products.get(id_, ())],
                }
                for id_, ref in self.refs.items()
            },
        }


def _maker_json(maker: MakingQuantum | None) -> dict[str, Any] | None:
    if maker is None:
        return None
    return {"task": maker.task_label, "data_id": dict(maker.data_id), "graph": maker.graph_id}


class LineageFinder:
    """Follows datasets through the graphs that runs keep; opens each graph once.

    Parameters
    ----------
    runs
        Names of the runs whose graphs are looked through.
    """

    def __init__(self, repository: Repository, runs: Iterable[str]) -> None:
        self._repository = repository
        self._runs = tuple(runs)
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @cached_property
    def _graphs(self) -> tuple[QuantumGraph, ...]:
        root = self._repository.datastore.root
        folders = [RunFolder.of(root, run) for run in self._runs]
        return tuple(
            self._stack.enter_context(QuantumGraph.open(folder.graph(graph_id)))
            for folder in folders
            for graph_id in folder.graph_ids()
        )

    def find(self, start: uuid.UUID, *, back: bool, forward: bool) -> Lineage:
        """Return the lineage of a dataset, in one direction or in both."""
        lineage = Lineage(start)
        self._note(lineage, [start])
        if back:
            self._follow(lineage, lineage.sources, self._sources)
        if forward:
            self._follow(lineage, lineage.products, self._products)
        self._find_makers(lineage)
        return lineage

    def _note(self, lineage: Lineage, ids: Iterable[uuid.UUID]) -> list[uuid.UUID]:
        """Keep those datasets that exist and are new; return their ids."""
        new = [id_ for id_ in dict.fromkeys(ids) if id_ not in lineage.refs]
        found = self._repository.registry.datasets.find_ids([id_.bytes for id_ in new])
        there = [id_ for id_ in new if id_.bytes in found]
        lineage.refs.update((id_, found[id_.bytes][0]) for id_ in there)
        return there

    def _follow(self, lineage: Lineage, links: dict[uuid.UUID, Any], step: Any) -> None:
        """Follow links level by level, through all graphs at once."""
        level = [lineage.start]
        while level:
            pairs = list(step(level))
            self._note(lineage, (other for _, other in pairs))
            found: dict[uuid.UUID, dict[uuid.UUID, None]] = {}
            for one, other in pairs:
                if other in lineage.refs:
                    found.setdefault(one, {})[other] = None
            links.update((one, tuple(others)) for one, others in found.items())
            level = [x for others in found.values() for x in others if x not in links]
            level = list(dict.fromkeys(level))

    def _sources(self, ids: list[uuid.UUID]) -> Iterator[tuple[uuid.UUID, uuid.UUID]]:
        """Give each dataset with each of those that the quantum which made it has read."""
        return self._linked(ids, _WRITES, _READS)

    def _products(self, ids: list[uuid.UUID]) -> Iterator[tuple[uuid.UUID, uuid.UUID]]:
        """Give each dataset with each of those that a quantum which has read it made."""
        return self._linked(ids, _READS, ("output",))

    def _linked(
        self, ids: list[uuid.UUID], near: tuple[str, ...], far: tuple[str, ...]
    ) -> Iterator[tuple[uuid.UUID, uuid.UUID]]:
        for graph in self._graphs:
            rows = graph.fetch(
                "SELECT a.id, b.id FROM dataset a JOIN edge e USING (dataset) "  # noqa: S608 - numbers
                "JOIN quantum q USING (quantum) JOIN edge f ON f.quantum = e.quantum "
                "JOIN dataset b ON b.dataset = f.dataset WHERE a.id IN (SELECT unnest(?)) "
                f"AND ({graph.connections_that(near, 'e')}) "
                f"AND ({graph.connections_that(far, 'f')})",
                [ids],
            )
            yield from rows

    def _find_makers(self, lineage: Lineage) -> None:
        ids = list(lineage.refs)
        for graph in self._graphs:
            rows = graph.fetch(
                "SELECT d.id, q.quantum FROM dataset d JOIN edge e USING (dataset) "  # noqa: S608 - numbers
                "JOIN quantum q USING (quantum) WHERE d.id IN (SELECT unnest(?)) "
                f"AND ({graph.connections_that(_WRITES, 'e')})",
                [ids],
            )
            quanta = {quantum.number: quantum for quantum in graph.quanta(n for _, n in rows)}
            for id_, number in rows:
                quantum = quanta[number]
                lineage.makers[id_] = MakingQuantum(
                    graph.output_run, graph.id, number, quantum.task_label,
                    dict(quantum.data_id.required),
                )  # fmt: skip


def all_runs(repository: Repository) -> list[str]:
    """Return the names of all RUN collections."""
    every = repository.registry.collections.all()
    return [collection.name for collection in every if collection.type is CollectionType.RUN]
