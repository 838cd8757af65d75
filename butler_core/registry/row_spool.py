"""Rows that wait in a temporary file, so that no cursor has to stay open for them."""

from __future__ import annotations

import pickle
import tempfile
from collections.abc import Iterable, Iterator
from typing import Any

Rows = list[tuple[Any, ...]]


class RowSpool:
    """Takes all pages of an answer at once and gives them one by one."""

    def __init__(self, pages: Iterable[Rows]) -> None:
        self._file = tempfile.TemporaryFile(prefix="butler-rows-")  # noqa: SIM115 - closed by pages()
        self._count = 0
        for page in pages:
            pickle.dump(page, self._file, protocol=pickle.HIGHEST_PROTOCOL)
            self._count += 1

    def pages(self) -> Iterator[Rows]:
        """Give the pages, once."""
        with self._file as file:
            file.seek(0)
            for _ in range(self._count):
                yield pickle.load(file)  # noqa: S301 - our own, of a nameless file
