"""Python's search for objects that refer to each other in circles."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collection_paused() -> Iterator[None]:
    """Search for no circles inside.

    Making 10^5 objects sets the search off again and again, each time through
    all of them, which costs more than making them; rows, and what is made of
    them, are in no circles.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
