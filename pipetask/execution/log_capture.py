"""Keeps what is logged while a quantum runs."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime

from pipetask.execution.bounded_log import BoundedLog

#: Warnings and errors that are told to the parent, from the first on.
_MOST_WARNINGS = 10


class CapturedLog(logging.Handler):
    """Fills while it is the root logger's handler.

    Parameters
    ----------
    mdc
        Context to note with each record, such as the label and the data ID.
    """

    def __init__(self, mdc: Mapping[str, str]) -> None:
        super().__init__(logging.NOTSET)
        # Another thread of this process may be running another quantum.
        self._thread = None if _is_main_thread() else threading.get_ident()
        self.kept = BoundedLog()
        #: Logger, level and message of the first warnings and errors.
        self.warnings: list[tuple[str, int, str]] = []
        self._mdc = dict(mdc)

    def emit(self, record: logging.LogRecord) -> None:  # noqa: D102 - as its base class says
        if self._thread is not None and record.thread != self._thread:
            return
        trace = logging.Formatter().formatException(record.exc_info) if record.exc_info else ""
        message = _message(record)
        self._add(record, message, trace)
        if record.levelno >= logging.WARNING and len(self.warnings) < _MOST_WARNINGS:
            self.warnings.append((record.name, record.levelno, message))

    def _add(self, record: logging.LogRecord, message: str, trace: str = "") -> None:
        entry = {
            "name": record.name,
            "asctime": datetime.fromtimestamp(record.created, tz=UTC).isoformat(),
            "message": _storable(message),
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
        if trace:
            entry["exc_info"] = _storable(trace)
        self.kept.append(entry)

    def add_failure(self, message: str, trace: str) -> None:
        """Keep what ended the quantum; the parent tells the terminal."""
        record = logging.LogRecord(__name__, logging.ERROR, "", 0, message, None, None)
        self._add(record, message, trace)

    def add_text(self, name: str, text: str) -> None:
        """Keep a text that was printed, not logged."""
        self._add(logging.LogRecord(name, logging.INFO, "", 0, text, None, None), text)


def _storable(text: str) -> str:
    """Return a text without what no file can hold, such as halves of characters."""
    return text.encode(errors="backslashreplace").decode()


def _message(record: logging.LogRecord) -> str:
    """Return what a record says; a wrong call of the logger is no failure of the task."""
    try:
        return record.getMessage()
    except (TypeError, ValueError, LookupError) as error:
        return f"{record.msg!r} with {record.args!r}: {error}"


@contextmanager
def captured_log(level: int, mdc: Mapping[str, str]) -> Iterator[CapturedLog]:
    """Lend a log that fills with all that is logged, as Rubin's log records have it.

    Parameters
    ----------
    level
        Lowest level kept.
    mdc
        Context to note with each record.
    """
    keeper = CapturedLog(mdc)
    keeper.setLevel(level)
    root = logging.getLogger()
    root.addHandler(keeper)
    try:
        with _opened(level):
            yield keeper
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
