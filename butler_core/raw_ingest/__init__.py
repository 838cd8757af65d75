"""Raw files: found, their headers read, their exposures and datasets stored.

Writes no raw file and reads no pixel. Rubin's index and sidecar files are not
looked at: headers are read from the files themselves.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES = {
    "RawFailure": "request",
    "RawIngestReport": "request",
    "RawIngestRequest": "request",
    "find_raw_files": "locations",
    "ingest_raws": "ingest",
}

__all__ = ["RawFailure", "RawIngestReport", "RawIngestRequest", "find_raw_files", "ingest_raws"]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
