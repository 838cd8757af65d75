"""Tables as Parquet files, through DuckDB.

Units, descriptions, column shapes and metadata are kept in the key
``table_meta_yaml``, in the YAML that astropy and Rubin's software keep there
too, so that files go both ways. pyarrow and pandas are not needed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from butler_core.errors import ReadFileError, WriteFileError
from butler_core.formatters.formatter import ReadRequest
from butler_core.formatters.opening import cannot_open, local_path, open_binary
from butler_core.formatters.parquet_columns import column_of, column_sources
from butler_core.formatters.table_conversion import as_table, check_columns, table_schema

#: Key of the file's metadata that describes the astropy table.
META_KEY = "table_meta_yaml"


@dataclass(frozen=True)
class ParquetFormatter:
    """Reads and writes `astropy.table.Table` objects and what converts to them."""

    extension: ClassVar[str] = ".parq"
    write_parameters: ClassVar[frozenset[str]] = frozenset()

    def write(self, obj: Any, path: Path) -> None:
        """Write a table.

        Parameters
        ----------
        obj
            A table, or what `table_conversion.as_table` makes one of.
        path
            Where to write.
        """
        import duckdb
        from astropy.table.meta import get_yaml_from_table
        from astropy.table.serialize import represent_mixins_as_columns

        table = represent_mixins_as_columns(as_table(obj))
        if not table.colnames:
            raise WriteFileError("a table without columns has no Parquet form; give it one.")
        described = "\n".join(get_yaml_from_table(table))
        arrays, selections = column_sources(table)
        with _connection() as connection:
            connection.register("source", arrays)
            try:
                connection.execute(
                    f"COPY (SELECT {', '.join(selections)} FROM source) TO {_quoted(str(path))} "  # noqa: S608 - quoted
                    f"(FORMAT parquet, COMPRESSION zstd, KV_METADATA {{{META_KEY}: "
                    f"{_quoted(described)}}})"
                )
            except duckdb.Error as error:
                raise WriteFileError(f"the table has no Parquet form: {error}.") from error

    def read(self, request: ReadRequest) -> Any:
        """Read a table, or its columns' names, number of rows or schema.

        Parameters
        ----------
        request
            Honours the parameter ``columns`` (a name or a list of names); the
            others' bytes are not read.
        """
        import duckdb

        columns = request.take_parameters("columns").get("columns")
        try:
            with _connection() as connection:
                source = _register_file(connection, request)
                types = _column_types(connection, source)
                if columns is not None:
                    wanted = check_columns(columns, list(types), request.path)
                    types = {name: types[name] for name in wanted}
                if request.component == "columns":
                    return list(types)
                if request.component == "rowcount":
                    return _row_count(connection, source)
                if request.component not in {None, "schema"}:
                    raise request.unknown_component(("columns", "rowcount", "schema"))
                if request.component == "schema":
                    return table_schema(_read_table(connection, source, types, "LIMIT 0"))
                table = _read_table(connection, source, types, "")
        except duckdb.Error as error:
            raise ReadFileError(f"{request.path!r} cannot be read as Parquet: {error}.") from error
        return request.storage_class.check(table)


@contextmanager
def _connection() -> Iterator[Any]:
    """Open an in-memory database; one thread, so that row order and bytes are always the same."""
    import duckdb

    connection = duckdb.connect(config={"threads": 1})
    try:
        yield connection
    finally:
        connection.close()


def _register_file(connection: Any, request: ReadRequest) -> str:
    """Make a file readable by the database; return its quoted name."""
    path = local_path(request.path)
    if path is not None:
        # The database's own message for an absent file speaks of patterns.
        with open_binary(request) as stream:
            _check_magic(stream.read(4), request.path)
        return _quoted(_without_patterns(str(path)))
    import fsspec

    try:
        file_system, _ = fsspec.core.url_to_fs(request.path, **(request.fs_options or {}))
    except (OSError, ImportError, ValueError) as error:
        raise cannot_open(request, error) from error
    if not file_system.exists(request.path):
        raise cannot_open(request, FileNotFoundError())
    connection.register_filesystem(file_system)
    return _quoted(_without_patterns(request.path))


def _check_magic(magic: bytes, path: str) -> None:
    """Refuse what is no Parquet file."""
    if magic != b"PAR1":
        raise ReadFileError(f"{path!r} is no Parquet file: it begins with {magic!r}, not b'PAR1'.")


def _without_patterns(path: str) -> str:
    """Spell a path so that the database takes its wildcard characters as they are."""
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in path)


def _quoted(text: str) -> str:
    """Quote a text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def _column_types(connection: Any, source: str) -> dict[str, str]:
    """Return the SQL types of a file's columns by name."""
    rows = connection.execute(f"DESCRIBE SELECT * FROM read_parquet({source})").fetchall()  # noqa: S608 - quoted
    return {row[0]: str(row[1]) for row in rows}


