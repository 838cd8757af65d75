"""A history has each attempt of the journals once, wherever its making was interrupted."""

from __future__ import annotations

import itertools
import json
import logging
import os
import signal
import subprocess
import sys
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipetask.errors import JournalError
from pipetask.provenance import history
from pipetask.provenance.history import ATTEMPT, database, make_noted, seal, text_of
from pipetask.provenance.journal import COMMIT, NOTES, QUANTUM, RUN, Entry, Journal, line_of
from pipetask.provenance.run_folder import RunFolder

ROOT = Path(__file__).parents[3]
SEAL = """
from pathlib import Path
from pipetask.provenance.history import seal
from pipetask.provenance.run_folder import RunFolder
seal(RunFolder(Path.cwd()), "g")
"""


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return RunFolder(tmp_path)


def record(number: int, attempt: int = 1, **facts: Any) -> dict[str, Any]:
    return {
        "number": number,
        "id": f"id-{number}",
        "task": "isr",
        "data_id": {"instrument": "Cam", "detector": number},
        "attempt": attempt,
        "outcome": "succeeded",
        "host": "node1",
        "pid": 77,
        "config_digest": "c0",
        "code_digest": "",
        "inputs": {"raw": ["r"]},
        "outputs": [[f"out-{number}", f"u/1/{number}.fits", "F", "S", 10 * number, None]],
        "started": f"2026-01-02T03:04:05.{number:03}{attempt:03}Z",
        "elapsed_s": 1.5,
        "cpu_s": 1.25,
        "peak_memory_mib": None,
        **facts,
    }


def entries_of(*records: dict[str, Any]) -> list[Entry]:
    return [
        entry
        for each in records
        for entry in (
            Entry(QUANTUM, json.dumps(each).encode()),
            Entry(NOTES, b'{"metadata":{},"log":[]}'),
        )
    ]


def write(folder: RunFolder, *records: dict[str, Any], worker: str = "") -> Path:
    """Write a journal as a run leaves it."""
    journal = Journal(folder.journal("g", worker))
    if not worker:
        journal.note(RUN, {"graph": "g", "run": "u/1", "process": {"pid": 77}})
    journal.add(entries_of(*records))
    journal.note(COMMIT, {"n_datasets": 2})
    journal.close()
    return journal.path


def rows(folder: RunFolder, columns: str, table: str = "attempt") -> list[tuple[Any, ...]]:
    with database() as connection:
        connection.execute(f"ATTACH {text_of(folder.history('g'))} AS h (READ_ONLY)")
        return connection.execute(f"SELECT {columns} FROM h.{table} ORDER BY ALL").fetchall()


def left(folder: RunFolder) -> list[str]:
    return sorted(path.name for path in folder.path.iterdir())


