"""Rows that wait in a temporary file, so that no cursor has to stay open for them."""

from __future__ import annotations

import pickle
import tempfile
import weakref
from collections.abc import Iterable, Iterator
from typing import IO, Any

Rows = list[tuple[Any, ...]]


class RowSpool:
    """Takes all pages of an answer at once and gives them one by one, as often as one likes.

    The first page stays in memory; a file is made when there are more.
    """

    def __init__(self, pages: Iterable[Rows]) -> None:
        remaining = iter(pages)
        self._first = next(remaining, [])
        #: How many rows there are.
        self.n_rows = len(self._first)
        self._file: IO[bytes] | None = None
        #: Where each further page begins in the file [bytes].
        self._starts: list[int] = []
        for page in remaining:
            if self._file is None:
                self._file = tempfile.TemporaryFile(prefix="butler-rows-")  # noqa: SIM115 - goes with us
                weakref.finalize(self, self._file.close)
            self._starts.append(self._file.tell())
            pickle.dump(page, self._file, protocol=pickle.HIGHEST_PROTOCOL)
            self.n_rows += len(page)

    def pages(self) -> Iterator[Rows]:
        """Give the pages."""
        yield self._first
        for start in self._starts:
            assert self._file is not None
            self._file.seek(start)
            yield pickle.load(self._file)  # noqa: S301 - our own, of a nameless file
