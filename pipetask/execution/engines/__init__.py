"""Where quanta run: each engine gives a `concurrent.futures.Executor`."""

from __future__ import annotations
