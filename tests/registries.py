"""Repositories for tests, with their registries in a SQLite file or in PostgreSQL."""

from __future__ import annotations

import itertools
import os
import shutil
from pathlib import Path
from typing import Any, Protocol

import sqlalchemy as sa
import yaml

from butler_core import Butler
from butler_core.registry.address import RegistryAddress

SCHEMA = "repository"


class Registries(Protocol):
    """Makes registries of one kind."""

    #: ``sqlite`` or ``postgresql``.
    kind: str

    def address(self, root: Path) -> RegistryAddress:
        """Return where a new registry may be made, for a repository in some directory."""
        ...

    def create(self, root: Path, **options: Any) -> Butler:
        """Make a repository."""
        ...

    def copy(self, source: Path, target: Path) -> None:
        """Copy a repository that nobody has open."""
        ...


class SqliteRegistries:
    """Registries in a file beside ``butler.yaml``."""

    kind = "sqlite"

    def address(self, root: Path) -> RegistryAddress:
        return RegistryAddress.of_file(root / "gen3.sqlite3")

    def create(self, root: Path, **options: Any) -> Butler:
        return Butler.create(root, **options)

    def copy(self, source: Path, target: Path) -> None:
        shutil.copytree(source, target)


class PostgresqlRegistries:
    """Registries in databases of their own on one server."""

    kind = "postgresql"

    def __init__(self, server: Any) -> None:
        self.server = server
        self._made: list[str] = []
        self._numbers = itertools.count()

    def _database(self, template: str = "template0") -> str:
        name = f"butler_test_{os.getpid()}_{next(self._numbers)}"
        self.server.run(f"CREATE DATABASE {name} TEMPLATE {template}")
        self._made.append(name)
        return name

    def address(self, root: Path) -> RegistryAddress:
        return RegistryAddress(self.server.url_of(self._database()), SCHEMA)

    def create(self, root: Path, **options: Any) -> Butler:
        address = self.address(root)
        return Butler.create(root, registry=address.url, schema=address.schema, **options)

    def copy(self, source: Path, target: Path) -> None:
        shutil.copytree(source, target)
        path = target / "butler.yaml"
        config = yaml.safe_load(path.read_text())
        template = sa.make_url(config["registry"]["db"]).database
        assert template is not None
        config["registry"]["db"] = self.server.url_of(self._database(template))
        path.write_text(yaml.safe_dump(config))

    def close(self) -> None:
        """Drop what was made."""
        for name in self._made:
            self.server.run(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
