"""Stage *find*: prerequisite datasets of quanta, and outputs that exist already."""

from __future__ import annotations

from butler_core.datasets.collection import Collection
from butler_core.datasets.dataset_type import DatasetType
from butler_core.dimensions.dimension import DimensionElement
from butler_core.dimensions.group import DimensionGroup
from butler_core.errors import AmbiguousDatasetError, DatasetNotFoundError
from butler_core.registry.registry import Registry
from pipetask.connections.kinds import PrerequisiteInput
from pipetask.errors import GraphBuildError
from pipetask.pipeline_graph.nodes import ReadEdge
from pipetask.quantum_graph.ask import ask_prerequisites
from pipetask.quantum_graph.id_spaces import IdSpaces
from pipetask.quantum_graph.lookup_functions import load_looked_up
from pipetask.quantum_graph.spatial import pair_regions
from pipetask.quantum_graph.workspace import Workspace, listed, quoted


class PrerequisiteFinder:
    """Finds the prerequisites of tasks, one connection at a time.

    Of each connection it makes a table ``edges_LABEL_NAME`` with ``i``, the
    number of the quantum's data ID, and ``id`` and ``run`` of the dataset.
    """

    def __init__(
        self,
        workspace: Workspace,
        registry: Registry,
        spaces: IdSpaces,
        collections: list[Collection],
    ) -> None:
        self._workspace = workspace
        self._registry = registry
        self._spaces = spaces
        self._collections = collections
        self._asked: set[str] = set()

    def find(
        self, edge: ReadEdge, dataset_type: DatasetType, task_group: DimensionGroup, quanta: str
    ) -> str:
        """Find the datasets of one connection and return the name of the table of edges.

        Parameters
        ----------
        quanta
            Table with the numbers ``i`` of the quanta concerned.

        Raises
        ------
        DatasetNotFoundError
            If a quantum has fewer datasets than the connection's minimum.
        AmbiguousDatasetError
            If a quantum has several where the connection takes one.
        """
        table = f"edges_{edge.task_label}_{edge.connection_name}"
        with self._workspace.stage("find", str(edge), self._workspace.count(quanta)) as outcome:
            function = getattr(edge.connection, "lookup_function", None)
            if isinstance(edge.connection, PrerequisiteInput) and function is not None:
                columns = self._workspace.columns(
                    f"SELECT f.* FROM {self._spaces.full(task_group)} f JOIN {quoted(quanta)} "  # noqa: S608 - quoted
                    "USING (i)"
                )
                load_looked_up(
                    self._workspace, self._registry, function, dataset_type,
                    task_group, columns, [c.name for c in self._collections], table,
                )  # fmt: skip
            else:
                self._ask(dataset_type)
                self._match(edge, dataset_type, task_group, quanta, table)
            self._check(edge, dataset_type, task_group, quanta, table)
            outcome.n_out = self._workspace.count(table)
        return table

    def _ask(self, dataset_type: DatasetType) -> None:
        if dataset_type.name not in self._asked:
            self._asked.add(dataset_type.name)
            ask_prerequisites(
                self._workspace,
                self._registry,
                dataset_type,
                self._collections,
                f"asked_{dataset_type.name}",
            )

    def _match(
        self,
        edge: ReadEdge,
        dataset_type: DatasetType,
        group: DimensionGroup,
        quanta: str,
        table: str,
    ) -> None:
        """Join quanta with datasets; keep the first collection's for each quantum and data ID."""
        full = self._spaces.full(group)
        names = dataset_type.dimensions.required
        source = f"{full} q JOIN {quoted(quanta)} USING (i)"
        known = {name: f"q.{quoted(name)}" for name in names if name in group}
        for place, element in enumerate(_regions_to_meet(group, dataset_type.dimensions)):
            if join := self._pair_join(edge, group, element, f"p{place}"):
                source += join
                for name in element.required:
                    known.setdefault(name, f"p{place}.{quoted(name)}")
        conditions = [f"d.{quoted(name)} = {column}" for name, column in known.items()]
        if group.temporal:
            # What has no validity range is valid for ever; a quantum without a time takes all.
            conditions.append("coalesce(d.begin_ns < q.end_ns AND q.begin_ns < d.end_ns, true)")
        per = listed(names, "d") if names else "1"
        self._workspace.create(
            table,
            f"SELECT i, id, run, rank FROM (SELECT q.i, d.id, d.run, d.rank, "  # noqa: S608 - quoted
            f"rank() OVER (PARTITION BY q.i, {per} ORDER BY d.rank) AS place "
            f"FROM {source} JOIN {quoted('asked_' + dataset_type.name)} d "
            f"ON {' AND '.join(conditions) or 'true'}) WHERE place = 1 GROUP BY ALL",
        )

    def _pair_join(
        self, edge: ReadEdge, group: DimensionGroup, other: DimensionElement, alias: str
    ) -> str:
        """Return an SQL join with what meets the quanta's own regions."""
        spatial = [element for element in group.spatial if element.skypix is None]
        if not spatial:
            if other.skypix is None:
                return ""
            raise GraphBuildError(
                f"{edge} reads {edge.dataset_type_name!r} by {other.name}, but a quantum of "
                f"{edge.task_label!r} has no region: its dimensions {group} need a visit, tract or "
                "patch"
            )
        element = spatial[-1]
        table = f"pairs_{element.name}_{other.name}_{self._spaces.number(group)}"
        if not self._workspace.has(table):
            keys = self._spaces.full(group)
            pair_regions(self._workspace, self._registry, element, other, keys=keys, table=table)
        same = " AND ".join(f"{alias}.{quoted(n)} = q.{quoted(n)}" for n in element.required)
        return f" JOIN {quoted(table)} {alias} ON {same}"

    # ---------------------------------------------------------------- checks
    def _check(
        self,
        edge: ReadEdge,
        dataset_type: DatasetType,
        group: DimensionGroup,
        quanta: str,
        table: str,
    ) -> None:
        counted = (
            f"(SELECT q.i, count(e.id) AS n FROM {quoted(quanta)} q "  # noqa: S608 - quoted
            f"LEFT JOIN {quoted(table)} e USING (i) GROUP BY q.i)"
        )
        if edge.minimum:
            short = f"SELECT i FROM {counted} WHERE n < {edge.minimum}"  # noqa: S608 - a number
            if example := self._example(group, short):
                count, data_id = example
                raise DatasetNotFoundError(
                    f"{edge} needs {_number(edge.minimum)} {dataset_type.name!r} for each "
                    "quantum, but "
                    f"{count} quanta have fewer, such as {data_id}. "
                    f"{self._what_exists(dataset_type)}"
                )
        if not edge.connection.multiple:
            several = f"SELECT i FROM {counted} WHERE n > 1"  # noqa: S608 - a number
            if example := self._example(group, several):
                count, data_id = example
                raise AmbiguousDatasetError(
                    f"{edge} takes one {dataset_type.name!r}, but {count} quanta have several, "
                    "such as "
                    f"{data_id}: certify one for that time, or declare the connection multiple"
                )

    def _example(self, group: DimensionGroup, select: str) -> tuple[int, str] | None:
        count = int(self._workspace.rows(f"SELECT count(*) FROM ({select})")[0][0])  # noqa: S608 - made here
        if not count:
            return None
        if not group.required:
            return count, "{}"
        row = self._workspace.rows(
            f"SELECT {listed(group.required)} FROM ids_{self._spaces.number(group)} "  # noqa: S608 - quoted
            f"WHERE i = (SELECT min(i) FROM ({select}))"
        )[0]
        return count, str(dict(zip(group.required, row, strict=True)))

    def _what_exists(self, dataset_type: DatasetType) -> str:
        path = ", ".join(repr(c.name) for c in self._collections[:6]) or "no collections"
        registered = self._registry.dataset_types.find(dataset_type.name)
        if registered is None:
            return f"No dataset type {dataset_type.name!r} is registered."
        held = self._registry.datasets.holds(registered, self._collections)
        if not held:
            return f"There is none at all in {path}."
        return (
            f"There are some in {', '.join(map(repr, sorted(held)))}, for other data IDs or times."
        )


def _regions_to_meet(group: DimensionGroup, wanted: DimensionGroup) -> list[DimensionElement]:
    """Return what has regions in the dimensions of datasets and nothing alike in a quantum's."""
    own = {element.spatial_family for element in group.spatial if element.skypix is None}
    return [
        element
        for element in wanted.spatial
        if element.name not in group and element.spatial_family not in own
    ]


def _number(count: int) -> str:
    return "a" if count == 1 else str(count)
