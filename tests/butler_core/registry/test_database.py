from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest
import sqlalchemy as sa

from butler_core.errors import (
    DatabaseBusyError,
    ReadOnlyRepositoryError,
    RepositoryError,
    RepositoryNotFoundError,
)
from butler_core.registry import sqlite_file
from butler_core.registry.address import RegistryAddress
from butler_core.registry.database import Database

TABLE = sa.Table(
    "thing",
    sa.MetaData(),
    sa.Column("key", sa.Integer, primary_key=True),
    sa.Column("text", sa.String),
    sa.Column("flag", sa.Boolean),
)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    path = tmp_path / "some.sqlite3"
    sqlite_file.choose_journal(path)
    database = RegistryAddress.of_file(path).open(writeable=True)
    database.create_tables(TABLE.metadata)
    database.close()
    return path


@pytest.fixture
def database(place: Path):
    found = RegistryAddress.of_file(place).open(writeable=True)
    yield found
    found.close()


def _keys(database: Database) -> list[int]:
    return [row[0] for row in database.fetch_rows(sa.select(TABLE.c.key).order_by(TABLE.c.key))]


def _add(database: Database, *keys: int) -> None:
    database.insert_columns(
        TABLE, {"key": keys, "text": ["x"] * len(keys), "flag": [True] * len(keys)}
    )


def test_columns_come_back_as_they_went_in(database: Database) -> None:
    columns = {"key": [1, 2, 3], "text": ["a", None, "c"], "flag": [True, False, None]}

    database.insert_columns(TABLE, columns)

    assert database.fetch_columns(sa.select(TABLE).order_by(TABLE.c.key)) == columns


def test_no_rows_still_have_columns(database: Database) -> None:
    assert database.fetch_columns(sa.select(TABLE)) == {"key": [], "text": [], "flag": []}


def test_more_rows_than_a_chunk_are_inserted_whole(database: Database) -> None:
    _add(database, *range(45_001))

    assert len(_keys(database)) == 45_001


def test_a_conflict_can_be_an_error_skipped_or_replaced(database: Database) -> None:
    _add(database, 1)
    again = {"key": [1, 2], "text": ["new", "new"]}

    with pytest.raises(sa.exc.IntegrityError):
        database.insert_columns(TABLE, again)
    database.insert_columns(TABLE, again, on_conflict="skip")
    assert database.fetch_columns(sa.select(TABLE.c.text))["text"] == ["x", "new"]
    database.insert_columns(TABLE, again, on_conflict="replace")
    assert database.fetch_columns(sa.select(TABLE.c.text))["text"] == ["new", "new"]


def test_a_transaction_that_fails_leaves_nothing(database: Database) -> None:
    with pytest.raises(KeyError), database.transaction():  # noqa: PT012 - the step that fails ends it
        _add(database, 1)
        raise KeyError

    assert _keys(database) == []
    assert not database.in_transaction


def test_an_inner_transaction_that_fails_leaves_the_outer_one(database: Database) -> None:
    with database.transaction():
        _add(database, 1)
        with pytest.raises(KeyError), database.transaction():  # noqa: PT012 - the step that fails ends it
            _add(database, 2)
            raise KeyError
        _add(database, 3)

    assert _keys(database) == [1, 3]


def test_rollbacks_are_counted(database: Database) -> None:
    with pytest.raises(KeyError), database.transaction():
        raise KeyError

    assert database.rollbacks == 1


def test_staged_rows_can_be_joined_and_are_gone_afterwards(database: Database) -> None:
    _add(database, 1, 2, 3)

    with database.staged({"key": [2, 3, 4]}, {"key": TABLE.c.key}) as staged:
        select = sa.select(TABLE.c.key).join(staged, staged.c.key == TABLE.c.key)
        assert sorted(database.fetch_rows(select)) == [(2,), (3,)]
        name = staged.name

    assert not database.has_table(name)
    assert not database.in_transaction


