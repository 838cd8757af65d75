"""A journal gives back what was added to it, whatever cut it off or damaged it."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipetask.errors import JournalError
from pipetask.provenance.journal import (
    ARCHIVE,
    COMMIT,
    DAMAGED,
    NOTES,
    QUANTUM,
    RUN,
    Entry,
    Journal,
    attempts_in,
    line_of,
    read_journal,
)

ROOT = Path(__file__).parents[3]
JOURNAL = "pipetask.provenance.journal"

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
documents = st.dictionaries(st.text(), values, max_size=4)
entries = st.builds(
    lambda kind, document: Entry(kind, json.dumps(document, ensure_ascii=False).encode()),
    st.sampled_from([RUN, QUANTUM, NOTES, ARCHIVE, COMMIT]),
    documents,
)  # fmt: skip


@contextmanager
def journal_of(content: bytes) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "g.journal")
        path.write_bytes(content)
        yield path


def lines(found: list[Entry]) -> bytes:
    return b"".join(map(line_of, found))


def read(content: bytes) -> list[Entry]:
    with journal_of(content) as path:
        return [entry for entry in read_journal(path) if entry.kind != DAMAGED]


@given(st.lists(st.lists(entries, max_size=4), max_size=4))
def test_what_is_added_is_read_in_order(batches: list[list[Entry]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        journal = Journal(Path(folder, "g.journal"))
        for batch in batches:
            journal.add(iter(batch))

        size = journal.size
        journal.close()
        found = list(read_journal(journal.path))

        assert found == [entry for batch in batches for entry in batch]
        assert size == journal.path.stat().st_size


@given(documents)
def test_a_document_is_read_as_it_was_noted(document: dict[str, object]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        journal = Journal(Path(folder, "g.journal"))
        journal.note(RUN, document)
        journal.close()

        (entry,) = read_journal(journal.path)

        assert (entry.kind, entry.document) == (RUN, document)


@given(st.lists(entries, max_size=6), st.data())
def test_a_journal_cut_anywhere_is_a_prefix(all_: list[Entry], data: st.DataObject) -> None:
    content = lines(all_)
    end = data.draw(st.integers(0, len(content)))

    found = read(content[:end])

    assert found == all_[: content[:end].count(b"\n")]


@given(st.lists(entries, max_size=5), st.lists(entries, min_size=1, max_size=3), st.data())
def test_a_torn_journal_goes_on_with_its_whole_lines(
    before: list[Entry], after: list[Entry], data: st.DataObject
) -> None:
    content = lines(before)
    end = data.draw(st.integers(0, len(content)))
    kept = before[: content[:end].count(b"\n")]
    with journal_of(content[:end]) as path:
        journal = Journal(path)
        size = journal.size
        journal.add(after)
        journal.close()

        assert size == len(lines(kept))
        assert path.read_bytes() == lines([*kept, *after])


@given(st.lists(entries, min_size=1, max_size=6), st.data())
def test_a_damaged_byte_loses_its_record_and_nothing_false_appears(
    all_: list[Entry], data: st.DataObject
) -> None:
    content = bytearray(lines(all_))
    place = data.draw(st.integers(0, len(content) - 1))
    struck = content[:place].count(b"\n")
    # A line break that is lost joins two lines, and neither is whole.
    lost = {struck, struck + 1} if content[place] == ord("\n") else {struck}
    content[place] ^= data.draw(st.integers(1, 255))

    found = read(bytes(content))

    rest = [entry for number, entry in enumerate(all_) if number not in lost]
    assert found in (rest, all_)  # the blank after the checksum tells nothing


@given(st.binary(max_size=300))
def test_noise_tells_nothing(noise: bytes) -> None:
    assert read(noise) == []


@given(st.lists(entries, min_size=1, max_size=3), st.binary(max_size=40))
def test_noise_between_records_is_passed_over(all_: list[Entry], noise: bytes) -> None:
    content = lines(all_[:1]) + noise + b"\n" + lines(all_[1:])

    assert read(content) == all_


@pytest.mark.parametrize("size", [1, (1 << 16) - 1, 1 << 16, (1 << 16) + 1, 200_000])
@pytest.mark.parametrize("head", [b"", line_of(Entry(RUN, b"{}"))])
def test_half_a_line_of_any_length_is_cut_off(tmp_path: Path, head: bytes, size: int) -> None:
    path = tmp_path / "g.journal"
    path.write_bytes(head + b"x" * size)

    Journal(path).close()

    assert path.read_bytes() == head


def test_damage_within_is_told_and_half_a_line_at_the_end_is_not(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "g.journal"
    whole = line_of(Entry(RUN, b"{}"))
    path.write_bytes(whole + whole.replace(b"run", b"ruin") + whole + whole[:-4])

    with caplog.at_level(logging.WARNING):
        found = list(read_journal(path))

    assert found == [Entry(RUN, b"{}"), Entry(DAMAGED, b"null"), Entry(RUN, b"{}")]
    assert caplog.messages == [f"line 2 of {path} is damaged and does not count"]


def test_an_empty_journal_tells_nothing(tmp_path: Path) -> None:
    Journal(tmp_path / "g.journal").close()

    assert list(read_journal(tmp_path / "g.journal")) == []


@pytest.mark.parametrize("point", ["write", "torn", "written"])
def test_records_that_the_disk_refuses_are_cut_off_whole(tmp_path: Path, point: str) -> None:
    code = f"""
