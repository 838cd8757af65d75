"""Where a registry's database is, and how to open it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from butler_core.errors import ConfigError
from butler_core.registry.backend import Backend
from butler_core.registry.database import Database

_SQLITE = "sqlite:///"
_POSTGRESQL = ("postgresql://", "postgresql+psycopg://", "postgres://")

#: A name that needs no quoting anywhere; of at most 63 bytes, as the server cuts longer ones.
_SCHEMA_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")


@dataclass(frozen=True, slots=True)
class RegistryAddress:
    """A database, and the schema in it.

    Raises
    ------
    ConfigError
        If the URL is of no kind that can be opened, or the schema cannot be.
    """

    #: ``sqlite:///PATH`` or ``postgresql://HOST/NAME``.
    url: str
    #: Of PostgreSQL alone: where the repository's tables are; ``public`` if None.
    schema: str | None = None

    def __post_init__(self) -> None:
        if self.is_sqlite:
            if self.schema:
                raise ConfigError(
                    f"a SQLite file has no schemas; {self.schema!r} can be one of PostgreSQL only"
                )
            return
        if not self.url.startswith(_POSTGRESQL):
            raise ConfigError(
                f"the registry's database {self.url.rpartition('@')[2]!r} is not of a kind that "
                "can be opened; sqlite:///PATH and postgresql://HOST/NAME are"
            )
        if self.schema is not None and not _SCHEMA_NAME.fullmatch(self.schema):
            raise ConfigError(
                f"{self.schema!r} cannot be the name of a schema: give lower-case letters, digits "
                "and _, 63 at most and no digit first"
            )

    @classmethod
    def of_file(cls, path: Path) -> RegistryAddress:
        """Return the address of a SQLite file."""
        return cls(f"{_SQLITE}{path}")

    @property
    def is_sqlite(self) -> bool:
        """Whether it is a SQLite file."""
        return self.url.startswith(_SQLITE)

    @property
    def path(self) -> Path | None:
        """The SQLite file; None of a server."""
        return Path(self.url.removeprefix(_SQLITE)) if self.is_sqlite else None

    def open(self, *, writeable: bool) -> Database:
        """Open the database that is there.

        Raises
        ------
        RepositoryNotFoundError
            If there is no such file, server or database.
        """
        return Database(self._backend(writeable=writeable), is_writeable=writeable)

    def create(self) -> Database:
        """Make what a new registry needs around its tables, and open it for writing."""
        if self.path is not None:
            from butler_core.registry import sqlite_file

            sqlite_file.choose_journal(self.path)
            return self.open(writeable=True)
        database = self.open(writeable=True)
        schema = self.schema or "public"
        try:
            with database.transaction() as connection:
                connection.exec_driver_sql(f'CREATE SCHEMA IF NOT EXISTS "{schema}"')
        except BaseException:
            database.close()
            raise
        return database

    def _backend(self, *, writeable: bool) -> Backend:
        if self.path is not None:
            from butler_core.registry.sqlite_backend import SqliteBackend

            return SqliteBackend(self.path, writeable=writeable)
        from butler_core.registry.postgresql_backend import PostgresqlBackend
        from butler_core.registry.postgresql_options import connection_options, place_of

        schema = self.schema or "public"
        return PostgresqlBackend(connection_options(self.url), schema, place_of(self.url, schema))
