"""A change of a task's code shows in its digest, wherever it is, and no other change does."""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import sys
import tempfile
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipetask.provenance import code_trace
from pipetask.provenance.code_trace import digest_of, trace_code
from tests.pipetask.provenance.module_disk import Disk, changed, disk_at

FAST = f"_fast{importlib.machinery.EXTENSION_SUFFIXES[0]}"


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    with disk_at(tmp_path) as found:
        yield found


WAYS = {
    "whole": "import pkg.sub.deep",
    "name": "from pkg.sub.deep import f",
    "module": "from pkg.sub import deep",
    "star": "from pkg.sub.deep import *",
    "relative name": "from .sub.deep import f",
    "relative module": "from .sub import deep",
    "in a function": "def g():\n    from pkg.sub.deep import f",
    "in a class": "class C:\n    def g(self):\n        from .sub import deep as d",
    "for types": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import pkg.sub.deep",
    "if it is there": "try:\n    import pkg.sub.deep\nexcept ImportError:\n    pass",
    "through another": "from pkg.between import f",
    "through a re-export": "from pkg import f",
    "through a re-export under another name": "from . import other_name",
    "through a package": "import pkg",
}


def lay(disk: Disk, task: str, init: str = "from pkg.sub.deep import f, f as other_name\n") -> None:
    disk.write("pkg/__init__.py", init)
    disk.write("pkg/sub/__init__.py")
    disk.write("pkg/sub/deep.py", "def f():\n    return 1\n")
    disk.write("pkg/between.py", "from .sub.deep import f\n")
    disk.write("pkg/unrelated.py", "x = 1\n")
    disk.write("pkg/task.py", f"{task}\n")


@pytest.mark.parametrize("task", WAYS.values(), ids=WAYS)
def test_an_edit_of_what_is_imported_shows_and_is_named(disk: Disk, task: str) -> None:
    lay(disk, task)
    before = disk.trace("pkg.task")

    disk.edit("pkg/sub/deep.py")
    after = trace_code("pkg.task")

    assert before.is_known
    assert changed(before, after) == {"pkg.sub.deep"}


@pytest.mark.parametrize("task", WAYS.values(), ids=WAYS)
def test_an_edit_of_what_is_not_imported_does_not_show(disk: Disk, task: str) -> None:
    lay(disk, task)
    before = disk.trace("pkg.task")

    disk.edit("pkg/unrelated.py")
    disk.write("pkg/new.py", "x = 1\n")

    assert trace_code("pkg.task") == before


def test_a_trace_is_the_digests_of_the_files(disk: Disk) -> None:
    lay(disk, "from .between import f", init="")

    found = disk.trace("pkg.task")

    names = {
        "pkg": "__init__.py", "pkg.task": "task.py", "pkg.between": "between.py",
        "pkg.sub": "sub/__init__.py", "pkg.sub.deep": "sub/deep.py",
    }  # fmt: skip
    assert found.files == {
        name: digest_of((disk.folder / "pkg" / path).read_bytes()) for name, path in names.items()
    }
    assert found.versions == {}


def test_an_edit_that_is_taken_back_is_none(disk: Disk) -> None:
    lay(disk, "from .between import f")
    before = disk.trace("pkg.task")
    content = (disk.folder / "pkg/between.py").read_bytes()

    disk.edit("pkg/between.py")
    disk.write("pkg/between.py", content)

    assert trace_code("pkg.task") == before


ON_THE_WAY = ["import pkg.sub.deep", "from pkg.sub import deep", "from pkg.sub.deep import f"]


@pytest.mark.parametrize("task", [*ON_THE_WAY, "from pkg import sub\nfrom .sub import deep"])
def test_a_package_on_the_way_counts_and_what_it_imports_does_not(disk: Disk, task: str) -> None:
    lay(disk, task, init="import pkg.unrelated\n")

    assert set(disk.trace("pkg.task").files) == {"pkg", "pkg.sub", "pkg.sub.deep", "pkg.task"}


@pytest.mark.parametrize("task", ON_THE_WAY)
@pytest.mark.parametrize("other", ["import pkg", "from pkg import x", "from . import sub, x"])
def test_a_package_on_the_way_is_followed_if_it_is_imported_too(
    disk: Disk, task: str, other: str
) -> None:
    for order in (f"{task}\n{other}", f"{other}\n{task}"):
        lay(disk, order, init="from pkg.unrelated import x\n")

        found = set(disk.trace("pkg.task").files)
        assert found == {"pkg", "pkg.sub", "pkg.sub.deep", "pkg.task", "pkg.unrelated"}


