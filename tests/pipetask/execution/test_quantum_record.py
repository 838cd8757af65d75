"""What the journal keeps of an attempt gives back the attempt's result."""

from __future__ import annotations

import json
import os
import socket
import uuid
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from butler_core import DatasetType, DimensionUniverse
from butler_core.datasets.dataset_ref import DatasetRef
from butler_core.datastore.file_record import FileRecord
from butler_core.dimensions.data_coordinate import DataCoordinate
from pipetask.execution.quantum_record import dumped, failure_facts, record_of, results_in
from pipetask.execution.quantum_work import (
    Fault,
    InputConnectionWork,
    InputDataset,
    Outcome,
    QuantumResult,
    QuantumWork,
    TaskSetup,
)
from pipetask.provenance.journal import COMMIT, NOTES, RUN, Entry

universe = DimensionUniverse.default()
data_id = DataCoordinate.standardize({"instrument": "Cam", "detector": 7}, universe=universe)
raw = DatasetType.of("raw", ("instrument", "detector"), "StructuredDataDict", universe=universe)
SETUP = TaskSetup("isr", "a.Task", "x: 1", config_digest="c0", code_digest="d0")

keys = st.text(max_size=8)
plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=6,
)
file_records = st.builds(
    FileRecord, st.text(), st.text(), st.text(),
    st.none() | st.integers(0, 2**50), st.none() | st.text(),
)  # fmt: skip
files = st.dictionaries(st.uuids(), file_records, max_size=3)


def work(number: int = 3, attempt: int = 1) -> QuantumWork:
    ref = DatasetRef(raw, data_id, "raw/all", uuid.UUID(int=9))
    dataset = InputDataset(ref, FileRecord("a", "f", "s"))
    inputs = InputConnectionWork(
        "raws", (dataset, dataset), "s", None, is_multiple=True, is_deferred=False,
        minimum=1, is_prerequisite=False,
    )  # fmt: skip
    return QuantumWork(number, uuid.UUID(int=5), "isr", data_id, (inputs,), (), attempt=attempt)


@st.composite
def results(draw: st.DrawFn) -> QuantumResult:
    """Return what an attempt makes of a quantum."""
    written = draw(files)
    facts: dict[str, Any] = {"elapsed_s": draw(st.floats(0, 1e6)), "peak_memory_mib": None}
    outcome = draw(st.sampled_from([Outcome.SUCCEEDED, Outcome.NO_WORK, Outcome.FAILED]))
    fault, error = None, ""
    if outcome is Outcome.FAILED:
        fault, error = draw(st.sampled_from(Fault)), draw(st.text(max_size=30))
        facts |= failure_facts(fault, error, draw(st.text(max_size=30)), [])
    record = record_of(work(draw(st.integers(0, 2**40))), SETUP, outcome, written, **facts)
    return QuantumResult(
        record["number"], "isr", data_id.required, outcome, written, fault, error,
        facts["elapsed_s"], None, dumped(record),
        dumped(draw(st.dictionaries(keys, plain, max_size=3))),
        dumped(draw(st.lists(plain, max_size=3))),
    )  # fmt: skip


def entries_of(*given_: QuantumResult) -> list[Entry]:
    return [entry for each in given_ for entry in each.entries]


@given(st.lists(results(), max_size=4))
def test_results_are_read_as_they_were_kept(given_: list[QuantumResult]) -> None:
    found = list(results_in(entries_of(*given_)))

    assert [result for _, result in found] == given_
    assert [record for record, _ in found] == [json.loads(each.record) for each in given_]


@given(st.lists(results(), min_size=1, max_size=4), st.data())
def test_a_result_of_which_a_part_is_missing_counts_as_not_done(
    given_: list[QuantumResult], data: st.DataObject
) -> None:
    entries = entries_of(*given_)
    lost = data.draw(st.integers(0, len(entries) - 1))
    del entries[lost]

    found = [result for _, result in results_in(entries)]

    assert found == [*given_[: lost // 2], *given_[lost // 2 + 1 :]]


@given(st.lists(results(), max_size=3))
def test_other_records_between_them_change_nothing(given_: list[QuantumResult]) -> None:
    entries = [Entry(RUN, b"{}")]
    for result in given_:
        entries += [result.entries[0], Entry(COMMIT, b"{}"), result.entries[1], Entry(RUN, b"{}")]

    assert [result for _, result in results_in(entries)] == given_


def test_notes_that_follow_nothing_are_nobodys() -> None:
    assert list(results_in([Entry(NOTES, b'{"metadata":{},"log":[]}')] * 2)) == []


def test_a_record_says_which_attempt_it_was_and_where() -> None:
    record = record_of(work(attempt=2), SETUP, Outcome.SUCCEEDED, {}, elapsed_s=1.5)

    assert record == {
        "number": 3,
        "id": str(uuid.UUID(int=5)),
        "task": "isr",
        "data_id": {"instrument": "Cam", "detector": 7},
        "attempt": 2,
        "outcome": "succeeded",
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "config_digest": "c0",
        "code_digest": "d0",
        "inputs": {"raws": [str(uuid.UUID(int=9))] * 2},
        "outputs": [],
        "elapsed_s": 1.5,
    }


def test_a_record_can_be_made_without_a_task() -> None:
    record = record_of(work(), None, Outcome.LOST, {})

    assert (record["config_digest"], record["code_digest"]) == ("", "")


def test_a_failure_keeps_the_end_of_its_log() -> None:
    log = [{"levelname": "INFO", "message": f"line {n}"} for n in range(2000)]

    facts = failure_facts(Fault.MEMORY, "MemoryError: no", "Traceback", log)

    assert facts["fault"] == "memory"
    assert len(facts["log_tail"]) == 4000
    assert facts["log_tail"].endswith("INFO: line 1998\nINFO: line 1999")


@given(plain)
def test_plain_values_are_one_line_and_come_back(value: Any) -> None:
    text = dumped(value)

    assert b"\n" not in text
    assert json.loads(text) == value


def test_what_json_does_not_know_is_kept_as_its_text() -> None:
    assert json.loads(dumped({"id": uuid.UUID(int=1), "set": {1}})) == {
        "id": str(uuid.UUID(int=1)), "set": "{1}",
    }  # fmt: skip


def test_a_name_that_is_no_unicode_does_not_hinder() -> None:
    name = os.fsdecode(b"night \xe9.fits")

    assert json.loads(dumped({"message": name})) == {"message": "night ?.fits"}
