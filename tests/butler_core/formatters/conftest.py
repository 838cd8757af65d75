"""Fixtures for formatters: requests by storage class, and a file system that counts bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest
from fsspec.implementations.local import LocalFileSystem

from butler_core.datasets.storage_class import StorageClassRegistry
from butler_core.formatters.formatter import ReadRequest


@pytest.fixture
def ask() -> Callable[..., ReadRequest]:
    """Make a read request of a path and a storage class's name."""

    def make(path: object, storage_class: str, component: str | None = None, **kw: Any) -> Any:
        found = StorageClassRegistry.default().get(storage_class)
        return ReadRequest(str(path), found, component, **kw)

    return make


class CountingFileSystem(LocalFileSystem):
    """Local files under ``counting://``; counts the bytes that are fetched."""

    protocol = "counting"
    cachable = False
    n_bytes = 0

    def _open(self, path: str, mode: str = "rb", **kwargs: Any) -> Any:
        file_system = self
        size = Path(path).stat().st_size

        class Fetching(fsspec.spec.AbstractBufferedFile):
            def _fetch_range(self, start: int, end: int) -> bytes:
                type(file_system).n_bytes += end - start
                with Path(path).open("rb") as stream:
                    stream.seek(start)
                    return stream.read(end - start)

        return Fetching(
            self,
            path,
            mode,
            block_size=kwargs["block_size"],
            cache_type=kwargs["cache_type"],
            size=size,
        )


@pytest.fixture
def counting() -> Iterator[type[CountingFileSystem]]:
    """Register the counting file system; its count starts at 0."""
    fsspec.register_implementation("counting", CountingFileSystem, clobber=True)
    CountingFileSystem.n_bytes = 0
    yield CountingFileSystem
    CountingFileSystem.n_bytes = 0
