from __future__ import annotations

import threading
from pathlib import Path

import pytest

from butler_core import Butler, CollectionType
from butler_core.errors import DatasetExistsError, DatasetNotFoundError
from butler_core.repository import file_journal


class Stop(Exception):
    """Raised to end a transaction."""


def _files(butler: Butler) -> list[str]:
    root = butler.repository.root
    return sorted(
        str(path.relative_to(root))
        for path in root.rglob("*")
        if path.is_file() and not path.name.startswith(("butler.yaml", "gen3.sqlite3"))
    )


def _data_id(visit: int = 100, detector: int = 0) -> dict[str, object]:
    return {"instrument": "CamA", "visit": visit, "detector": detector}


def test_a_transaction_that_fails_leaves_neither_rows_nor_files(butler: Butler) -> None:
    kept = butler.put({"n": 0}, "metric", _data_id(100))
    before = _files(butler)

    with pytest.raises(Stop), butler.transaction():  # noqa: PT012 - the step that fails ends it
        butler.put({"n": 1}, "metric", _data_id(101))
        butler.prune_datasets([kept], unstore=True, purge=True)
        butler.collections.register("tag", CollectionType.TAGGED)
        raise Stop

    assert _files(butler) == before
    assert butler.get(kept) == {"n": 0}
    assert not butler.exists("metric", _data_id(101))
    assert not butler.collections.exists("tag")


def test_an_inner_transaction_that_fails_undoes_its_own_part_only(butler: Butler) -> None:
    with butler.transaction():
        butler.put({"n": 0}, "metric", _data_id(100))
        with pytest.raises(Stop), butler.transaction():  # noqa: PT012 - the step that fails ends it
            butler.put({"n": 1}, "metric", _data_id(101))
            raise Stop
        butler.put({"n": 2}, "metric", _data_id(102))

    assert len(_files(butler)) == 2
    assert butler.get("metric", _data_id(102)) == {"n": 2}
    with pytest.raises(DatasetNotFoundError):
        butler.get("metric", _data_id(101))


def test_a_put_that_fails_leaves_nothing(butler: Butler) -> None:
    butler.put({"n": 0}, "metric", _data_id())
    before = _files(butler)

    with pytest.raises(DatasetExistsError):
        butler.put({"n": 1}, "metric", _data_id())

    assert _files(butler) == before
    assert butler.get("metric", _data_id()) == {"n": 0}


def test_a_dataset_put_in_a_transaction_can_be_read_inside_it(butler: Butler) -> None:
    with butler.transaction():
        butler.put({"n": 0}, "metric", _data_id())
        assert butler.get("metric", _data_id()) == {"n": 0}
        assert butler.query_datasets("metric").columns["visit"] == [100]


def test_removed_files_go_only_when_the_transaction_is_committed(butler: Butler) -> None:
    ref = butler.put({"n": 0}, "metric", _data_id())

    with butler.transaction():
        butler.prune_datasets([ref], unstore=True, purge=True)
        assert len(_files(butler)) == 1

    assert _files(butler) == []


def test_a_transaction_that_replaces_a_dataset_keeps_the_new_file(butler: Butler) -> None:
    old = butler.put({"n": 0}, "metric", _data_id())
    butler.prune_datasets([old], unstore=True, purge=True)

    butler.put({"n": 1}, "metric", _data_id())

    assert butler.get("metric", _data_id()) == {"n": 1}


def test_files_are_synced_before_the_rows_are_committed(
    butler: Butler, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[bool, int]] = []
    registry = butler.repository.registry

    def sync(paths: list[Path], _root: Path) -> None:
        seen.append((registry.database.in_transaction, len(paths)))

    monkeypatch.setattr(file_journal, "sync_files", sync)
    with butler.transaction():
        for visit in (100, 101, 102):
            butler.put({}, "metric", _data_id(visit))

    assert seen == [(True, 3)]


def test_threads_do_not_share_a_transaction(butler: Butler) -> None:
    entered, may_fail = threading.Event(), threading.Event()
    outcome: list[object] = []

    def fail() -> None:
        try:
            with butler.transaction():
                entered.set()
                may_fail.wait(10)
                raise Stop  # noqa: TRY301 - what ends the transaction
        except Stop as error:
            outcome.append(error)

    thread = threading.Thread(target=fail)
    thread.start()
    entered.wait(10)
    putter = threading.Thread(target=lambda: butler.put({"n": 1}, "metric", _data_id()))
    putter.start()
    may_fail.set()
    thread.join()
    putter.join()

    assert len(outcome) == 1
    assert butler.get("metric", _data_id()) == {"n": 1}


def test_threads_can_put_at_the_same_time(butler: Butler) -> None:
    def put(visit: int) -> None:
        for detector in range(4):
            butler.put({"visit": visit}, "metric", _data_id(visit, detector))

    threads = [threading.Thread(target=put, args=(visit,)) for visit in (100, 101, 102, 103)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    found = list(butler.query_datasets("metric"))
    assert len(found) == 16
    assert all(butler.get(ref) == {"visit": ref.data_id["visit"]} for ref in found)