def test_a_package_can_be_a_task_itself(disk: Disk) -> None:
    lay(disk, "", init="from . import between\n")

    assert set(disk.trace("pkg").files) == {"pkg", "pkg.between", "pkg.sub", "pkg.sub.deep"}


def test_imports_in_a_circle_come_to_an_end(disk: Disk) -> None:
    disk.write("ring/__init__.py", "from ring import one\n")
    disk.write("ring/one.py", "import ring.two\nimport ring.one\n")
    disk.write("ring/two.py", "def f():\n    from ring.one import f\n    from . import three\n")
    disk.write("ring/three.py", "from . import one\n")

    before = disk.trace("ring.one")
    disk.edit("ring/three.py")

    assert set(before.files) == {"ring", "ring.one", "ring.two", "ring.three"}
    assert changed(before, trace_code("ring.one")) == {"ring.three"}


def test_of_loose_modules_those_in_the_folder_are_followed(disk: Disk) -> None:
    disk.write("loose.py", "import near\ndef f():\n    from tools.saw import cut\n")
    disk.write("near.py", "import os.path, json\n")
    disk.write("tools/__init__.py")
    disk.write("tools/saw.py", "from . import blade\n")
    disk.write("tools/blade.py")
    disk.write("far.py")
    before = disk.trace("loose")

    disk.edit("tools/blade.py")
    disk.edit("far.py")
    disk.edit("near.py")

    assert set(before.files) == {"loose", "near", "tools", "tools.saw", "tools.blade"}
    assert changed(before, trace_code("loose")) == {"near", "tools.blade"}
    assert before.versions == {}


def test_a_namespace_package_is_followed_where_the_task_is(disk: Disk, tmp_path: Path) -> None:
    for portion in ("one", "two"):
        disk.write(f"{portion}/space/{portion}/task.py", "from . import near\n")
        disk.write(f"{portion}/space/{portion}/near.py")
    with disk_at(tmp_path / "one"), disk_at(tmp_path / "two"):
        found = {name: disk.trace(f"space.{name}.task") for name in ("one", "two")}

        disk.edit("one/space/one/near.py")
        disk.edit("two/space/two/near.py")

        for name, before in found.items():
            assert set(before.files) == {f"space.{name}.task", f"space.{name}.near"}
            assert changed(before, trace_code(f"space.{name}.task")) == {f"space.{name}.near"}


@pytest.mark.parametrize(
    "task", ["from pkg import _fast", "import pkg._fast", "from ._fast import x"]
)
def test_a_compiled_module_counts_as_its_bytes(disk: Disk, task: str) -> None:
    lay(disk, f"def f():\n    {task}", init="")
    disk.write(f"pkg/{FAST}", b"\x7fELF one")
    before = disk.trace("pkg.task")

    disk.write(f"pkg/{FAST}", b"\x7fELF two")

    assert changed(before, trace_code("pkg.task")) == {"pkg._fast"}


def test_a_module_that_is_missing_is_passed_over_until_it_is_there(disk: Disk) -> None:
    lay(
        disk, "try:\n    from pkg._made import x\n    import absent\nexcept ImportError:\n    x = 0"
    )
    before = disk.trace("pkg.task")

    disk.write("pkg/_made.py", "x = 1\n")

    assert before.is_known
    assert changed(before, trace_code("pkg.task")) == {"pkg._made"}


def unknown_by_place(disk: Disk) -> str:
    disk.write("file_name.py")
    spec = importlib.util.spec_from_file_location("module_name", disk.folder / "file_name.py")
    assert spec is not None
    sys.modules["module_name"] = importlib.util.module_from_spec(spec)
    return "module_name"


def unknown_by_zip(disk: Disk) -> str:
    path = disk.folder / "modules.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("zipped/__init__.py", "")
        archive.writestr("zipped/task.py", "")
    with disk_at(path):
        module = importlib.import_module("zipped.task")
    sys.modules["zipped.task"] = module
    return "zipped.task"


def unknown_by_removal(disk: Disk) -> str:
    lay(disk, "")
    importlib.import_module("pkg.task")
    (disk.folder / "pkg/task.py").unlink()
    return "pkg.task"


UNKNOWN = {
    "built in": lambda disk: "sys",
    "not imported": lambda disk: "no.such.module",
    "compiled": lambda disk: "_json",
    "at another place": unknown_by_place,
    "in a zip file": unknown_by_zip,
    "gone": unknown_by_removal,
}


