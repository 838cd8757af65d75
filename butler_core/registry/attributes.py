"""The repository's own facts: schema version, universe, and whatever else has a name and a text."""

from __future__ import annotations

import sqlalchemy as sa

from butler_core.registry.database import Database
from butler_core.registry.schema import Schema


class AttributeTable:
    """Names and texts kept with the repository."""

    def __init__(self, database: Database, schema: Schema) -> None:
        self._database = database
        self._table = schema.attribute

    def get(self, name: str) -> str | None:
        """Return the text of a name, or None."""
        value = self._database.fetch_scalar(
            sa.select(self._table.c.value).where(self._table.c.name == name)
        )
        return None if value is None else str(value)

    def set(self, name: str, value: str) -> None:
        """Store a text under a name, replacing what was there."""
        self._database.insert_columns(
            self._table, {"name": [name], "value": [value]}, on_conflict="replace"
        )
