"""Holds back the first interrupt from the keyboard, so that what runs can end."""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_LOG = logging.getLogger(__name__)


class Interrupts:
    """Whether there was an interrupt."""

    came: bool = False

    def take(self, number: int, frame: FrameType | None) -> None:
        """Note the first interrupt, raise the second."""
        if self.came:
            signal.default_int_handler(number, frame)
        self.came = True
        _LOG.warning("interrupted: waiting for what runs; interrupt again to stop at once")


@contextmanager
def first_interrupt_held() -> Iterator[Interrupts]:
    """Lend a note of whether there was an interrupt; only the main thread gets any."""
    interrupts = Interrupts()
    if threading.current_thread() is not threading.main_thread():
        yield interrupts
        return
    before = signal.signal(signal.SIGINT, interrupts.take)
    try:
        yield interrupts
    finally:
        signal.signal(signal.SIGINT, before)