def test_staged_rows_inside_a_transaction_do_not_end_it(database: Database) -> None:
    with database.transaction():
        _add(database, 1)
        with database.staged({"key": []}, {"key": TABLE.c.key}):
            _add(database, 2)
        _add(database, 3)

    assert _keys(database) == [1, 2, 3]


def test_statistics_can_be_refreshed_inside_a_transaction(database: Database) -> None:
    with database.transaction():
        _add(database, 1)
        database.refresh_statistics()

    assert _keys(database) == [1]


def test_threads_have_transactions_of_their_own(database: Database) -> None:
    def add(first: int) -> None:
        for i in range(20):
            with database.transaction():
                _add(database, first + i)

    threads = [threading.Thread(target=add, args=(100 * n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(_keys(database)) == 80


def test_readers_see_nothing_of_an_open_transaction(database: Database, place: Path) -> None:
    reader = RegistryAddress.of_file(place).open(writeable=False)
    with database.transaction():
        _add(database, 1)
        before = _keys(reader)
    after = _keys(reader)
    reader.close()

    assert (before, after) == ([], [1])


def test_a_reader_cannot_write(place: Path) -> None:
    reader = RegistryAddress.of_file(place).open(writeable=False)

    with pytest.raises(ReadOnlyRepositoryError, match="open for reading only"):
        _add(reader, 1)

    reader.close()


def test_a_lock_that_outlasts_our_patience_is_explained(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_file, "BUSY_TIMEOUT_MS", 50)
    database = RegistryAddress.of_file(place).open(writeable=True)
    holder = sqlite3.connect(place, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")

    with pytest.raises(DatabaseBusyError, match="another process kept"):
        _add(database, 1)

    holder.close()
    database.close()


def test_an_absent_file_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(RepositoryNotFoundError, match="does not exist"):
        RegistryAddress.of_file(tmp_path / "absent.sqlite3").open(writeable=True)

    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_database_is_explained(tmp_path: Path) -> None:
    path = tmp_path / "x.sqlite3"
    path.write_text("this is no database" * 100)
    database = RegistryAddress.of_file(path).open(writeable=False)

    with pytest.raises(RepositoryError, match="cannot be used"):
        database.has_table("thing")

    database.close()


def test_a_local_file_has_a_write_ahead_log_and_full_durability(database: Database) -> None:
    with database.connection() as connection:
        mode = connection.exec_driver_sql("PRAGMA journal_mode").scalar()
        synchronous = connection.exec_driver_sql("PRAGMA synchronous").scalar()
        foreign_keys = connection.exec_driver_sql("PRAGMA foreign_keys").scalar()

    assert (mode, synchronous, foreign_keys) == ("wal", 2, 1)


def test_closing_folds_the_log_into_the_file(place: Path) -> None:
    database = RegistryAddress.of_file(place).open(writeable=True)
    _add(database, 1)

    database.close()

    assert [path.name for path in place.parent.iterdir()] == ["some.sqlite3"]


def test_a_network_file_system_gets_a_rollback_journal_and_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sqlite_file, "file_system_of", lambda _: "nfs4")

    mode = sqlite_file.choose_journal(tmp_path / "x.sqlite3")

    assert mode == "DELETE"
    assert "network file system (nfs4)" in caplog.text


def test_a_whole_file_has_no_faults(database: Database) -> None:
    _add(database, 1, 2, 3)

    assert database.faults() == []


def test_a_file_that_was_cut_off_is_a_fault(place: Path, database: Database) -> None:
    _add(database, *range(5_000))
    database.close()  # the log is folded into the file
    assert len(_keys(database)) == 5_000
    content = place.read_bytes()
    place.write_bytes(content[: len(content) // 2])

    assert database.faults() == ["database disk image is malformed"]


def test_a_page_that_miscounts_its_bytes_is_a_fault(place: Path, database: Database) -> None:
    _add(database, *range(5_000))
    database.close()
    content = bytearray(place.read_bytes())
    content[3 * 4096 + 7] = 9  # bytes that are in pieces too small to use
    place.write_bytes(content)

    (fault,) = database.faults()

    assert fault.endswith("reported as 9 on page 4")
