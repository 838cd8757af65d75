"""What the journal keeps of one attempt at a quantum, and how it is read again."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any

from butler_core.datastore.file_record import FileRecord
from pipetask.execution.quantum_work import (
    Fault,
    Outcome,
    QuantumResult,
    QuantumWork,
    TaskSetup,
)
from pipetask.provenance.journal import Entry, attempts_in
from pipetask.provenance.process_identity import identity

#: Characters of the log's end that are kept of a failure, beside the whole log.
_LOG_TAIL = 4000


@cache
def _host() -> tuple[str, int]:
    known = identity()
    return known["host"], known["pid"]


def dumped(value: Any) -> bytes:
    """Return plain values as JSON in one line, without spaces."""
    return _ENCODE(value).encode(errors="replace")


_ENCODE = json.JSONEncoder(ensure_ascii=False, default=str, separators=(",", ":")).encode


def record_of(
    work: QuantumWork,
    setup: TaskSetup | None,
    outcome: Outcome,
    records: Mapping[uuid.UUID, FileRecord],
    **facts: Any,
) -> dict[str, Any]:
    """Return what is kept of an attempt, as plain values.

    Parameters
    ----------
    records
        Files written, by the id of their dataset.
    **facts
        Whatever else is known: times, memory, the failure.
    """
    host, pid = _host()
    return {
        "number": work.number,
        "id": str(work.id),
        "task": work.task_label,
        "data_id": dict(work.data_id.required),
        "attempt": work.attempt,
        "outcome": outcome.value,
        "host": host,
        "pid": pid,
        "config_digest": setup.config_digest if setup else "",
        "code_digest": setup.code_digest if setup else "",
        "inputs": {c.name: [str(d.ref.id) for d in c.datasets] for c in work.inputs},
        "outputs": [_output(id_, record) for id_, record in records.items()],
        **facts,
    }


def _output(id_: uuid.UUID, record: FileRecord) -> list[Any]:
    return [
        str(id_),
        record.path,
        record.formatter,
        record.storage_class,
        record.size,
        record.checksum,
    ]


def failure_facts(fault: Fault, error: str, trace: str, log: list[Any]) -> dict[str, Any]:
    """Return what is kept of a failure."""
    tail = "\n".join(f"{entry['levelname']}: {entry['message']}" for entry in log)
    return {
        "fault": fault.value,
        "error": error,
        "traceback": trace,
        "log_tail": tail[-_LOG_TAIL:],
    }


def results_in(entries: Iterable[Entry]) -> Iterator[tuple[dict[str, Any], QuantumResult]]:
    """Give the results that entries of a journal tell of, and the record of each.

    A quantum whose notes are missing is passed over: it counts as not done.
    """
    for record, notes in attempts_in(entries):
        document = record.document
        yield document, _result(document, record.text, notes.document)


def _result(record: dict[str, Any], text: bytes, notes: dict[str, Any]) -> QuantumResult:
    files = {
        uuid.UUID(id_): FileRecord(path, formatter, storage_class, size, checksum)
        for id_, path, formatter, storage_class, size, checksum in record["outputs"]
    }
    return QuantumResult(
        record["number"],
        record["task"],
        record["data_id"],
        Outcome(record["outcome"]),
        files,
        Fault(record["fault"]) if record.get("fault") else None,
        record.get("error", ""),
        record.get("elapsed_s", 0.0),
        record.get("peak_memory_mib"),
        text,
        dumped(notes["metadata"]),
        dumped(notes["log"]),
    )
