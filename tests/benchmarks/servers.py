"""The PostgreSQL server that repositories are made on: one that is given, or one of our own."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from typing import Any

VARIABLE = "BUTLER_TEST_POSTGRES_URL"
_MODULE = Path(__file__).parents[1] / "postgres_server.py"
#: What the names of all schemas begin with that the benchmarks make.
PREFIX = "bench_"


class Server:
    """A server, started when first asked for."""

    def __init__(self) -> None:
        self._own: Any = None
        self._url = os.environ.get(VARIABLE)

    @property
    def url(self) -> str:
        """Its URL."""
        if self._url is None:
            self._own = _load().PostgresServer.start()
            self._url = self._own.url
        return self._url

    def version(self) -> str | None:
        """Return the server's version, or None if nothing was asked of it."""
        if self._url is None:
            return None
        rows = self._run("SHOW server_version")
        return str(rows[0][0]).split()[0]

    def drop(self, schema: str) -> None:
        """Drop a schema with all that is in it."""
        self._run(f'DROP SCHEMA IF EXISTS "{schema}" CASCADE')

    def close(self) -> None:
        """Drop what the benchmarks made, and stop the server if it is our own."""
        if self._own is not None:
            self._own.stop()
        elif self._url is not None:
            pattern = PREFIX.replace("_", r"\_") + "%"
            names = self._run(f"SELECT nspname FROM pg_namespace WHERE nspname LIKE '{pattern}'")
            for (name,) in names:
                self.drop(name)

    def _run(self, statement: str) -> list[tuple[Any, ...]]:
        import psycopg

        with psycopg.connect(self.url, autocommit=True) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []


def _load() -> Any:
    """Import the module beside this folder, whose folder must not be searched for others."""
    specification = importlib.util.spec_from_file_location("postgres_server", _MODULE)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    sys.modules[specification.name] = module  # where its dataclasses look for it
    specification.loader.exec_module(module)
    return module
