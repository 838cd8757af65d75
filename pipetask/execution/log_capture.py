"""Keeps what is logged while a quantum runs."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any


class _Keeper(logging.Handler):
    def __init__(self, mdc: Mapping[str, str]) -> None:
        super().__init__(logging.NOTSET)
        # Another thread of this process may be running another quantum.
        self._thread = None if _is_main_thread() else threading.get_ident()
        self.records: list[dict[str, Any]] = []
        self._mdc = dict(mdc)

    def emit(self, record: logging.LogRecord) -> None:
        if self._thread is not None and record.thread != self._thread:
            return
        entry = {
            "name": record.name,
            "asctime": datetime.fromtimestamp(record.created, tz=UTC).isoformat(),
            "message": record.getMessage(),
            "levelno": record.levelno,
            "levelname": record.levelname,
            "filename": record.filename,
            "pathname": record.pathname,
            "lineno": record.lineno,
            "funcName": record.funcName,
            "process": record.process,
            "processName": record.processName,
            "MDC": self._mdc,
        }
        if record.exc_info:
            entry["exc_info"] = logging.Formatter().formatException(record.exc_info)
        self.records.append(entry)


@contextmanager
def captured_log(level: int, mdc: Mapping[str, str]) -> Iterator[list[dict[str, Any]]]:
    """Lend a list that fills with all that is logged, as Rubin's log records have it.

    Parameters
    ----------
    level
        Lowest level kept.
    mdc
        Context to note with each record, such as the label and the data ID.
    """
    keeper = _Keeper(mdc)
    keeper.setLevel(level)
    root = logging.getLogger()
    before = root.level
    root.addHandler(keeper)
    if before == logging.NOTSET or before > level:
        root.setLevel(level)
    logging.captureWarnings(True)
    try:
        yield keeper.records
    finally:
        logging.captureWarnings(False)
        root.setLevel(before)
        root.removeHandler(keeper)


def _is_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()
