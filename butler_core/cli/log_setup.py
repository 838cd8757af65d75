"""Where log messages go, for as long as a program runs.

The settings are plain values, so that a worker process can be given the same.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TextIO

from butler_core.cli.log_options import LEVELS

_SHORT = "{name} {levelname}: {message}"
_LONG = "{levelname} {asctime} {name} ({labels})({filename}:{lineno}) - {message}"

#: Level of each, if no option says otherwise.
_PACKAGES_LEVEL, _ROOT_LEVEL = logging.INFO, logging.WARNING


@dataclass(frozen=True, slots=True)
class LogSettings:
    """What is logged, and where to."""

    #: Loggers that a level without a name is for.
    loggers: tuple[str, ...]
    #: Logger (None: ``loggers``; ``.`` or empty: all) and level, later ones winning.
    levels: tuple[tuple[str | None, int], ...] = ()
    is_long: bool = False
    #: Whether messages go to stderr.
    to_terminal: bool = True
    files: tuple[str, ...] = ()
    labels: tuple[tuple[str, str], ...] = ()

    @classmethod
    def from_options(
        cls,
        *,
        loggers: tuple[str, ...],
        log_level: tuple[tuple[str | None, int], ...],
        long_log: bool,
        log_file: tuple[str, ...],
        log_tty: bool,
        log_label: tuple[tuple[str, str], ...],
    ) -> LogSettings:
        """Make them of the values of `butler_core.cli.log_options`."""
        return cls(loggers, log_level, long_log, log_tty, log_file, log_label)


class LineFormatter(logging.Formatter):
    """Writes a record as one line of text, its time in UTC to the millisecond."""

    def formatTime(  # noqa: N802 - overrides
        self,
        record: logging.LogRecord,
        datefmt: str | None = None,  # noqa: ARG002 - as above
    ) -> str:
        """Return the record's time."""
        return _iso(record)


class JsonFormatter(logging.Formatter):
    """Writes a record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        fields = {
            "name": record.name,
            "asctime": _iso(record),
            "message": record.getMessage(),
            "levelname": record.levelname,
            "levelno": record.levelno,
            "filename": record.filename if hasattr(record, "filename") else "",
            "pathname": record.pathname,
            "lineno": record.lineno,
            "funcName": record.funcName,
            "process": record.process,
            "processName": record.processName,
            "MDC": getattr(record, "label_mapping", {}),
        }
        if record.exc_info:
            fields["exc_info"] = self.formatException(record.exc_info)
        return json.dumps(fields, default=str)


class _LabelFilter(logging.Filter):
    """Adds labels to every record."""

    def __init__(self, labels: tuple[tuple[str, str], ...]) -> None:
        super().__init__()
        self._labels = labels

    def filter(self, record: logging.LogRecord) -> bool:
        """Let the record pass."""
        record.labels = ", ".join(f"{key}={value}" for key, value in self._labels)
        record.label_mapping = dict(self._labels)
        return True


class _TerminalHandler(logging.StreamHandler[TextIO]):
    """Writes to whatever stderr is at the time, so that a progress bar can make room."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record."""
        self.stream = sys.stderr
        super().emit(record)


@contextmanager
def logging_as(settings: LogSettings) -> Iterator[None]:
    """Log as the settings say while the context lasts; put everything back after it.

    Raises
    ------
    OSError
        If a log file cannot be opened.
    """
    for name, number in LEVELS.items():
        if logging.getLevelName(number) != name:
            logging.addLevelName(number, name)
    root = logging.getLogger()
    with ExitStack() as stack:
        for handler in _handlers(settings):
            handler.addFilter(_LabelFilter(settings.labels))
            root.addHandler(handler)
            stack.callback(handler.close)
            stack.callback(root.removeHandler, handler)
        for name, level in _levels(settings):
            logger = logging.getLogger(name)
            stack.callback(logger.setLevel, logger.level)
            logger.setLevel(level)
        logging.captureWarnings(capture=True)
        stack.callback(logging.captureWarnings, capture=False)
        yield


def _handlers(settings: LogSettings) -> list[logging.Handler]:
    line = LineFormatter(_LONG if settings.is_long else _SHORT, style="{")
    handlers: list[logging.Handler] = []
    for name in settings.files:
        handler = logging.FileHandler(name, encoding="utf-8")
        handler.setFormatter(JsonFormatter() if name.endswith(".json") else line)
        handlers.append(handler)
    # With no handler at all, logging would write warnings to stderr by itself.
    terminal = _TerminalHandler() if settings.to_terminal else logging.NullHandler()
    terminal.setFormatter(line)
    return [*handlers, terminal]


def _levels(settings: LogSettings) -> list[tuple[str, int]]:
    levels = [("", _ROOT_LEVEL), *((name, _PACKAGES_LEVEL) for name in settings.loggers)]
    for component, level in settings.levels:
        names = settings.loggers if component is None else ("" if component == "." else component,)
        levels += [(name, level) for name in names]
    return levels


def _iso(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, tz=UTC).isoformat("T", "milliseconds")
