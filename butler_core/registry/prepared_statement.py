"""A statement compiled once, for questions that are asked again and again with other values."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from butler_core.registry.result_rows import result_processors


@dataclass(frozen=True, slots=True)
class PreparedStatement:
    """The text of a query as the driver takes it."""

    text: str
    #: Names of the result's columns.
    names: tuple[str, ...]
    #: Values of the parameters that stay the same, as the driver takes them.
    constants: Mapping[str, Any]
    #: Names of the parameters by place; None where the driver takes them by name.
    places: tuple[str, ...] | None
    #: What turns a parameter's value into the driver's, by name.
    bind_processors: Mapping[str, Any]
    #: What turns a result's values into Python's, by column; None where nothing does.
    result_processors: tuple[Any, ...]

    def parameters(self, values: Mapping[str, Any]) -> Any:
        """Return the driver's parameters for some values."""
        bound = dict(self.constants)
        for name, value in values.items():
            process = self.bind_processors.get(name)
            bound[name] = value if process is None else process(value)
        if self.places is None:
            return bound
        return tuple(bound[name] for name in self.places)


class StatementCache:
    """Keeps the statements compiled last, by what they ask."""

    def __init__(self, dialect: sa.Dialect, most: int = 512) -> None:
        self._dialect = dialect
        self._most = most
        self._kept: dict[Hashable, PreparedStatement] = {}

    def get(self, key: Hashable, write: Callable[[], Any]) -> PreparedStatement | None:
        """Return the statement kept under a key, written and compiled if there is none.

        Parameters
        ----------
        write
            Returns the query; None if there can be no statement, which is not kept.
        """
        statement = self._kept.get(key)
        if statement is None:
            select = write()
            if select is None:
                return None
            if len(self._kept) >= self._most:
                self._kept.clear()
            statement = self._kept[key] = prepare_statement(self._dialect, select)
        return statement


def placeholder(name: str, like: Any) -> Any:
    """Return what stands for a value that is given when the statement is run.

    Parameters
    ----------
    like
        A column whose type it has.
    """
    return sa.bindparam(name, None, type_=like.type, required=False)


def prepare_statement(dialect: sa.Dialect, select: Any) -> PreparedStatement:
    """Compile a query; the values of its placeholders are given later.

    Parameters
    ----------
    select
        A query. A list that IN looks through must be a constant.
    """
    compiled = select.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})
    processors = dict(compiled._bind_processors)  # noqa: SLF001 - SQLAlchemy has no public way
    constants = {
        name: value if name not in processors else processors[name](value)
        for name, value in compiled.params.items()
        if value is not None
    }
    places = compiled.positiontup if compiled.positional else None
    return PreparedStatement(
        str(compiled),
        tuple(column.name for column in select.selected_columns),
        constants,
        None if places is None else tuple(places),
        processors,
        result_processors(dialect, select),
    )
