"""Path templates, compared with the peer's."""

from __future__ import annotations

import random
from types import SimpleNamespace
from typing import Any

import pytest

from butler_core import Butler, DatasetType
from butler_core.datastore.path_template import PathTemplate
from butler_core.errors import PathTemplateError
from butler_core.queries.expansion import expand_columns
from butler_core.repository.configuration import default_datastore_config

DEFAULT = default_datastore_config()["templates"]["default"]
TEMPLATES = (
    DEFAULT,
    "{run:/}/{datasetType}/{visit:08d}/{datasetType}_{visit:?}_{detector:03d?}_{run}",
    "{run}/{datasetType}.{component:?}/{exposure.obs_id:?}-{exposure.day_obs:?}{detector.full_name:?}",
    "{run:/}/{datasetType}/v{visit.name:?}/x_{tract:?}#{patch:?}_{skymap:?}",
    "{id}",
    "{run:/}/{datasetType}/{skypix:?}_{detector.raft:?}.{instrument}",
    "{run:/}/{datasetType}_{exposure|visit|detector|patch}",
)
DIMENSIONS = (
    ("instrument", "exposure", "detector"),
    ("instrument", "visit", "detector"),
    ("instrument", "visit"),
    ("instrument", "detector"),
    ("instrument", "detector", "physical_filter"),
    ("instrument",),
    ("skymap", "tract", "patch", "band"),
    ("skymap", "tract"),
    ("htm7",),
    ("instrument", "visit", "htm7"),
    ("skymap", "tract", "instrument", "visit"),
    ("instrument", "group"),
    ("instrument", "day_obs"),
    (),
)
RUNS = ("run", "u/some one/20240101T000000Z", "HSC/raw/all", "a.b/c?d")


@pytest.mark.parametrize("template", TEMPLATES)
def test_paths_are_the_peers(peer: Any, ours: Butler, template: str) -> None:
    chosen = random.Random(template)
    items = [
        {"type": chosen.choice(["calexp", "raw_x"]), "dimensions": list(dimensions),
         "data_id": data_id, "run": chosen.choice(RUNS), "template": template}
        for dimensions in DIMENSIONS
        for data_id in _some_data_ids(ours, ours.dimensions.conform(dimensions), chosen)
    ]  # fmt: skip

    theirs = peer("paths", items)

    for item, expected in zip(items, theirs, strict=True):
        assert _our_path(ours, SimpleNamespace(**item)) == _normal(expected), item


def _some_data_ids(butler: Butler, group: Any, chosen: random.Random) -> list[dict[str, Any]]:
    if "htm7" in group and len(group.required) == 1:
        return [{"htm7": 131072 + i} for i in range(3)]
    found = [dict(data_id.required) for data_id in butler.query_data_ids(group)]
    return chosen.sample(found, min(len(found), 6))


def _normal(path: str) -> str:
    return "refused" if path.endswith("Error") else path


def _our_path(butler: Butler, item: SimpleNamespace) -> str:
    universe = butler.dimensions
    dataset_type = DatasetType.of(item.type, item.dimensions, "int", universe=universe)
    group = dataset_type.dimensions
    try:
        fitted = PathTemplate(item.template).fit(group)
    except PathTemplateError:
        return "refused"
    columns = {name: [item.data_id[name]] for name in group.required}
    registry = butler.repository.registry
    fields = expand_columns(registry, group, columns, fitted.fields) if fitted.fields else {}
    values = {name: column[0] for name, column in fields.items()}
    return fitted.format(dataset_type, item.run, "ID", values)
