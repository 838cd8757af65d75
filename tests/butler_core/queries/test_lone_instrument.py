"""Listing datasets where there is one instrument, and where there is more than one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from butler_core import Butler, DatasetType
from butler_core.queries import answer

_SHOWN = ("instrument", "detector", "exposure", "physical_filter", "band", "run")


def _add(butler: Butler, camera: str, run: str, exposures: range) -> None:
    """Register a camera with two detectors, and one dataset for each exposure and detector."""
    insert = butler.insert_dimension_data
    insert("instrument", {"name": camera, "class_name": "a.Camera"}, skip_existing=True)
    insert(
        "physical_filter",
        {"instrument": camera, "name": f"{camera}_r", "band": "r"},
        skip_existing=True,
    )
    insert("day_obs", {"instrument": camera, "id": 20260101}, skip_existing=True)
    for detector in range(2):
        record = {"instrument": camera, "id": detector, "full_name": f"D{detector}"}
        insert("detector", record, skip_existing=True)
    for exposure in exposures:
        group = {"instrument": camera, "name": f"g{exposure}"}
        insert("group", group, skip_existing=True)
        record = {
            "instrument": camera, "id": exposure, "group": f"g{exposure}", "day_obs": 20260101,
            "physical_filter": f"{camera}_r", "obs_id": f"{camera}{exposure}",
        }  # fmt: skip
        insert("exposure", record, skip_existing=True)
        for detector in range(2):
            data_id = {"instrument": camera, "exposure": exposure, "detector": detector}
            butler.put({"camera": camera}, "frame", data_id, run=run)


def _listed(butler: Butler) -> set[tuple[Any, ...]]:
    columns = butler.query_datasets("frame", ["later", "earlier"]).columns
    return set(zip(*(columns[name] for name in _SHOWN), strict=True))


def _iterated(butler: Butler) -> set[tuple[Any, ...]]:
    refs = butler.query_datasets("frame", ["later", "earlier"])
    return {(*(ref.data_id[name] for name in _SHOWN[:-1]), ref.run) for ref in refs}


@pytest.fixture
def one_camera(tmp_path: Path, registries: Any) -> Iterator[Butler]:
    """Return a repository with one camera, whose later run has some data IDs of the earlier one."""
    with registries.create(tmp_path / "repo") as butler:
        dimensions = ["instrument", "exposure", "detector"]
        butler.register_dataset_type(
            DatasetType.of("frame", dimensions, "StructuredDataDict", universe=butler.dimensions)
        )
        _add(butler, "CamA", "earlier", range(3))
        _add(butler, "CamA", "later", range(2, 4))
        yield butler


def test_the_instrument_is_in_each_row(one_camera: Butler) -> None:
    found = _listed(one_camera)

    assert {row[0] for row in found} == {"CamA"}
    assert len(found) == 8
    assert {row[2] for row in found if row[-1] == "later"} == {2, 3}
    assert found == _iterated(one_camera)


def test_a_second_instrument_has_rows_of_its_own(one_camera: Butler) -> None:
    _listed(one_camera)
    _add(one_camera, "CamB", "earlier", range(3))

    found = _listed(one_camera)

    assert len(found) == 14
    assert {(row[0], row[3]) for row in found} == {("CamA", "CamA_r"), ("CamB", "CamB_r")}
    assert found == _iterated(one_camera)


def test_an_instrument_that_comes_while_one_asks_is_no_other(
    one_camera: Butler, monkeypatch: pytest.MonkeyPatch
) -> None:
    look = answer.lone_values
    seen: list[dict[str, str]] = []

    def look_and_let_another_in(*args: Any) -> dict[str, str]:
        seen.append(look(*args))
        if len(seen) == 1:
            _add(one_camera, "CamB", "earlier", range(3))
        return seen[-1]

    monkeypatch.setattr(answer, "lone_values", look_and_let_another_in)

    found = _listed(one_camera)

    assert seen == [{"instrument": "CamA"}, {}]
    assert {row[0] for row in found} == {"CamA", "CamB"}
    assert found == _iterated(one_camera)