def _row_count(connection: Any, source: str) -> int:
    """Return the number of rows, from the file's footer."""
    rows = connection.execute(f"SELECT count(*) FROM read_parquet({source})").fetchall()  # noqa: S608 - quoted
    return int(rows[0][0])


def _read_table(connection: Any, source: str, types: Mapping[str, str], limit: str) -> Any:
    """Read columns into an astropy table, with what the file's metadata say of them."""
    from astropy.table import Table

    keys = _key_values(connection, source)
    described = _described(keys)
    selected = ", ".join('"' + name.replace('"', '""') + '"' for name in types)
    fetched = connection.execute(
        f"SELECT {selected} FROM read_parquet({source}) {limit}"  # noqa: S608 - quoted
    ).fetchnumpy()
    facts_by_name = {facts["name"]: facts for facts in described.get("datatype", ())}
    table = Table(
        {
            name: column_of(
                fetched[name], facts_by_name.get(name, {}), types[name], is_pandas="pandas" in keys
            )
            for name in types
        }
    )
    for name in types:
        facts = facts_by_name.get(name, {})
        if facts.get("unit") is not None:
            import astropy.units as u

            table[name].unit = u.Unit(facts["unit"], parse_strict="silent")
        for attribute in ("description", "format", "meta"):
            if attribute in facts:
                setattr(table[name].info, attribute, facts[attribute])
    table.meta.update(described.get("meta", {}))
    return _with_mixins(table)


def _with_mixins(table: Any) -> Any:
    """Put times, coordinates and the like together again, of the columns read."""
    from astropy.table import serialize

    made = table.meta.get("__serialized_columns__")
    if made is None:
        return table
    if any(not _parts(spec, name) <= set(table.colnames) for name, spec in made.items()):
        # A part is not among the columns asked for: the parts there are stay plain.
        del table.meta["__serialized_columns__"]
        return table
    return serialize._construct_mixins_from_columns(table)  # noqa: SLF001 - its only way


def _parts(spec: Any, name: str) -> set[str]:
    """Columns that a mixin's description names."""
    if not isinstance(spec, Mapping):
        return set()
    if set(spec) == {"name"}:
        return {str(spec["name"])}
    return set().union(*(_parts(item, name) for item in spec.values()))


def _key_values(connection: Any, source: str) -> dict[str, bytes]:
    """Return a file's metadata."""
    rows = connection.execute(f"SELECT key, value FROM parquet_kv_metadata({source})").fetchall()  # noqa: S608 - quoted
    return {bytes(key).decode(): bytes(value) for key, value in rows}


def _described(keys: Mapping[str, bytes]) -> Mapping[str, Any]:
    """Parse what astropy says of the table, if it does."""
    from astropy.table.meta import YamlParseError, get_header_from_yaml

    if META_KEY not in keys:
        return {}
    try:
        described: Mapping[str, Any] = get_header_from_yaml(keys[META_KEY].decode().split("\n"))
    except YamlParseError as error:
        raise ReadFileError(f"the file's {META_KEY!r} is malformed: {error}.") from error
    return described
