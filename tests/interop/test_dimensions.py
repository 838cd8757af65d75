"""The dimension universe, compared with the peer's."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from butler_core import DimensionUniverse
from butler_core.dimensions import DimensionGroup

universe = DimensionUniverse.default()


def _names() -> list[str]:
    pixels = {"htm1", "htm7", "htm11", "healpix3", "healpix17"}
    return [e.name for e in universe if e.is_dimension and (e.skypix is None or e.name in pixels)]


def test_elements_are_the_peers_in_the_peers_order(peer: Any) -> None:
    theirs = [element["name"] for element in peer("element", [])]

    assert [element.name for element in universe] == theirs


def test_each_element_is_as_the_peer_has_it(peer: Any) -> None:
    theirs = peer("element", [])

    ours = [
        {
            "name": element.name,
            "required": list(element.required),
            "implied": list(element.implied),
            "alternates": list(element.alternate_keys),
            "metadata": sorted(
                {column.name for column in element.columns} - {*element.alternate_keys}
            ),
            "spatial": element.spatial_family,
            "temporal": element.temporal_family,
            "always_join": element.always_join,
        }
        for element in universe
    ]

    assert ours == theirs


@pytest.mark.parametrize("size", [1, 2, 3])
def test_every_group_of_so_many_dimensions_is_the_peers(peer: Any, size: int) -> None:
    asked = [list(names) for names in itertools.combinations(_names(), size)]
    theirs = peer("groups", asked)

    for names, expected in zip(asked, theirs, strict=True):
        assert _described(universe.conform(names)) == expected, names


def test_spatial_families_choose_the_peers_elements(peer: Any) -> None:
    asked = [list(names) for n in (1, 2, 3) for names in itertools.combinations(_names(), n)]
    theirs = peer("spatial_choice", asked)

    for names, expected in zip(asked, theirs, strict=True):
        group = universe.conform(names)
        assert sorted(element.name for element in group.spatial) == expected, names


def _described(group: DimensionGroup) -> dict[str, Any]:
    return {
        "names": list(group.names),
        "required": list(group.required),
        "implied": list(group.implied),
        "elements": [element.name for element in group.elements],
        "governors": sorted(group.governors),
        "skypix": sorted(group.skypix),
    }
