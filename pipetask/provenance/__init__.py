"""What happened to each quantum of a run: the journal while it goes on, the history after it."""

from __future__ import annotations