@pytest.mark.parametrize("make", UNKNOWN.values(), ids=UNKNOWN)
def test_a_task_whose_source_is_not_found_is_not_known(disk: Disk, make: object) -> None:
    found = trace_code(make(disk))  # type: ignore[operator]

    assert (found.is_known, found.digest) == (False, "")


@pytest.mark.parametrize("content", ["def f(:\n", "x = 'a\x00b'\n", "match = = 3", b"\xff\xfe"])
def test_what_this_python_cannot_read_counts_as_its_bytes(disk: Disk, content: str | bytes) -> None:
    lay(disk, "def f():\n    from pkg import newer")
    disk.write("pkg/newer.py", content)
    before = disk.trace("pkg.task")

    disk.edit("pkg/newer.py")

    assert changed(before, trace_code("pkg.task")) == {"pkg.newer"}


def test_a_doubtful_source_brings_no_warning(disk: Disk) -> None:
    lay(disk, "def f():\n    from pkg import sloppy")
    disk.write("pkg/sloppy.py", "pattern = '\\d'\nassert (1, 'always')\n")

    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        found = disk.trace("pkg.task")

    assert "pkg.sloppy" in found.files
    assert said == []


def test_a_source_in_another_encoding_is_followed(disk: Disk) -> None:
    content = "# coding: latin-1\nname = 'é'\nfrom . import unrelated\n".encode("latin-1")
    lay(disk, "from . import coded")
    disk.write("pkg/coded.py", content)

    assert "pkg.unrelated" in disk.trace("pkg.task").files


def test_the_version_of_another_distribution_counts(disk: Disk) -> None:
    lay(
        disk,
        "import yaml, os.path\nfrom importlib import resources\ndef f():\n    import toolbox.saw",
    )
    disk.write(
        "toolbox-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: toolbox\nVersion: 1.0\n"
    )
    before = disk.trace("pkg.task")

    disk.write(
        "toolbox-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: toolbox\nVersion: 1.1\n"
    )
    code_trace._versions_of.cache_clear()
    after = trace_code("pkg.task")
    code_trace._versions_of.cache_clear()

    pyyaml = importlib.metadata.version("pyyaml")
    assert before.versions == {"PyYAML": pyyaml, "toolbox": "1.0"}
    assert after.versions == {"PyYAML": pyyaml, "toolbox": "1.1"}
    assert before.digest != after.digest
    assert before.files == after.files


def statement(source: str, target: str, way: int) -> str:
    """Return one of the ways to import a module of a package ``dag`` from another."""
    package, _, name = target.rpartition(".")
    dots = "." * source.count(".")
    inside = package.partition(".")[2]
    return [
        f"import {target}",
        f"from {target} import x",
        f"from {package} import {name}",
        f"from {dots}{inside} import {name}",
        f"from {dots}{target.partition('.')[2]} import x as y",
    ][way]


@settings(max_examples=30)
@given(
    st.lists(st.sampled_from(["dag.m", "dag.sub.m", "dag.sub.sub.m"]), min_size=1, max_size=7),
    st.sets(st.tuples(st.integers(0, 6), st.integers(0, 6), st.integers(0, 4)), max_size=12),
)
def test_an_edit_shows_if_the_module_can_be_reached_and_only_then(
    stems: list[str], edges: set[tuple[int, int, int]]
) -> None:
    names = [f"{stem}{number}" for number, stem in enumerate(stems)]
    edges = {(a, b, way) for a, b, way in edges if max(a, b) < len(names)}
    with tempfile.TemporaryDirectory() as folder, disk_at(Path(folder)) as disk:
        for package in ("dag", "dag/sub", "dag/sub/sub"):
            disk.write(f"{package}/__init__.py")
        for number, name in enumerate(names):
            lines = [statement(name, names[b], way) for a, b, way in edges if a == number]
            content = "\n    ".join(["def f():", "pass", *lines])
            disk.write(f"{name.replace('.', '/')}.py", content)
        before = disk.trace(names[0])

        shown = set()
        for name in names:
            disk.edit(f"{name.replace('.', '/')}.py")
            after = trace_code(names[0])
            assert changed(before, after) <= {name}
            shown |= changed(before, after)
            before = after

        reached, new = set(), {0}
        while new:
            reached |= new
            new = {b for a, b, _ in edges if a in reached} - reached
        assert shown == {names[number] for number in reached}
