"""Repositories with exposures of chosen counters and pointings, and raws without files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from butler_core import Butler, DatasetType
from butler_core.instruments import register_instrument

DAY = 20210707


def exposure_rows(seq_nums: Sequence[int], **changes: Any) -> list[dict[str, Any]]:
    """Return exposure records of one day, each alone in its sequence unless changed."""
    return [
        {
            "instrument": "LATISS", "id": DAY * 10**5 + n, "day_obs": DAY, "group": f"{n}",
            "physical_filter": "SDSSr_65mm~empty", "obs_id": f"AT_{n}", "exposure_time": 15.0,
            "observation_type": "science", "observation_reason": "survey", "seq_num": n,
            "seq_start": n, "seq_end": n, "target_name": "field", "science_program": "p",
            "tracking_ra": 10.0, "tracking_dec": -30.0, "sky_angle": 20.0, "azimuth": 350.0,
            "zenith_angle": 30.0, "can_see_sky": True,
            "begin_ns": 10**18 + n * 10**11, "end_ns": 10**18 + n * 10**11 + 15 * 10**9,
            **changes,
        }
        for n in seq_nums
    ]  # fmt: skip


def add_exposures(butler: Butler, rows: Sequence[dict[str, Any]]) -> None:
    """Store exposures with what they refer to, and a raw of detector 0 for each."""
    registry = butler.repository.registry
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    groups = sorted({row["group"] for row in rows})
    records = registry.records
    records.insert(
        "group", {"instrument": ["LATISS"] * len(groups), "name": groups}, on_conflict="skip"
    )
    records.insert("day_obs", {"instrument": ["LATISS"], "id": [DAY]}, on_conflict="skip")
    records.insert("exposure", columns)
    registry.datasets.insert(
        registry.dataset_types.get("raw"),
        registry.collections.get("LATISS/raw/all"),
        {
            "instrument": columns["instrument"],
            "exposure": columns["id"],
            "detector": [0] * len(rows),
        },
    )


@pytest.fixture
def latiss(tmp_path: Path) -> Iterator[Butler]:
    """Return a butler of a repository with LATISS and no exposure yet."""
    with Butler.create(tmp_path / "repo") as butler:
        register_instrument(butler, "LATISS")
        butler.register_dataset_type(
            DatasetType.of(
                "raw",
                ("instrument", "exposure", "detector"),
                "Exposure",
                universe=butler.dimensions,
            )
        )
        butler.collections.register("LATISS/raw/all")
        yield butler


@pytest.fixture
def with_exposures(latiss: Butler) -> Callable[..., Butler]:
    """Return a function that adds exposures to the repository."""

    def add(seq_nums: Sequence[int], **changes: Any) -> Butler:
        add_exposures(latiss, exposure_rows(seq_nums, **changes))
        return latiss

    return add
