"""Column types whose form differs between databases."""

from __future__ import annotations

import uuid
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Dialect


class DatasetIdColumn(sa.types.TypeDecorator[bytes]):
    """A dataset's UUID: 16 bytes in Python and SQLite, ``uuid`` in PostgreSQL."""

    impl = sa.LargeBinary
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> sa.types.TypeEngine[Any]:
        """Choose the database's own type."""
        if dialect.name == "postgresql":
            return dialect.type_descriptor(postgresql.UUID(as_uuid=True))
        return dialect.type_descriptor(sa.LargeBinary(16))

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        """Turn bytes or a UUID into what the driver takes."""
        if value is None:
            return None
        raw = value.bytes if isinstance(value, uuid.UUID) else bytes(value)
        return uuid.UUID(bytes=raw) if dialect.name == "postgresql" else raw

    def process_result_value(self, value: Any, dialect: Dialect) -> bytes | None:  # noqa: ARG002 - the base's signature
        """Turn what the driver gives into bytes."""
        return value.bytes if isinstance(value, uuid.UUID) else value
