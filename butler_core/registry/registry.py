"""The registry's families of tables, behind one door."""

from __future__ import annotations

import json

from butler_core.dimensions.universe import DimensionUniverse
from butler_core.errors import RepositoryExistsError, SchemaVersionError
from butler_core.registry.address import RegistryAddress
from butler_core.registry.attributes import AttributeTable
from butler_core.registry.collections import CollectionTable
from butler_core.registry.database import Database
from butler_core.registry.dataset_labels import DatasetLabels
from butler_core.registry.dataset_lookup import DatasetLookup
from butler_core.registry.dataset_types import DatasetTypeTable
from butler_core.registry.datasets import DatasetTables
from butler_core.registry.dimension_records import DimensionRecordTables
from butler_core.registry.file_records import FileRecordTable
from butler_core.registry.memberships import MembershipTables
from butler_core.registry.migration import MigrationStep, migrate, steps_from, version_of
from butler_core.registry.prepared_statement import StatementCache
from butler_core.registry.schema import SCHEMA_VERSION, Schema


class Registry:
    """What exists in one repository. Runs statements; does not parse, plan or format."""

    def __init__(self, database: Database, universe: DimensionUniverse) -> None:
        self.database = database
        self.universe = universe
        self.schema = Schema(universe)
        self.attributes = AttributeTable(database, self.schema)
        self.collections = CollectionTable(database, self.schema)
        self.dataset_types = DatasetTypeTable(database, self.schema)
        self.records = DimensionRecordTables(database, self.schema)
        self.datasets = DatasetTables(database, self.schema, self.dataset_types)
        self.lookup = DatasetLookup(database, self.schema)
        self.labels = DatasetLabels(database, self.schema, self.dataset_types)
        self.memberships = MembershipTables(database)
        #: Statements that were compiled before, by what they ask.
        self.prepared = StatementCache(database.dialect)
        self.files = FileRecordTable(database, self.schema)

    @classmethod
    def create(cls, address: RegistryAddress, universe: DimensionUniverse) -> Registry:
        """Make a new registry with all tables that every repository has.

        Raises
        ------
        RepositoryExistsError
            If the database has one already.
        """
        registry = cls(address.create(), universe)
        database = registry.database
        try:
            with database.transaction():
                _require_empty(database)
                database.create_tables(registry.schema.metadata)
                registry.attributes.set("schema_version", str(SCHEMA_VERSION))
                registry.attributes.set("dimension_universe", json.dumps(universe.config))
        except BaseException:
            database.close()
            raise
        return registry

    @classmethod
    def open(cls, address: RegistryAddress, *, writeable: bool) -> Registry:
        """Open an existing registry.

        Raises
        ------
        SchemaVersionError
            If its tables are Rubin's, or of a version that we do not know.
        """
        database = address.open(writeable=writeable)
        try:
            return cls(database, _universe_of(database))
        except BaseException:
            database.close()
            raise

    @staticmethod
    def migrate(address: RegistryAddress, *, dry_run: bool) -> tuple[MigrationStep, ...]:
        """Bring an existing registry's tables up to this program's version.

        Parameters
        ----------
        dry_run
            Whether to return the steps that are missing and to take none.

        Raises
        ------
        SchemaVersionError
            If its tables are Rubin's, or newer than this program.
        """
        database = address.open(writeable=not dry_run)
        try:
            _require_ours(database)
            if dry_run:
                return steps_from(_known_version(database))
            return migrate(database)
        finally:
            database.close()

    def discard(self) -> None:
        """Close a registry that was just made, and take its tables away again."""
        self.database.drop_tables(self.schema.metadata)
        self.close()

    def close(self) -> None:
        """Close the database."""
        self.database.close()


def _require_empty(database: Database) -> None:
    if database.has_table("repository_attribute"):
        raise RepositoryExistsError(
            f"there is a data repository in {database.place!r} already; in a PostgreSQL database, "
            "each needs a --schema of its own"
        )


def _require_ours(database: Database) -> None:
    if database.has_table("repository_attribute"):
        return
    if database.has_table("butler_attributes"):
        raise SchemaVersionError(
            f"{database.place!r} is a repository of Rubin's middleware, whose tables differ "
            "from ours; export it with Rubin's butler and bring the export in with "
            "`butler import`"
        )
    raise SchemaVersionError(f"{database.place!r} is not the registry of a data repository")


def _known_version(database: Database) -> int:
    """Return the version of the tables, if this program or an older one made them."""
    version = version_of(database)
    if 1 <= version <= SCHEMA_VERSION:
        return version
    raise SchemaVersionError(
        f"{database.place!r} has tables of version {version}; this program knows versions up to "
        f"{SCHEMA_VERSION}: use a newer program"
    )


def _universe_of(database: Database) -> DimensionUniverse:
    _require_ours(database)
    version = _known_version(database)
    if version != SCHEMA_VERSION:
        raise SchemaVersionError(
            f"{database.place!r} has tables of version {version}; this program needs version "
            f"{SCHEMA_VERSION}: `butler migrate` on the repository upgrades them, after which "
            "older programs cannot use it"
        )
    attributes = AttributeTable(database, Schema(DimensionUniverse.default()))
    config = json.loads(attributes.get("dimension_universe") or "null")
    default = DimensionUniverse.default()
    return default if config == default.config else DimensionUniverse(config)
