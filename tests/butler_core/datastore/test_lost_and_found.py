from __future__ import annotations

from pathlib import Path

from butler_core.datastore.lost_and_found import LostAndFound


def _write(root: Path, *paths: str) -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(path)


def test_a_file_keeps_its_path(tmp_path: Path) -> None:
    _write(tmp_path, "a/b/c", "top")
    lost = LostAndFound(str(tmp_path))

    assert [lost.take("a/b/c"), lost.take("top")] == ["lost+found/a/b/c", "lost+found/top"]

    assert (tmp_path / "lost+found/a/b/c").read_text() == "a/b/c"


def test_a_name_that_is_taken_gets_a_number(tmp_path: Path) -> None:
    _write(tmp_path, "a", "lost+found/a", "lost+found/a.1")

    assert LostAndFound(str(tmp_path)).take("a") == "lost+found/a.2"

    assert (tmp_path / "lost+found/a").read_text() == "lost+found/a"


def test_a_folder_may_have_the_name_of_a_file_taken_before(tmp_path: Path) -> None:
    _write(tmp_path, "lost+found/a", "a/b", "lost+found/c/d", "c")
    lost = LostAndFound(str(tmp_path))

    assert [lost.take("a/b"), lost.take("c")] == ["lost+found/a.1/b", "lost+found/c.1"]


def test_links_are_moved_and_not_followed(tmp_path: Path) -> None:
    _write(tmp_path, "target")
    (tmp_path / "link").symlink_to(tmp_path / "target")

    LostAndFound(str(tmp_path)).take("link")

    assert (tmp_path / "lost+found/link").is_symlink()
    assert (tmp_path / "target").exists()


def test_folders_go_when_they_are_empty(tmp_path: Path) -> None:
    _write(tmp_path, "a/b/c/one", "a/two", "d/three", "d/four")
    lost = LostAndFound(str(tmp_path))
    for path in ("a/b/c/one", "a/two", "d/three"):
        lost.take(path)
    assert (tmp_path / "a/b/c").is_dir()

    lost.remove_empty()

    assert not (tmp_path / "a").exists()
    assert (tmp_path / "d/four").exists()
