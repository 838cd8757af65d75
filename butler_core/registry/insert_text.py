"""The text of an INSERT statement, for drivers that are given rows as they are."""

from __future__ import annotations

from functools import lru_cache

import sqlalchemy as sa

from butler_core.registry.backend import OnConflict


@lru_cache(maxsize=256)
def insert_text(
    dialect: sa.Dialect,
    table: sa.Table,
    names: tuple[str, ...],
    mark: str,
    on_conflict: OnConflict,
    *,
    n_rows: int = 1,
) -> str:
    """Return a statement that inserts rows of values.

    Parameters
    ----------
    mark
        What stands for a value in the driver's language.
    """
    row = "(" + ", ".join([mark] * len(names)) + ")"
    values = ", ".join([row] * n_rows)
    head = insert_head(dialect, table, names)
    return f"{head} VALUES {values}{conflict_clause(dialect, table, names, on_conflict)}"


@lru_cache(maxsize=256)
def keyed_insert_text(
    dialect: sa.Dialect, key: str, *targets: tuple[sa.Table, tuple[str, ...]]
) -> str:
    """Return a statement of PostgreSQL's that inserts a row into each of several tables.

    All get the next value of the sequence that is the first parameter, in a
    column that they share; it is returned.

    Parameters
    ----------
    targets
        Tables with the names of the columns whose values are parameters.
    """
    quote = dialect.identifier_preparer.quote
    inserts = [
        f"{insert_head(dialect, table, (key, *names))} "  # noqa: S608 - quoted
        f"SELECT {', '.join(['key'] + ['%s'] * len(names))} FROM given"
        for table, names in targets
    ]
    others = "".join(f", to_{i} AS ({text})" for i, text in enumerate(inserts[:-1]))
    given = "WITH given AS (SELECT nextval(%s::regclass) AS key)"
    return f"{given}{others} {inserts[-1]} RETURNING {quote(key)}"


def insert_head(dialect: sa.Dialect, table: sa.Table, names: tuple[str, ...]) -> str:
    """Return the beginning of an INSERT statement, up to its columns."""
    quote = dialect.identifier_preparer.quote
    return f"INSERT INTO {quote(table.name)} ({', '.join(map(quote, names))})"


def conflict_clause(
    dialect: sa.Dialect, table: sa.Table, names: tuple[str, ...], on_conflict: OnConflict
) -> str:
    """Return the end of an INSERT statement: what to do with a key that is there."""
    if on_conflict == "raise":
        return ""
    if on_conflict == "skip":
        return " ON CONFLICT DO NOTHING"
    quote = dialect.identifier_preparer.quote
    key = ", ".join(quote(column.name) for column in table.primary_key)
    others = [name for name in names if name not in table.primary_key.columns]
    changes = ", ".join(f"{quote(name)} = excluded.{quote(name)}" for name in others)
    action = f"DO UPDATE SET {changes}" if changes else "DO NOTHING"
    return f" ON CONFLICT ({key}) {action}"
