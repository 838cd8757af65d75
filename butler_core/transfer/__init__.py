"""Export files and dimension records: what comes into a repository, or leaves it, as a document."""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES = {
    "CalibrationExport": "export_calibrations",
    "ExportRequest": "export_file",
    "ExportSummary": "export_file",
    "ImportRequest": "import_file",
    "ImportSummary": "import_file",
    "columns_of_records": "record_columns",
    "export_calibs": "export_calibrations",
    "export_repository": "export_file",
    "import_repository": "import_file",
}

__all__ = [
    "CalibrationExport",
    "ExportRequest",
    "ExportSummary",
    "ImportRequest",
    "ImportSummary",
    "columns_of_records",
    "export_calibs",
    "export_repository",
    "import_repository",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
