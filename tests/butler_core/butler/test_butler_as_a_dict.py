"""A butler does what a dict of its contents does, step by step."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from butler_core import Butler, CollectionType, DatasetRef, DatasetType
from butler_core.errors import DatasetExistsError, DatasetNotFoundError

RUNS = ("run/a", "run/b")
NAMES = ("metric", "note")
runs = st.sampled_from(RUNS)
names = st.sampled_from(NAMES)
visits = st.integers(100, 102)
detectors = st.integers(0, 1)


class Undone(Exception):
    """Raised to end a transaction."""


class ButlerMachine(RuleBasedStateMachine):
    """Puts, tags, chains and removes, inside transactions or not."""

    template: ClassVar[Path]
    registries: ClassVar[Any]

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.registries.copy(self.template, self.folder / "repo")
        self.butler = Butler(self.folder / "repo", writeable=True)
        for name in NAMES:
            self.butler.register_dataset_type(
                DatasetType.of(
                    name,
                    ["visit", "detector"],
                    "StructuredDataDict",
                    universe=self.butler.dimensions,
                )
            )
        for run in RUNS:
            self.butler.collections.register(run)
        self.butler.collections.register("tag", CollectionType.TAGGED)
        self.butler.collections.register("chain", CollectionType.CHAINED)
        #: Reference and content, by run, type, visit and detector; by the last three in the tag.
        self.held: dict[tuple, tuple[DatasetRef, Any]] = {}
        self.tagged: dict[tuple, tuple] = {}
        self.chain: list[str] = []
        self.counter = 0

    def teardown(self) -> None:
        self.butler.close()
        shutil.rmtree(self.folder)

    @contextmanager
    def _perhaps_undone(self, *, undone: bool) -> Iterator[None]:
        if not undone:
            yield
            return
        before = dict(self.held), dict(self.tagged), list(self.chain)
        with pytest.raises(Undone), self.butler.transaction():  # noqa: PT012 - the step that fails ends it
            yield
            raise Undone
        self.held, self.tagged, self.chain = before

    # ----------------------------------------------------------------- steps
    @rule(run=runs, name=names, visit=visits, detector=detectors, undone=st.booleans())
    def put(self, *, run: str, name: str, visit: int, detector: int, undone: bool) -> None:
        key = (run, name, visit, detector)
        self.counter += 1
        content = {"n": self.counter}
        with self._perhaps_undone(undone=undone):
            if key in self.held:
                with pytest.raises(DatasetExistsError):
                    self._put(key, content)
            else:
                self.held[key] = (self._put(key, content), content)

    def _put(self, key: tuple, content: Any) -> DatasetRef:
        run, name, visit, detector = key
        return self.butler.put(
            content, name, instrument="CamA", visit=visit, detector=detector, run=run
        )

    @rule(run=runs, name=names, visit=visits, detector=detectors, undone=st.booleans())
    def purge(self, *, run: str, name: str, visit: int, detector: int, undone: bool) -> None:
        key = (run, name, visit, detector)
        if key not in self.held:
            return
        with self._perhaps_undone(undone=undone):
            ref, _ = self.held.pop(key)
            self.tagged = {k: v for k, v in self.tagged.items() if v != key}
            self.butler.prune_datasets([ref], unstore=True, purge=True)

    @rule(run=runs, name=names, visit=visits, undone=st.booleans())
    def tag(self, *, run: str, name: str, visit: int, undone: bool) -> None:
        keys = [key for key in self.held if key[:3] == (run, name, visit)]
        if not keys:
            return
        with self._perhaps_undone(undone=undone):
            if any(self.tagged.get(key[1:], key) != key for key in keys):
                with pytest.raises(DatasetExistsError):
                    self._tag(name, keys)
            else:
                self._tag(name, keys)
                self.tagged |= {key[1:]: key for key in keys}

    def _tag(self, name: str, keys: list[tuple]) -> None:
        registry = self.butler.repository.registry
        ((registered, numbers),) = self.butler.keys_by_type([self.held[key][0] for key in keys])
        registry.memberships.associate(registered, registry.collections.get("tag"), numbers)

    @rule(name=names, undone=st.booleans())
    def untag(self, *, name: str, undone: bool) -> None:
        keys = [key for slot, key in self.tagged.items() if slot[0] == name]
        with self._perhaps_undone(undone=undone):
            refs = [self.held[key][0] for key in keys]
            self.butler.prune_datasets(refs, tags=["tag"])
            self.tagged = {slot: key for slot, key in self.tagged.items() if slot[0] != name}

    @rule(children=st.permutations([*RUNS, "tag"]), count=st.integers(0, 3), undone=st.booleans())
    def redefine_chain(self, *, children: list[str], count: int, undone: bool) -> None:
        with self._perhaps_undone(undone=undone):
            self.chain = list(children[:count])
            self.butler.collections.redefine_chain("chain", self.chain)

    @rule(run=runs, undone=st.booleans())
    def remove_run(self, *, run: str, undone: bool) -> None:
        with self._perhaps_undone(undone=undone):
            mine = [key for key in self.held if key[0] == run]
            assert self.butler.remove_runs(run, unlink_from_chains=True) == len(mine)
            self.butler.collections.register(run)
            for key in mine:
                del self.held[key]
            self.tagged = {slot: key for slot, key in self.tagged.items() if key[0] != run}
            self.chain = [name for name in self.chain if name != run]

    # ------------------------------------------------------------ what holds
    def _expected(self, collection: str) -> dict[tuple, tuple]:
        if collection == "tag":
            return self.tagged
        return {key[1:]: key for key in self.held if key[0] == collection}

    @invariant()
    def each_collection_holds_what_the_dict_does(self) -> None:
        for collection in (*RUNS, "tag"):
            for name in NAMES:
                found = self.butler.query_datasets(name, collection)
                expected = {
                    self.held[key][0]
                    for slot, key in self._expected(collection).items()
                    if slot[0] == name
                }
                assert set(found) == expected
                assert len(found) == len(expected)

    @invariant()
    def a_search_through_the_chain_finds_the_first(self) -> None:
        for name, visit, detector in [(n, v, d) for n in NAMES for v in (100, 102) for d in (0, 1)]:
            slot = (name, visit, detector)
            paths = [self._expected(collection) for collection in self.chain]
            key = next((path[slot] for path in paths if slot in path), None)
            if not self.chain:
                continue
            data_id = {"instrument": "CamA", "visit": visit, "detector": detector}
            if key is None:
                with pytest.raises(DatasetNotFoundError):
                    self.butler.get(name, data_id, collections="chain")
            else:
                assert self.butler.get(name, data_id, collections="chain") == self.held[key][1]

    @invariant()
    def files_are_those_of_the_datasets(self) -> None:
        root = self.butler.repository.root
        on_disk = {p for p in root.rglob("*") if p.is_file() and p.parent != root}
        recorded = {Path(self.butler.get_uri(ref)[7:]) for ref, _ in self.held.values()}
        assert on_disk == recorded


def test_a_butler_does_what_a_dict_does(records_root: Path, registries: Any) -> None:
    ButlerMachine.template = records_root
    ButlerMachine.registries = registries

    run_state_machine_as_test(
        ButlerMachine,
        settings=settings(
            max_examples=8, stateful_step_count=12, deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip
