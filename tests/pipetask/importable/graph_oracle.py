"""What a quantum graph is, by its definition: nested loops over plain rows.

A pipeline falls into parts that have nothing but inputs from outside in common. Of each part, rows
of values are the natural join of everything; quanta, datasets and edges are its projections; then,
task by task, quanta with too few inputs go. Prerequisites are looked for one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from graph_specs import Connection, Task
from graph_world import Row, World

#: A data ID: its dimensions' names and values, sorted.
Key = tuple[tuple[str, Any], ...]
#: Label, data ID, connection, data ID and run of the dataset (None for what will be made).
Edge = tuple[str, Key, str, Key, str | None]


@dataclass
class Answer:
    """The quanta and edges that a graph must have."""

    quanta: set[tuple[str, Key]] = field(default_factory=set)
    edges: set[Edge] = field(default_factory=set)


def key_of(row: Mapping[str, Any], names: Iterable[str]) -> Key:
    return tuple(sorted((name, row[name]) for name in names))


class Oracle:
    """Answers for one world, one pipeline and one list of collections (chains taken apart)."""

    def __init__(
        self,
        world: World,
        universe: Any,
        tasks: Sequence[Task],
        collections: Sequence[str],
        *,
        holds: Callable[..., bool] = lambda row, of: True,
        data_id: Mapping[str, Any] | None = None,
        looks_at: Iterable[str] = (),
    ) -> None:
        self.looks_at = frozenset(looks_at)
        self.world, self.universe, self.tasks = world, universe, tasks
        self.collections, self.holds, self.data_id = list(collections), holds, dict(data_id or {})
        self.written = {c.name for task in tasks for c in task.outputs.values()}

    # ---------------------------------------------------------------- datasets
    def existing(self, name: str) -> dict[Key, str]:
        """Return the first run that has each data ID of a type."""
        found: dict[Key, str] = {}
        for run in self.collections:
            for one in self.world.datasets:
                if one.name == name and one.run == run:
                    for data_id in one.data_ids:
                        found.setdefault(key_of(data_id, one.dimensions), run)
        return found

    def overall(self) -> dict[str, tuple[Connection, bool]]:
        """Return the overall inputs, and whether every reader needs each."""
        found: dict[str, tuple[Connection, bool]] = {}
        for task in self.tasks:
            for c in task.inputs.values():
                if c.name not in self.written:
                    needed = found.get(c.name, (c, True))[1] and c.minimum > 0
                    found[c.name] = (c, needed)
        return found

    # -------------------------------------------------------------------- rows
    def group(self) -> Any:
        names = {*self.data_id, *self.looks_at}
        for task in self.tasks:
            names |= set(task.dimensions)
            for c in (*task.inputs.values(), *task.outputs.values()):
                names |= set(c.dimensions)
        return self.universe.conform(names)

    def rows(self) -> list[Row]:
        group = self.group()
        constraining = [c for c, needed in self.overall().values() if needed]
        relations: list[list[Row]] = [
            [dict(key) for key in self.existing(c.name)] for c in constraining
        ]
        relations += [
            [_as_row(element, record) for record in self.world.rows(element.name)]
            for element in group.elements
            if (element.is_dimension and element.has_table and element.view_of is None)
            or element.always_join
        ]
        relations += [
            [{name: value} for value in {r[name] for r in self.world.rows("physical_filter")}]
            for name in group.required
            if name == "band"
        ]
        rows: list[Row] = [{}]
        for relation in relations:
            rows = _joined(rows, relation)
        for one, other in _spatial_pairs(group, constraining, self.universe):
            rows = [row for row in rows if self._overlap(one, other, row)]
        kept = [row for row in rows if all(row[n] == v for n, v in self.data_id.items())]
        return [
            row
            for row in kept
            if self.holds(row, lambda element, row=row: self.record(element, row))
        ]

    def record(self, element: str, row: Mapping[str, Any]) -> Row:
        """Return the record of an element that a row names."""
        found = self.universe[element]
        for record in self.world.rows(element):
            named = _as_row(found, record)
            if all(named[n] == row[n] for n in found.required):
                return record
        raise LookupError(f"no {element} for {row}")

    def _overlap(self, one: Any, other: Any, row: Row) -> bool:
        try:
            regions = [self.record(element.name, row)["region"] for element in (one, other)]
        except LookupError:
            return False
        return _overlapping(*(tuple(region) for region in regions))

    # ------------------------------------------------------------------- graph
    def answer(self) -> Answer:
        """Return the graph, part by part."""
        answer = Answer()
        for tasks in self.parts():
            part = Oracle(
                self.world, self.universe, tasks, self.collections, holds=self.holds,
                data_id=self.data_id, looks_at=self.looks_at,
            )  # fmt: skip
            found = part.answer_of_part()
            answer.quanta |= found.quanta
            answer.edges |= found.edges
        return answer

    def parts(self) -> list[list[Task]]:
        """Return the tasks in groups that share no dataset type that one of them writes."""
        parts = [[task] for task in self.tasks]
        merged = True
        while merged:
            merged = False
            for one in parts:
                for other in parts:
                    if one is not other and self._shared(one) & self._shared(other):
                        one += other
                        parts.remove(other)
                        merged = True
                        break
                if merged:
                    break
        return parts

    def _shared(self, tasks: Sequence[Task]) -> set[str]:
        names = {c.name for t in tasks for c in (*t.inputs.values(), *t.outputs.values())}
        return names & self.written

    def answer_of_part(self) -> Answer:
        answer = Answer()
        rows = self.rows()
        there: dict[str, dict[Key, str | None]] = {
            n: dict(self.existing(n)) for n in self.overall()
        }
        for task in self._in_order():
            names = self.universe.conform(task.dimensions).required
            by_quantum: dict[Key, list[Row]] = {}
            for row in rows:
                by_quantum.setdefault(key_of(row, names), []).append(row)
            for quantum, members in by_quantum.items():
                self._add(answer, task, quantum, members, there)
        return answer

    def _in_order(self) -> list[Task]:
        left, order, made = list(self.tasks), [], set(self.overall())
        while left:
            for task in left:
                if all(c.name in made for c in task.inputs.values()):
                    left.remove(task)
                    order.append(task)
                    made |= {c.name for c in task.outputs.values()}
                    break
        return order

    def _add(
        self,
        answer: Answer,
        task: Task,
        quantum: Key,
        rows: list[Row],
        there: dict[str, dict[Key, Any]],
    ) -> None:
        edges: set[Edge] = set()
        for name, c in task.inputs.items():
            met = {key_of(row, c.dimensions) for row in rows}
            found = [key for key in met if key in there.get(c.name, {})]
            if len(found) < c.minimum:
                return
            edges |= {(task.label, quantum, name, key, there[c.name][key]) for key in found}
        for name, c in task.prerequisites.items():
            for key, run in self.prerequisites(task, rows[0], c):
                edges.add((task.label, quantum, name, key, run))
        for name, c in task.outputs.items():
            for key in {key_of(row, c.dimensions) for row in rows}:
                there.setdefault(c.name, {})[key] = None
                edges.add((task.label, quantum, name, key, None))
        answer.quanta.add((task.label, quantum))
        answer.edges |= edges

    # ----------------------------------------------------------- prerequisites
    def prerequisites(self, task: Task, row: Row, c: Connection) -> set[tuple[Key, str]]:
        """Return data ID and run of the prerequisites of a quantum, the first collection's each."""
        group = self.universe.conform(task.dimensions)
        span = self.record(group.temporal[-1].name, row)["timespan"] if group.temporal else None
        found: dict[Key, tuple[int, set[str]]] = {}
        for rank, collection in enumerate(self.collections):
            for data_id, run, begin, end in self._members(c.name, collection):
                if not self._matches(group, row, data_id):
                    continue
                if span is not None and not (begin < span[1] and span[0] < end):
                    continue
                key = key_of(data_id, c.dimensions)
                if found.setdefault(key, (rank, set()))[0] == rank:
                    found[key][1].add(run)
        return {(key, run) for key, (_, runs) in found.items() for run in runs}

    def _members(self, name: str, collection: str) -> Iterable[tuple[Row, str, int, int]]:
        for one in self.world.datasets:
            if one.name == name and one.run == collection:
                for data_id in one.data_ids:
                    yield data_id, one.run, -(2**62), 2**62
        for certified, type_, run, data_id, begin, end in self.world.certified:
            if certified == collection and type_ == name:
                yield data_id, run, begin, end

    def _matches(self, group: Any, row: Row, data_id: Row) -> bool:
        for name, value in data_id.items():
            if name in group:
                if row[name] != value:
                    return False
            elif self.universe[name].skypix is not None:
                element = group.spatial[-1]
                region = self.record(element.name, row)["region"]
                if value not in _pixels(tuple(region), self.universe[name].skypix.level):
                    return False
        return True


def _as_row(element: Any, record: Row) -> Row:
    own = {element.key.name: element.name} if element.key is not None else {}
    names = {*element.required, *element.implied}
    return {own.get(k, k): v for k, v in record.items() if own.get(k, k) in names}


def _joined(rows: list[Row], relation: list[Row]) -> list[Row]:
    found = [
        {**row, **other}
        for row in rows
        for other in relation
        if all(row[n] == v for n, v in other.items() if n in row)
    ]
    return list({tuple(sorted(row.items())): row for row in found}.values())


def _spatial_pairs(
    group: Any, datasets: Sequence[Connection], universe: Any
) -> list[tuple[Any, Any]]:
    """Return the two finest elements whose regions must overlap, unless a dataset relates them."""
    finest = list(group.spatial)
    if len(finest) < 2:
        return []
    families = {element.spatial_family for element in finest}
    for c in datasets:
        if families <= {e.spatial_family for e in universe.conform(c.dimensions).spatial}:
            return []
    return [(finest[0], finest[1])]


@lru_cache(maxsize=10_000)
def _overlapping(
    one: tuple[tuple[float, float], ...], other: tuple[tuple[float, float], ...]
) -> bool:
    from lsst.sphgeom import DISJOINT

    from butler_core.region import polygon

    return not polygon(list(one)).relate(polygon(list(other))) & DISJOINT


@lru_cache(maxsize=1000)
def _pixels(corners: tuple[tuple[float, float], ...], level: int) -> frozenset[int]:
    from lsst.sphgeom import HtmPixelization

    from butler_core.region import polygon

    ranges = HtmPixelization(level).envelope(polygon(list(corners))).ranges()
    return frozenset(pixel for begin, end in ranges for pixel in range(begin, end))
