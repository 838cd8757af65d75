from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from butler_core import CollectionType
from butler_core.errors import (
    CollectionCycleError,
    CollectionExistsError,
    CollectionInUseError,
    CollectionTypeError,
    UnknownCollectionError,
)
from butler_core.registry.collections import CollectionTable
from butler_core.registry.registry import Registry


@pytest.fixture
def table(registry: Registry) -> CollectionTable:
    for name in ("run/a", "run/b", "run/c"):
        registry.collections.register(name)
    for name in ("one", "two", "three"):
        registry.collections.register(name, CollectionType.CHAINED)
    registry.collections.register("tag", CollectionType.TAGGED)
    return registry.collections


def _names(table: CollectionTable, *expression: str) -> list[str]:
    return [c.name for c in table.flatten(expression)]


def test_registering_twice_says_that_it_was_there(table: CollectionTable) -> None:
    assert table.register("new", CollectionType.TAGGED, "why") is True
    assert table.register("new", CollectionType.TAGGED) is False
    assert table.get("new").doc == "why"


def test_a_collection_never_changes_its_type(table: CollectionTable) -> None:
    with pytest.raises(
        CollectionTypeError, match="'tag' exists as TAGGED, so it cannot become RUN"
    ):
        table.register("tag", CollectionType.RUN)


def test_unknown_names_are_told_together_with_near_misses(table: CollectionTable) -> None:
    with pytest.raises(UnknownCollectionError, match=r"'run/x', 'taag'.*Did you mean .*'tag'"):
        table.resolve(["run/a", "run/x", "taag"])


def test_patterns_that_match_nothing_are_no_error(table: CollectionTable) -> None:
    assert table.resolve(["zz*"]) == []


def test_resolving_keeps_the_order_given_and_names_each_once(table: CollectionTable) -> None:
    found = table.resolve(["run/c", "run/*", "tag"])

    assert [c.name for c in found] == ["run/c", "run/a", "run/b", "tag"]
    assert table.resolve(["*"], [CollectionType.TAGGED])[0].name == "tag"


def test_a_search_goes_through_chains_in_order_and_visits_each_once(table: CollectionTable) -> None:
    table.set_chain("three", ["run/b", "tag"])
    table.set_chain("two", ["run/a", "three", "run/b"])
    table.set_chain("one", ["run/c", "two", "run/a"])

    assert _names(table, "one") == ["run/c", "run/a", "run/b", "tag"]
    assert _names(table, "tag", "one") == ["tag", "run/c", "run/a", "run/b"]


def test_a_chain_cannot_contain_itself(table: CollectionTable) -> None:
    table.set_chain("one", ["two"])
    table.set_chain("two", ["three"])

    for children in (["one"], ["run/a", "three", "one"]):
        with pytest.raises(CollectionCycleError, match="would contain itself"):
            table.set_chain("three", children)
    assert table.get("three").children == ()


def test_only_chains_have_children_and_children_must_exist(table: CollectionTable) -> None:
    with pytest.raises(CollectionTypeError, match="'run/a' is a RUN collection, not CHAINED"):
        table.set_chain("run/a", ["run/b"])
    with pytest.raises(UnknownCollectionError, match="'nowhere'"):
        table.set_chain("one", ["run/a", "nowhere"])


def test_chains_are_edited_in_place(table: CollectionTable) -> None:
    table.set_chain("one", ["run/a", "run/b"])

    table.change_chain("one", prepend=["run/c", "run/b"])
    assert table.get("one").children == ("run/c", "run/b", "run/a")
    table.change_chain("one", extend=["run/c"])
    assert table.get("one").children == ("run/b", "run/a", "run/c")
    table.change_chain("one", remove=["run/a", "not there"])
    assert table.get("one").children == ("run/b", "run/c")


def test_the_parents_of_a_collection_are_the_chains_that_name_it(table: CollectionTable) -> None:
    table.set_chain("one", ["run/a"])
    table.set_chain("two", ["one", "run/a"])

    assert table.parents("run/a") == ["one", "two"]
    assert table.parents("two") == []


def test_a_collection_in_a_chain_cannot_go(table: CollectionTable) -> None:
    table.set_chain("one", ["run/a"])

    with pytest.raises(CollectionInUseError, match="part of 'one'"):
        table.remove("run/a")
    table.remove("one")
    table.remove("run/a")
    with pytest.raises(UnknownCollectionError):
        table.get("run/a")


def test_a_name_can_be_required_to_be_new(table: CollectionTable) -> None:
    table.require_new("fresh")
    with pytest.raises(CollectionExistsError, match="'tag' exists already"):
        table.require_new("tag")


def test_the_doc_can_be_replaced(table: CollectionTable) -> None:
    table.set_doc("tag", "the good ones")

    assert table.get("tag").doc == "the good ones"


CHAINS = ("one", "two", "three")
edits = st.lists(
    st.tuples(
        st.sampled_from(CHAINS),
        st.lists(st.sampled_from(["run/a", "run/b", "run/c", "tag", *CHAINS]), max_size=4),
    ),
    max_size=8,
)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(edits)
def test_flattening_is_the_depth_first_walk_of_the_chains(
    table: CollectionTable, edits: list[tuple[str, list[str]]]
) -> None:
    for chain in CHAINS:
        table.set_chain(chain, [])
    model: dict[str, list[str]] = {chain: [] for chain in CHAINS}

    for chain, children in edits:
        if any(_reaches(model, child, chain) for child in children):
            with pytest.raises(CollectionCycleError):
                table.set_chain(chain, children)
        else:
            table.set_chain(chain, children)
            model[chain] = list(dict.fromkeys(children))

    for chain in CHAINS:
        assert _names(table, chain) == list(dict.fromkeys(_walk(model, chain)))


def _reaches(model: dict[str, list[str]], start: str, goal: str) -> bool:
    return start == goal or any(_reaches(model, child, goal) for child in model.get(start, []))


def _walk(model: dict[str, list[str]], name: str) -> list[str]:
    if name not in model:
        return [name]
    return [found for child in model[name] for found in _walk(model, child)]