from pathlib import Path
from pipetask.errors import JournalError
from {JOURNAL} import Entry, Journal
journal = Journal(Path("g.journal"))
for n in range(3):
    try:
        journal.add([Entry("quantum", b'{{"number":%d}}' % n), Entry("notes", b"{{}}")])
    except JournalError as error:
        print(error)
print(journal.size)
"""

    said = _run(code, tmp_path, f"journal.{point}=ENOSPC@2").stdout.splitlines()

    found = [entry.document.get("number") for entry in read_journal(tmp_path / "g.journal")]
    assert found == [0, None, 2, None]
    assert said[0].startswith("cannot write the journal 'g.journal': No space left on device")
    assert int(said[1]) == (tmp_path / "g.journal").stat().st_size


@pytest.mark.parametrize(
    ("point", "numbers"), [("write", [0]), ("torn", [0, 1, 2]), ("written", [0, 1, 2, 3, 4])]
)
def test_whoever_is_killed_while_writing_leaves_a_prefix(
    tmp_path: Path, point: str, numbers: list[int]
) -> None:
    code = f"""
from pathlib import Path
from {JOURNAL} import Entry, Journal
journal = Journal(Path("g.journal"))
journal.note("quantum", {{"number": 0}})
journal.add([Entry("quantum", b'{{"number": %d}}' % n) for n in range(1, 5)])
"""

    done = _run(code, tmp_path, f"journal.{point}=kill@2")

    assert done.returncode == -9
    found = [entry.document["number"] for entry in read_journal(tmp_path / "g.journal")]
    assert found == numbers


def _run(code: str, folder: Path, plans: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "BUTLER_FAILPOINTS": plans, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-c", code],
        env=environment, cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_a_full_disk_leaves_no_part_of_a_record(tmp_path: Path) -> None:
    code = f"""
import resource
from pathlib import Path
from pipetask.errors import JournalError
from {JOURNAL} import Entry, Journal
journal = Journal(Path("g.journal"))
journal.note("run", {{"graph": "g"}})
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    journal.add([Entry("quantum", b'"' + b"x" * 600 + b'"')] * 2)
except JournalError as error:
    print(error)
journal.add([Entry("quantum", b'"' + b"y" * 600 + b'"')])
"""

    done = _run(code, tmp_path, "")

    assert done.stderr == ""
    assert done.stdout.startswith("cannot write the journal 'g.journal': File too large")
    found = [entry.text[:2] for entry in read_journal(tmp_path / "g.journal")]
    assert found == [b'{"', b'"y']


def test_a_journal_that_cannot_be_made_says_where(tmp_path: Path) -> None:
    path = tmp_path / "gone" / "g.journal"

    with pytest.raises(JournalError, match="cannot write the journal '.*g.journal': No such file"):
        Journal(path)


def test_records_outlive_a_writer_that_is_killed_without_a_sync(tmp_path: Path) -> None:
    code = f"""
import os
from pathlib import Path
from {JOURNAL} import Journal
Journal(Path("g.journal")).note("run", {{"graph": "g"}})
os.kill(os.getpid(), 9)
"""

    _run(code, tmp_path, "")

    assert [entry.document for entry in read_journal(tmp_path / "g.journal")] == [{"graph": "g"}]


def test_notes_do_not_go_to_the_record_before_a_damaged_one() -> None:
    first, second = Entry(QUANTUM, b'{"number":1}'), Entry(QUANTUM, b'{"number":2}')
    notes = Entry(NOTES, b"{}")
    damaged = Entry(DAMAGED, b"null")

    assert list(attempts_in([first, notes, second, notes])) == [(first, notes), (second, notes)]
    assert list(attempts_in([first, damaged, notes])) == []
    assert list(attempts_in([first, second, notes])) == [(second, notes)]