def sealed_and_killed(folder: RunFolder, point: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SEAL],
        cwd=folder.path, check=False, capture_output=True, text=True,
        env={**os.environ, "BUTLER_FAILPOINTS": f"{point}=kill", "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL, done.stderr


def test_a_history_takes_the_journals_place(folder: RunFolder) -> None:
    write(folder, record(1), record(2))
    write(folder, record(3), worker="node1.77")

    seal(folder, "g")

    assert left(folder) == ["g.history"]
    assert rows(folder, "number, attempt") == [(1, 1), (2, 1), (3, 1)]


def test_an_attempt_is_kept_with_all_that_is_known_of_it(folder: RunFolder) -> None:
    failure = {
        "outcome": "failed", "fault": "error", "error": "ValueError: 'no' \"way\"",
        "traceback": "Traceback:\n  line\n", "log_tail": "WARNING: \u2028 50 %",
    }  # fmt: skip
    write(folder, record(5, 2, **failure))

    seal(folder, "g")

    ((*found,),) = rows(folder, ", ".join(ATTEMPT))
    expected = {name: record(5, 2, **failure).get(name) for name in ATTEMPT}
    expected["started"] = datetime(2026, 1, 2, 3, 4, 5, 5002)  # noqa: DTZ001 - UTC, as all are
    kept = dict(zip(ATTEMPT, found, strict=True))
    assert json.loads(kept.pop("data_id")) == expected.pop("data_id")
    assert kept == expected
    assert rows(folder, "*", "output") == [(5, 2, "out-5", "u/1/5.fits", 50, None)]


def test_the_header_says_what_the_run_said_of_itself(folder: RunFolder) -> None:
    write(folder, record(1))

    seal(folder, "g")

    header = [("graph", "g"), ("process", '{"pid": 77}'), ("run", "u/1")]
    assert rows(folder, "name, value", "header") == header


def test_sealing_what_is_sealed_changes_nothing(folder: RunFolder) -> None:
    write(folder, record(1))
    seal(folder, "g")
    content = folder.history("g").read_bytes()

    seal(folder, "g")

    assert folder.history("g").read_bytes() == content


def test_a_graph_that_is_run_again_adds_to_its_history(folder: RunFolder) -> None:
    write(folder, record(1), record(2, outcome="failed"))
    seal(folder, "g")
    write(folder, record(2, 2))

    seal(folder, "g")

    assert left(folder) == ["g.history"]
    assert rows(folder, "number, attempt, outcome") == [
        (1, 1, "succeeded"), (2, 1, "failed"), (2, 2, "succeeded"),
    ]  # fmt: skip
    assert [row[0] for row in rows(folder, "number", "output")] == [1, 2, 2]


def test_the_same_attempt_in_two_journals_is_one(folder: RunFolder) -> None:
    write(folder, record(1), record(1), record(2))
    write(folder, record(2), record(3), worker="w")

    seal(folder, "g")

    assert rows(folder, "number") == [(1,), (2,), (3,)]
    assert rows(folder, "number", "output") == [(1,), (2,), (3,)]


@pytest.mark.parametrize(
    ("point", "has_earlier"),
    [
        ("seal.begin", True),
        ("seal.written", False),
        ("seal.written", True),
        ("seal.removed", False),
    ],
)
def test_an_interrupted_seal_is_made_good_by_the_next(
    folder: RunFolder, point: str, has_earlier: bool
) -> None:
    if has_earlier:
        write(folder, record(1), record(2))
        seal(folder, "g")
    write(folder, *([record(1), record(2)] * (not has_earlier)), record(3))
    write(folder, record(4), worker="w")
    sealed_and_killed(folder, point)

    seal(folder, "g")

    assert left(folder) == ["g.history"]
    assert rows(folder, "number") == [(1,), (2,), (3,), (4,)]
    assert rows(folder, "number", "output") == [(1,), (2,), (3,), (4,)]
    assert rows(folder, "name", "header") == [("graph",), ("process",), ("run",)]


def test_a_seal_killed_while_it_writes_is_made_good_by_the_next(folder: RunFolder) -> None:
    write(folder, record(1), record(2))
    half = f"""
import duckdb, os
connection = duckdb.connect(":memory:")
connection.execute("ATTACH '.g.history.tmp' AS made (BLOCK_SIZE 16384)")
connection.execute("CREATE TABLE made.attempt ({", ".join(f"{n} {t}" for n, t in ATTEMPT.items())})")
connection.execute("INSERT INTO made.attempt (number) VALUES (1)")
os.kill(os.getpid(), 9)
"""
    subprocess.run([sys.executable, "-c", half], cwd=folder.path, check=False)
    assert ".g.history.tmp.wal" in left(folder)

    seal(folder, "g")

    assert rows(folder, "number") == [(1,), (2,)]
    assert left(folder) == ["g.history"]


def test_of_journals_of_which_some_were_removed_the_rest_is_taken_once(folder: RunFolder) -> None:
    write(folder, record(1))
    kept = write(folder, record(2), worker="w")
    content = kept.read_bytes()
    seal(folder, "g")
    kept.write_bytes(content)

    seal(folder, "g")

    assert rows(folder, "number") == [(1,), (2,)]
    assert left(folder) == ["g.history"]


@settings(max_examples=8)
@given(st.data())
def test_of_a_torn_and_damaged_journal_the_whole_records_are_kept(data: st.DataObject) -> None:
    records = [b"".join(map(line_of, entries_of(record(n)))) for n in range(4)]
    ends = list(itertools.accumulate(map(len, records)))
    content = bytearray(b"".join(records))
    for _ in range(data.draw(st.integers(0, 2))):
        content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    del content[data.draw(st.integers(0, len(content))) :]
    with tempfile.TemporaryDirectory() as path:
        folder = RunFolder(Path(path))
        folder.journal("g").write_bytes(content)

        logging.disable()
        seal(folder, "g")
        logging.disable(logging.NOTSET)

        found = {number for (number,) in rows(folder, "number")}
        expected = {
            n for n in range(4) if content[ends[n] - len(records[n]) : ends[n]] == records[n]
        }
        # The blank after a checksum tells nothing, so a line can be damaged there and be read.
        assert expected <= found <= set(range(4))
        assert len(rows(folder, "number")) == len(found)


@pytest.mark.parametrize("content", [b"", b"no journal at all", line_of(Entry(COMMIT, b"{}"))])
def test_a_journal_of_no_attempt_makes_an_empty_history(folder: RunFolder, content: bytes) -> None:
    folder.journal("g").write_bytes(content)

    seal(folder, "g")

    assert left(folder) == ["g.history"]
    assert rows(folder, "number") == []


@settings(max_examples=5)
@given(st.lists(st.tuples(st.text(), st.text(max_size=20)), min_size=10, max_size=40))
def test_any_text_is_kept_as_it_is(texts: list[tuple[str, str]]) -> None:
    with tempfile.TemporaryDirectory() as path:
        folder = RunFolder(Path(path))
        write(
            folder,
            *(
                record(n, error=error, outputs=[[name, error, "F", "S", None, name]])
                for n, (error, name) in enumerate(texts)
            ),
        )

        seal(folder, "g")

        assert [error for _, error in rows(folder, "number, error")] == [e for e, _ in texts]
        assert [row[1:] for row in rows(folder, "number, id, path, size, checksum", "output")] == [
            (name, error, None, name) for error, name in texts
        ]


def test_a_traceback_of_many_megabytes_has_room(folder: RunFolder) -> None:
    write(folder, record(1, traceback="x" * 35_000_000), record(2))

    seal(folder, "g")

    assert rows(folder, "number, length(traceback)") == [(1, 35_000_000), (2, None)]


def test_a_folders_name_may_hold_quotes(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / 'it\'s "mine" [1]*')
    folder.path.mkdir()
    write(folder, record(1))

    seal(folder, "g")

    assert rows(folder, "number") == [(1,)]


def test_journals_stay_where_a_history_cannot_be_written(folder: RunFolder) -> None:
    write(folder, record(1))
    folder.history("g").write_bytes(b"this is no database")

    with pytest.raises(JournalError, match="cannot write '.*g.history': .*the journals beside it"):
        seal(folder, "g")

    assert "g.journal" in left(folder)
    folder.history("g").unlink()
    seal(folder, "g")
    assert rows(folder, "number") == [(1,)]


def test_other_graphs_are_left_alone(folder: RunFolder) -> None:
    write(folder, record(1))
    folder.journal("g2").touch()

    seal(folder, "g")
    seal(folder, "g3")

    assert left(folder) == ["g.history", "g2.journal"]


def test_journals_can_be_asked_before_they_are_sealed(folder: RunFolder) -> None:
    paths = [write(folder, record(1), record(2)), write(folder, record(3), worker="w")]

    with database() as connection:
        make_noted(connection, paths)
        found = connection.execute("SELECT number, len(outputs) FROM noted ORDER BY 1").fetchall()

    assert found == [(1, 1), (2, 1), (3, 1)]
    assert left(folder) == ["g.journal", "g.w.journal"]


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_a_history_is_the_same_in_pieces_of_any_size(
    folder: RunFolder, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "_PIECE", size)
    write(folder, record(0), record(1), record(0), record(2, outcome="failed"), record(1))
    write(folder, record(2, 2), record(0), worker="other")

    seal(folder, "g")

    assert rows(folder, "number, attempt, outcome") == [
        (0, 1, "succeeded"), (1, 1, "succeeded"), (2, 1, "failed"), (2, 2, "succeeded"),
    ]  # fmt: skip
