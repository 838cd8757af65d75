"""Reproducible dataset ids, compared with the peer's."""

from __future__ import annotations

import random
import uuid
from typing import Any

from butler_core import DimensionUniverse
from butler_core.datasets import DatasetIdMode
from butler_core.datasets.dataset_id import reproducible_ids

_VALUES = {
    "band": "r",
    "instrument": "LATISS",
    "skymap": "a sky, with=signs",
    "physical_filter": "é~λ",
}


def test_ids_from_type_data_id_and_run_are_the_peers(peer: Any) -> None:
    universe = DimensionUniverse.default()
    chosen = random.Random(20240501)
    names = [e.name for e in universe if e.is_dimension and e.name != "subfilter"]
    items = []
    for number in range(300):
        group = universe.conform(chosen.sample(names, chosen.randint(0, 4)))
        data_id = {
            name: _VALUES.get(name, f"s{number}")
            if universe[name].key.type == "text"
            else chosen.randint(0, 1 << 40)
            for name in group.required
        }
        mode = chosen.choice([DatasetIdMode.DATAID_TYPE, DatasetIdMode.DATAID_TYPE_RUN])
        items.append(
            {"type": f"type_{number % 7}", "dimensions": list(group.required), "data_id": data_id,
             "mode": mode.name, "run": f"u/someone/run{number % 3}"}
        )  # fmt: skip

    theirs = peer("uuids", items)

    for item, expected in zip(items, theirs, strict=True):
        group = universe.conform(item["dimensions"])
        row = tuple(item["data_id"][name] for name in group.required)
        ours = reproducible_ids(
            DatasetIdMode[item["mode"]], item["type"], item["run"], group, [row]
        )
        assert str(uuid.UUID(bytes=ours[0])) == expected, item
