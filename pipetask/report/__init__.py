"""What became of the quanta of runs, in tables, texts and JSON."""

from __future__ import annotations
