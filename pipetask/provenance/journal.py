"""The journal of a run: what became of each quantum, in the order in which it became known.

A text file to which lines are added and in which nothing is ever changed::

    CHECKSUM KIND JSON

The checksum is the CRC-32 of the rest of the line. Whoever is killed while
writing leaves half a line at the end, which does not count.
"""

from __future__ import annotations

import json
import logging
import os
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from butler_core.datastore.syncing import sync_directory
from butler_core.failpoints import is_armed, reach
from pipetask.errors import JournalError

_LOG = logging.getLogger(__name__)

_CHECKSUM_LENGTH = 8

#: Kinds of records.
RUN = "run"
#: A dataset without dimensions that was written without a registry.
INIT = "init"
QUANTUM = "quantum"
#: Follows a quantum's record: its metadata and log, which are not in an archive yet.
NOTES = "notes"
#: Stands for a line that does not match its checksum; nobody writes it.
DAMAGED = "damaged"
ARCHIVE = "archive"
COMMIT = "commit"


@dataclass(frozen=True, slots=True)
class Entry:
    """One record."""

    kind: str
    #: JSON without line breaks.
    text: bytes

    @property
    def document(self) -> dict[str, Any]:
        """What it says."""
        found: dict[str, Any] = json.loads(self.text)
        return found


def line_of(entry: Entry) -> bytes:
    """Return a record as the journal has it."""
    rest = entry.kind.encode() + b" " + entry.text
    return b"%08x %b\n" % (zlib.crc32(rest), rest)


class Journal:
    """Adds records to a journal.

    Parameters
    ----------
    path
        A new file, or one to go on with; what a killed process left of a line
        at its end is cut off.

    Raises
    ------
    JournalError
        If the file cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            is_new = not path.exists()
            if not is_new:
                _cut_torn_end(path)
            self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
            if is_new:
                sync_directory(path.parent)
        except OSError as error:
            raise self._fault(error) from error

    def note(self, kind: str, document: Mapping[str, Any]) -> None:
        """Add one record."""
        self.add([Entry(kind, json.dumps(document, ensure_ascii=False).encode())])

    @property
    def size(self) -> int:
        """How long the file is [bytes]."""
        return os.fstat(self._descriptor).st_size

    def add(self, entries: Iterable[Entry]) -> None:
        """Add records, all or none.

        They outlive this process when this returns, and the machine after `sync`.

        Raises
        ------
        JournalError
            If the disk refuses.
        """
        content = b"".join(map(line_of, entries))
        before = self.size
        try:
            reach("journal.write")
            if is_armed("journal.torn"):
                self._write(content[: len(content) // 2])
                reach("journal.torn")
                os.ftruncate(self._descriptor, before)
            self._write(content)
            reach("journal.written")
        except OSError as error:
            # What comes next must not join what was not written whole.
            os.ftruncate(self._descriptor, before)
            raise self._fault(error) from error

    def _write(self, content: bytes) -> None:
        rest = memoryview(content)
        while rest:
            rest = rest[os.write(self._descriptor, rest) :]

    def sync(self) -> None:
        """Put all records on the disk."""
        try:
            os.fsync(self._descriptor)
        except OSError as error:
            raise self._fault(error) from error
        reach("journal.synced")

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)

    def _fault(self, error: OSError) -> JournalError:
        return JournalError(
            f"cannot write the journal {str(self.path)!r}: {error.strerror or error}"
        )


def read_journal(path: Path) -> Iterator[Entry]:
    """Give the records of a journal in order.

    Half a line at the end is passed over silently. In place of a record that
    does not match its checksum there is one of kind `DAMAGED`, and a warning:
    what it told of will count as not done.
    """
    with path.open("rb") as stream:
        for number, line in enumerate(stream, 1):
            entry = _parsed(line)
            if entry is not None:
                yield entry
            elif stream.peek(1):
                _LOG.warning("line %d of %s is damaged and does not count", number, path)
                yield Entry(DAMAGED, b"null")


def attempts_in(entries: Iterable[Entry]) -> Iterator[tuple[Entry, Entry]]:
    """Give the attempts at quanta that records tell of whole: record and notes of each."""
    last: Entry | None = None
    for entry in entries:
        if entry.kind == QUANTUM:
            last = entry
        elif entry.kind == NOTES and last is not None:
            yield last, entry
            last = None
        elif entry.kind == DAMAGED:  # what follows may be another's
            last = None


def _parsed(line: bytes) -> Entry | None:
    """Return a line's record, or None if it is not whole."""
    if not line.endswith(b"\n"):
        return None
    checksum, rest = line[:_CHECKSUM_LENGTH], line[_CHECKSUM_LENGTH + 1 : -1]
    if checksum != b"%08x" % zlib.crc32(rest):
        return None
    kind, _, text = rest.partition(b" ")
    return Entry(kind.decode(), text)


def _cut_torn_end(path: Path) -> None:
    """Cut off what follows the last line break."""
    with path.open("r+b") as stream:
        size = stream.seek(0, os.SEEK_END)
        end = size
        while end:
            begin = max(0, end - (1 << 16))
            stream.seek(begin)
            block = stream.read(end - begin)
            found = block.rfind(b"\n")
            if found >= 0:
                end = begin + found + 1
                break
            end = begin
        if end != size:
            stream.truncate(end)
