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
    root.addHandler(keeper)
    try:
        with _opened(level):
            yield keeper.records
    finally:
        root.removeHandler(keeper)


class _Opened:
    """How many threads capture at this time, and the root logger's level before them."""

    lock = threading.Lock()
    n_captures = 0
    level_before = logging.NOTSET


@contextmanager
def _opened(level: int) -> Iterator[None]:
    """Let everything from a level up, and warnings, through to the root logger's handlers."""
    root = logging.getLogger()
    with _Opened.lock:
        if not _Opened.n_captures:
            _Opened.level_before = root.level
            logging.captureWarnings(True)
        _Opened.n_captures += 1
        if root.level == logging.NOTSET or root.level > level:
            root.setLevel(level)
    try:
        yield
    finally:
        with _Opened.lock:
            _Opened.n_captures -= 1
            if not _Opened.n_captures:
                logging.captureWarnings(False)
                root.setLevel(_Opened.level_before)


def _is_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()
