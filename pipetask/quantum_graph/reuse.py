"""Stage *reuse*: of the quanta that were done before, those that need not be done again.

A quantum is done if an earlier run did it with the same configuration, the
same code, and the same inputs. Of every other one it is said why it runs.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from pipetask.pipeline_graph.nodes import ReadEdge, TaskNode
from pipetask.pipeline_graph.resolved import ResolvedPipelineGraph
from pipetask.provenance.code_trace import digest_of, trace_code
from pipetask.quantum_graph.earlier_work import EarlierWork
from pipetask.quantum_graph.id_spaces import IdSpaces
from pipetask.quantum_graph.reuse_request import Reason, ReasonGroup, ReuseRequest
from pipetask.quantum_graph.task_changes import code_change, config_change
from pipetask.quantum_graph.workspace import Workspace, quoted

#: Makes the table of a prerequisite's edges, for all quanta of a table; see `PrerequisiteFinder`.
FindPrerequisite = Callable[[ReadEdge, TaskNode], str]

#: What differs between errors of one cause, as an SQL literal: numbers, and what is quoted.
_PARTICULARS = """'[0-9]+([.][0-9]+)?|''[^'']*''|"[^"]*"'"""


class Reuse:
    """Decides task by task, in the order in which they can run.

    Of each task it makes a table ``why_LABEL`` with ``i``, the number of the
    quantum's data ID, ``reason`` and ``detail``; a quantum that is not in it
    is done.
    """

    def __init__(
        self,
        workspace: Workspace,
        request: ReuseRequest,
        pipeline: ResolvedPipelineGraph,
        spaces: IdSpaces,
    ) -> None:
        self._workspace = workspace
        self._request = request
        self._pipeline = pipeline
        self._spaces = spaces
        self._earlier = EarlierWork(workspace, request.graphs)
        #: Why quanta are run, in the order of their tasks.
        self.reasons: list[ReasonGroup] = []

    def drop_done(
        self,
        node: TaskNode,
        quanta: str,
        states: Mapping[str, str],
        find_prerequisite: FindPrerequisite,
    ) -> None:
        """Drop the quanta of a task that need not run.

        Parameters
        ----------
        quanta
            The table of them.
        states
            By dataset type, the table of its datasets that exist or will:
            ``i``, ``id``, ``run``.
        """
        why = f"why_{node.label}"
        run = self._workspace.run
        run(f"CREATE OR REPLACE TABLE {quoted(why)} (i BIGINT, reason VARCHAR, detail VARCHAR)")
        if node.label in self._request.redo:
            self._note(why, f"SELECT i, '{Reason.FORCED.value}', '' FROM {quoted(quanta)}")  # noqa: S608 - quoted
        else:
            self._judge(node, quanta, states, why, find_prerequisite)
        run(f"DELETE FROM {quoted(quanta)} WHERE i NOT IN (SELECT i FROM {quoted(why)})")  # noqa: S608 - quoted
        self._count(node, why)

    def _note(self, why: str, select: str) -> None:
        self._workspace.run(f"INSERT INTO {quoted(why)} {select}")

    def _judge(
        self,
        node: TaskNode,
        quanta: str,
        states: Mapping[str, str],
        why: str,
        find_prerequisite: FindPrerequisite,
    ) -> None:
        record = self._join_records(node, quanta, states[node.metadata_dataset_type])
        new, failed = Reason.NEW.value, Reason.FAILED_BEFORE.value
        self._note(
            why,
            f"SELECT i, CASE WHEN earlier_failed THEN '{failed}' WHEN made_id IS NULL THEN '{new}' "  # noqa: S608 - fixed words
            f"ELSE '{Reason.NO_RECORD.value}' END, coalesce(error, '') FROM {record} "
            "WHERE made_id IS NULL OR graph IS NULL",
        )
        self._compare_tasks(node, record, why)
        left = f"(SELECT * FROM {record} WHERE i NOT IN (SELECT i FROM {quoted(why)}))"  # noqa: S608 - quoted
        if self._workspace.rows(f"SELECT 1 FROM {left} LIMIT 1"):  # noqa: S608 - quoted
            self._find_removed(node, left, states, why)
            self._compare_inputs(node, left, states, why, find_prerequisite)

    def _join_records(self, node: TaskNode, quanta: str, metadata: str) -> str:
        """Make a table of quanta with what is known of each; return its name, quoted."""
        group = self._pipeline.task_dimensions(node.label)
        pairs = ", ".join(f"'{name}', x.{quoted(name)}" for name in group.required)
        table = f"record_{node.label}"
        self._workspace.create(
            table,
            f"SELECT q.i, m.id AS made_id, a.graph, a.number, a.config_digest, a.code_digest, "  # noqa: S608 - quoted
            f"f.error IS NOT NULL AND m.id IS NULL AS earlier_failed, "
            f"CASE WHEN m.id IS NULL THEN f.error END AS error FROM {quoted(quanta)} q "
            f"JOIN ids_{self._spaces.number(group)} x USING (i) "
            f"LEFT JOIN {quoted(metadata)} m ON m.i = q.i AND m.id IS NOT NULL "
            f"LEFT JOIN {self._earlier.done} a ON a.task = ? AND a.run = m.run "
            f"AND a.data_id = json_object({pairs})::VARCHAR "
            f"LEFT JOIN {self._earlier.failed} f ON f.task = ? "
            f"AND f.data_id = json_object({pairs})::VARCHAR",
            [node.label, node.label],
        )
        return quoted(table)

    def _compare_tasks(self, node: TaskNode, record: str, why: str) -> None:
        """Compare configuration and code, which many quanta share."""
        text = node.config.to_yaml()
        config, code = digest_of(text.encode()), trace_code(node.task_class.__module__)
        rows = self._workspace.rows(
            f"SELECT DISTINCT graph, config_digest, code_digest FROM {record} "  # noqa: S608 - quoted
            "WHERE made_id IS NOT NULL AND graph IS NOT NULL"
        )
        for graph, old_config, old_code in rows:
            if old_config != config:
                reason = Reason.CONFIG_CHANGED
                detail = config_change(self._earlier.config(graph, node.label), text)
            elif not old_code or old_code != code.digest:
                reason = Reason.CODE_CHANGED
                detail = code_change(self._earlier.code(graph, node.label), code)
            elif changed := self._changed_starts(node, graph):
                reason = Reason.INPUT_CHANGED
                detail = ", ".join(changed)
            else:
                continue
            self._workspace.run(
                f"INSERT INTO {quoted(why)} SELECT i, ?, ? FROM {record} WHERE graph = ? "  # noqa: S608 - quoted
                "AND made_id IS NOT NULL AND config_digest = ? AND code_digest = ?",
                [reason.value, detail, graph, old_config, old_code],
            )

    def _changed_starts(self, node: TaskNode, graph: int) -> list[str]:
        """Return the init inputs of a task whose makers have changed since an earlier graph."""
        makers = self._pipeline.graph.init_producers
        return sorted(
            edge.connection_name
            for edge in node.init_reads
            if edge.dataset_type_name in makers
            and self._has_changed(makers[edge.dataset_type_name].task_label, graph)
        )

    def _has_changed(self, label: str, graph: int) -> bool:
        """Return whether what a task makes at its start may be other than it was."""
        node = self._pipeline.graph.task(label)
        earlier = self._earlier.find(label, graph)
        if earlier is None or self._earlier.config(earlier, label) != node.config.to_yaml():
            return True
        code = trace_code(node.task_class.__module__)
        known = {"files": code.files, "versions": code.versions}
        if not code.is_known or self._earlier.code(earlier, label) != known:
            return True
        return bool(self._changed_starts(node, earlier))

    def _find_removed(self, node: TaskNode, left: str, states: Mapping[str, str], why: str) -> None:
        """Note the quanta of which something that they wrote is not there any more."""
        names = {edge.dataset_type_name for edge in node.writes}
        if not names:
            return
        there = " UNION ALL ".join(f"SELECT id FROM {quoted(states[name])}" for name in names)  # noqa: S608 - quoted
        then = self._earlier.outputs(node.label)
        self._note(
            why,
            f"SELECT r.i, '{Reason.OUTPUT_REMOVED.value}', string_agg(DISTINCT t.connection, ', ' "  # noqa: S608 - made here
            f"ORDER BY t.connection) FROM {left} r JOIN {then} t ON t.graph = r.graph "
            f"AND t.number = r.number ANTI JOIN ({there}) n ON n.id = t.id GROUP BY r.i",
        )

    def _compare_inputs(
        self,
        node: TaskNode,
        left: str,
        states: Mapping[str, str],
        why: str,
        find_prerequisite: FindPrerequisite,
    ) -> None:
        """Compare the ids of inputs; one that will be made anew has none yet."""
        now = [self._inputs_now(node, edge, left, states, find_prerequisite) for edge in node.reads]
        if not now:
            return
        then = self._earlier.inputs(node.label)
        self._note(
            why,
            "SELECT i, '" + Reason.INPUT_CHANGED.value + "', string_agg(DISTINCT connection, ', ' "  # noqa: S608 - made here
            "ORDER BY connection) FROM (SELECT coalesce(n.i, t.i) AS i, "
            "coalesce(n.connection, t.connection) AS connection "
            f"FROM ({' UNION ALL '.join(now)}) n FULL JOIN (SELECT r.i, e.connection, e.id "
            f"FROM {left} r JOIN {then} e ON e.graph = r.graph AND e.number = r.number) t "
            "ON t.i = n.i AND t.connection = n.connection AND t.id = n.id "
            "WHERE n.i IS NULL OR t.i IS NULL) GROUP BY i",
        )

    def _inputs_now(
        self,
        node: TaskNode,
        edge: ReadEdge,
        left: str,
        states: Mapping[str, str],
        find_prerequisite: FindPrerequisite,
    ) -> str:
        name = edge.connection_name
        if edge.is_prerequisite:
            table = find_prerequisite(edge, node)
            return (
                f"SELECT i, '{name}' AS connection, id FROM {quoted(table)} "  # noqa: S608 - quoted
                f"SEMI JOIN {left} l USING (i)"
            )
        group = self._pipeline.task_dimensions(node.label)
        other = self._pipeline.dataset_types[edge.dataset_type_name].dimensions
        mapping = self._spaces.mapping(group, other, node.label)
        state = quoted(states[edge.dataset_type_name])
        if mapping is None:
            meet = f"JOIN {state} s ON s.i = r.i"
        else:
            meet = f"JOIN {mapping} m ON m.a = r.i JOIN {state} s ON s.i = m.b"
        return f"SELECT r.i, '{name}' AS connection, s.id FROM {left} r {meet}"  # noqa: S608 - quoted

    def _count(self, node: TaskNode, why: str) -> None:
        """Group what is said of a task's quanta."""
        group = self._pipeline.task_dimensions(node.label)
        pairs = ", ".join(f"'{name}', x.{quoted(name)}" for name in group.required)
        rows: list[tuple[Any, ...]] = self._workspace.rows(
            "SELECT reason, min_by(detail, w.i), count(*), "  # noqa: S608 - quoted
            f"min_by(json_object({pairs})::VARCHAR, w.i) "
            f"FROM {quoted(why)} w JOIN ids_{self._spaces.number(group)} x USING (i) "
            f"GROUP BY reason, CASE WHEN reason = '{Reason.FAILED_BEFORE.value}' "
            f"THEN regexp_replace(detail, {_PARTICULARS}, '~', 'g') ELSE detail END "
            "ORDER BY count(*) DESC, reason, min(w.i)"
        )
        self.reasons += [
            ReasonGroup(node.label, Reason(reason), detail, count, json.loads(example))
            for reason, detail, count, example in rows
        ]
