"""Holds back the first interrupt, so that what runs can end."""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_LOG = logging.getLogger(__name__)


class Interrupts:
    """Whether there was an interrupt, from the keyboard or from a batch system."""

    came: bool = False

    def take(self, number: int, frame: FrameType | None) -> None:
        """Note the first interrupt, raise the second."""
        if self.came:
            signal.default_int_handler(number, frame)
        self.came = True
        _LOG.warning("interrupted: waiting for what runs; interrupt again to stop at once")


@contextmanager
def first_interrupt_held(interrupts: Interrupts) -> Iterator[None]:
    """Let interrupts be noted inside; only the main thread gets any."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, interrupts.take) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
