"""What a run keeps about itself is called by its graph's id, and found by it again."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pipetask.provenance.run_folder import RunFolder

IDS = ["0190-aa", "0190-aab", "0190-a"]


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    found = RunFolder.of(tmp_path, "u/someone/run")
    found.path.mkdir(parents=True)
    return found


def test_it_is_below_the_files_of_its_run(tmp_path: Path) -> None:
    assert RunFolder.of(tmp_path, "u/someone/run").path == tmp_path / "u/someone/run/graphs"


def test_naming_makes_nothing(tmp_path: Path) -> None:
    folder = RunFolder.of(tmp_path, "u/1")

    names = [folder.lease, folder.graph("g"), folder.journal("g"), folder.history("g")]
    found = folder.journals("g"), folder.unfinished(), folder.graph_ids()

    assert len({path.parent for path in names}) == 1
    assert len(set(names)) == 4
    assert found == ([], [], [])
    assert list(tmp_path.iterdir()) == []


def test_a_workers_journal_has_the_graphs_id_and_its_own_name(folder: RunFolder) -> None:
    paths = [folder.journal("g"), folder.journal("g", "node1.cluster-77")]

    assert [path.name for path in paths] == ["g.journal", "g.node1.cluster-77.journal"]


def test_journals_are_those_of_the_whole_id(folder: RunFolder) -> None:
    for graph_id in IDS:
        for worker in ("", "w.2", "w.1"):
            folder.journal(graph_id, worker).touch()

    found = {graph_id: folder.journals(graph_id) for graph_id in IDS}

    assert found == {
        graph_id: sorted(folder.journal(graph_id, worker) for worker in ("", "w.1", "w.2"))
        for graph_id in IDS
    }


def test_graphs_with_journals_are_unfinished_once_each(folder: RunFolder) -> None:
    folder.journal("b", "w1").touch()
    folder.journal("b", "w2").touch()
    folder.journal("a").touch()
    folder.history("c").touch()
    folder.graph("c").touch()

    assert folder.unfinished() == ["a", "b"]


def test_other_files_are_nobodys(folder: RunFolder) -> None:
    for path in (folder.lease, folder.history("g"), folder.path / ".g.history.tmp"):
        path.touch()
    (folder.path / "journal").touch()
    (folder.path / "g.journal.bak").touch()

    assert (folder.journals("g"), folder.unfinished(), folder.graph_ids()) == ([], [], [])


def test_graphs_come_in_the_order_in_which_they_were_kept(folder: RunFolder) -> None:
    for age_s, graph_id in enumerate(["late", "b", "a", "early"]):
        folder.graph(graph_id).touch()
        os.utime(folder.graph(graph_id), ns=(0, 10**9 * (10 - age_s)))
    os.utime(folder.graph("b"), ns=(0, 10**9 * 8))
    os.utime(folder.graph("a"), ns=(0, 10**9 * 8))

    assert folder.graph_ids() == ["early", "a", "b", "late"]
