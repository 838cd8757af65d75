"""Tests of sky map configurations: YAML, Rubin's Python files, overrides, and their faults."""

from __future__ import annotations

from pathlib import Path

import pytest

from butler_core.errors import ConfigError
from butler_core.skymaps import load_config
from butler_core.skymaps.config import DiscreteConfig, RingsConfig

RUBINS = """
# A comment.
import math
config.name = "rings_v1"
config.skyMap.name = "rings"
config.skyMap["rings"].numRings = 120
config.skyMap["rings"].projection = "TAN"
config.skyMap["rings"].tractOverlap = 1.0/60 # Overlap between tracts (degrees)
config.skyMap["rings"].pixelScale = 0.2
"""

YAML = """
name: rings_v1
skyMap:
  name: rings
  rings: {numRings: 120, projection: TAN, tractOverlap: 0.016666666666666666, pixelScale: 0.2}
"""

CLUSTER = """
ra = 10.685  # degrees
half = 2.0 ** 3 / 10
config.name = 'cluster'
config.skyMap = "discrete"
config.skyMap["discrete"].raList = [ra, -ra // 1 + 2 * 20]
config.skyMap["discrete"].decList = (41.269, 0)
config.skyMap["discrete"].radiusList = [half, math.pi]
config.skyMap.active.tractBuilder = "legacy"
config.skyMap.active.tractBuilder["legacy"].patchInnerDimensions = (400, 500)
config.skyMap["discrete"].patchBorder = 7
"""


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_python_and_yaml_files_say_the_same(tmp_path: Path) -> None:
    python = load_config(written(tmp_path, "rings.py", RUBINS))
    yaml = load_config(written(tmp_path, "rings.yaml", YAML))

    assert python == yaml
    assert isinstance(python.settings, RingsConfig)
    assert python.settings.numRings == 120


def test_python_file_may_compute_with_names_and_name_the_active_kind(tmp_path: Path) -> None:
    settings = load_config(written(tmp_path, "cluster.py", CLUSTER)).settings

    assert isinstance(settings, DiscreteConfig)
    assert settings.raList == (10.685, 29.0)
    assert settings.radiusList[0] == 0.8
    assert settings.tractBuilder.inner == (400, 500)
    assert settings.tractBuilder.border == 7


def test_overrides_come_after_the_file(tmp_path: Path) -> None:
    path = written(tmp_path, "rings.py", RUBINS)

    config = load_config(
        path, ["name=other", 'skyMap["rings"].numRings=3', "skyMap.active.raStart=1.5"]
    )

    assert config.name == "other"
    assert isinstance(config.settings, RingsConfig)
    assert (config.settings.numRings, config.settings.raStart) == (3, 1.5)


def test_overrides_alone_make_the_default_map() -> None:
    config = load_config(overrides=["name=d"])

    assert (config.name, config.kind) == ("d", "dodeca")
    assert config.settings.tractBuilder.border == 250


@pytest.mark.parametrize(
    "line",
    ["import os", "open('x').read()", "config.name = open('x')", "for i in []: pass",
     "config.name = 1 + 'a'", "config.name = 1 / 0", "config[name] = 3"],
)  # fmt: skip
def test_python_file_is_read_and_not_run(tmp_path: Path, line: str) -> None:
    with pytest.raises(ConfigError, match="line 1"):
        load_config(written(tmp_path, "bad.py", line))


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("name: a\nskyMap: {name: ring}", "Did you mean 'rings'"),
        ("name: a\nskyMap: {name: rings}", "numRings: Field required"),
        ("skyMap: {name: dodeca}", "name: "),
        ("name: a\nskyMaps: {}", "Did you mean 'skyMap'"),
        ("name: a\nskyMap: {name: rings, rings: {numRings: 3, size: 2}}", "size"),
        ("name: a\nskyMap: {name: dodeca, dodeca: {projection: MOL}}", "projection"),
        ("name: a\nskyMap: {discrete: {raList: [1], decList: [], radiusList: [2]}, name: discrete}",
         "1, 0 and 1"),
        ("[]", "must hold a mapping"),
    ],
)  # fmt: skip
def test_faults_are_named(tmp_path: Path, text: str, fault: str) -> None:
    with pytest.raises(ConfigError, match=fault):
        load_config(written(tmp_path, "bad.yaml", text))
