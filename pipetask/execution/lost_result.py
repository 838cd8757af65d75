"""The result of a quantum that ended its worker, made of what the worker left."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from pipetask.execution.fallen_workers import Guilty
from pipetask.execution.quantum_record import dumped, failure_facts, record_of
from pipetask.execution.quantum_work import (
    Fault,
    Outcome,
    QuantumResult,
    QuantumWork,
    RunSetup,
)
from pipetask.execution.worker_traces import last_calls

_ERROR = 40


def lost_result(work: QuantumWork, setup: RunSetup, guilty: Guilty) -> QuantumResult:
    """Return what is known of a quantum that its worker did not survive."""
    task = setup.tasks[work.task_label]
    if guilty.fault is Fault.TIMEOUT and task.timeout_s is not None:
        outcome = Outcome.FAILED
        error = f"it took longer than {task.timeout_s:g} s (--timeout)"
    else:
        outcome = Outcome.LOST
        error = f"its worker process died ({guilty.crash or 'killed, or out of memory'})"
    log: list[dict[str, Any]] = [_entry(text) for text in (guilty.said, error) if text]
    facts = {
        "started": datetime.now(UTC).replace(tzinfo=None).isoformat() + "Z",
        **failure_facts(guilty.fault, error, last_calls(guilty.said), log),
    }
    record = record_of(work, task, outcome, {}, **facts)
    return QuantumResult(
        work.number, work.task_label, work.data_id.required, outcome, {}, guilty.fault, error,
        record=dumped(record), log=dumped(log),
    )  # fmt: skip


def _entry(message: str) -> dict[str, Any]:
    return {
        "name": "pipetask.worker",
        "asctime": datetime.now(UTC).isoformat(),
        "message": message,
        "levelno": _ERROR,
        "levelname": "ERROR",
        "filename": "",
        "pathname": "",
        "lineno": 0,
        "funcName": None,
        "process": 0,
        "processName": "",
        "MDC": {},
    }
