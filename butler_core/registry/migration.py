"""Brings the tables of an older version up to that of this program, step by step.

A step is never changed once a release has had it. What a new registry gets is
in ``schema.py``; after the last step, an old one has the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from butler_core.errors import SchemaVersionError
from butler_core.registry.database import Database
from butler_core.registry.schema import SCHEMA_VERSION


@dataclass(frozen=True, slots=True)
class MigrationStep:
    """How tables get from one version to the next."""

    #: The version that it leads to.
    version: int
    #: What it does, for the user.
    what: str
    #: Statements by the name of the SQL dialect; none where it has nothing to do.
    statements: dict[str, tuple[str, ...]]


STEPS = (
    MigrationStep(
        2,
        "the key of a collection that is gone is never given to another one",
        {
            "sqlite": (
                (
                    "CREATE TABLE collection_new ("
                    "collection_id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, "
                    "name VARCHAR(512) NOT NULL, type SMALLINT NOT NULL, "
                    "doc TEXT DEFAULT '' NOT NULL, UNIQUE (name))"
                ),
                "INSERT INTO collection_new SELECT collection_id, name, type, doc FROM collection",
                "DROP TABLE collection",
                "ALTER TABLE collection_new RENAME TO collection",
            )
        },
    ),
)


def version_of(database: Database) -> int:
    """Return the version of a registry's tables; 0 if it does not say."""
    with database.connection() as connection:
        return _version(connection.connection.driver_connection)


def steps_from(version: int) -> tuple[MigrationStep, ...]:
    """Return the steps from a version to that of this program."""
    return tuple(step for step in STEPS if step.version > version)


def migrate(database: Database) -> tuple[MigrationStep, ...]:
    """Take all steps that are missing, or none; return those taken.

    Raises
    ------
    SchemaVersionError
        If the tables are newer than this program, or do not fit together afterwards.
    """
    is_sqlite = database.dialect.name == "sqlite"
    with database.connection() as connection:
        driver: Any = connection.connection.driver_connection
        if is_sqlite:  # a table that others refer to is made anew
            driver.execute("PRAGMA foreign_keys=OFF")
        try:
            driver.execute("BEGIN IMMEDIATE" if is_sqlite else "BEGIN")
            steps = _take_steps(driver, database)
            driver.commit()
        except BaseException:
            driver.rollback()
            raise
        finally:
            if is_sqlite:
                driver.execute("PRAGMA foreign_keys=ON")
    return steps


def _take_steps(driver: Any, database: Database) -> tuple[MigrationStep, ...]:
    version = _version(driver)
    if not 1 <= version <= SCHEMA_VERSION:
        raise SchemaVersionError(
            f"{database.place!r} has tables of version {version}; this program knows versions 1 "
            f"to {SCHEMA_VERSION}"
        )
    dialect, steps = database.dialect.name, steps_from(version)
    for step in steps:
        for statement in step.statements.get(dialect, ()):
            driver.execute(statement)
    driver.execute(
        f"UPDATE repository_attribute SET value = '{SCHEMA_VERSION}' "  # noqa: S608 - our own number
        "WHERE name = 'schema_version'"
    )
    if dialect == "sqlite" and driver.execute("PRAGMA foreign_key_check").fetchone() is not None:
        raise SchemaVersionError(
            f"the tables in {database.place!r} refer to rows that are not there; nothing was "
            "changed"
        )
    return steps


def _version(driver: Any) -> int:
    text = "SELECT value FROM repository_attribute WHERE name = 'schema_version'"
    row = driver.execute(text).fetchone()
    return int(row[0]) if row and str(row[0]).isdecimal() else 0
