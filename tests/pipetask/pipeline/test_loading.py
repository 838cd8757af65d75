"""Pipeline files: imports, merging, and faults with their places."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

from pipetask.config_overrides import FileOverride, PythonOverride, ValueOverride
from pipetask.errors import PipelineError, PipelineFileError
from pipetask.pipeline import ConfigBlock, Pipeline, Step

BASE = """\
description: base
instrument: cam.Camera
parameters:
  kind: deep
  size: 3
tasks:
  isr:
    class: science.IsrTask
    config:
      doFlat: true
      doDark: false
  calibrate:
    class: science.CalibrateTask
    config:
      - python: |
          # a comment
          config.x = 1
        file: $DIR/a.py
        name: parameters.kind
  coadd: science.CoaddTask
subsets:
  single: [isr, calibrate]
  deep:
    subset: [coadd]
    description: Coadds.
steps:
  - label: single
    dimensions: [instrument, exposure]
contracts:
  - isr.doFlat == calibrate.doFlat
  - contract: coadd.n > calibrate.n
    msg: too few
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "base.yaml").write_text(BASE)
    monkeypatch.setenv("PIPE_DIR", str(tmp_path))
    return tmp_path


def load(folder: Path, text: str, name: str = "top.yaml") -> Pipeline:
    (folder / name).write_text(text)
    return Pipeline.from_file(folder / name)


def imported(folder: Path, extra: str = "", **keys: Any) -> Pipeline:
    listed = "".join(f"    {key}: {value}\n" for key, value in keys.items())
    text = f"description: top\nimports:\n  - location: $PIPE_DIR/base.yaml\n{listed}{extra}"
    return load(folder, text)


def test_file_is_read_as_written(folder: Path) -> None:
    pipeline = Pipeline.from_file(folder / "base.yaml")

    assert pipeline.task_labels == ("isr", "calibrate", "coadd")
    assert pipeline.tasks["coadd"].class_name == "science.CoaddTask"
    assert pipeline.parameters == {"kind": "deep", "size": 3}
    assert pipeline.subsets["deep"].description == "Coadds."
    assert pipeline.steps == (Step("single", ("instrument", "exposure")),)
    assert [c.message for c in pipeline.contracts] == [None, "too few"]


def test_overrides_come_as_file_then_python_then_values_with_their_places(folder: Path) -> None:
    path = folder / "base.yaml"

    overrides = Pipeline.from_file(path).config_overrides("calibrate")

    assert overrides == (
        FileOverride("$DIR/a.py", f"{path}:18"),
        PythonOverride("# a comment\nconfig.x = 1\n", str(path), 16),
        ValueOverride("name", "deep", f"{path}:19"),
    )


def test_unknown_parameter_stays_text_and_is_logged(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    pipeline = Pipeline.from_file(folder / "base.yaml")
    pipeline = pipeline.add_override("isr", "name", "parameters.knd")

    with caplog.at_level(logging.WARNING):
        overrides = pipeline.config_overrides("isr")

    assert overrides[-1].value == "parameters.knd"
    assert "no parameter 'knd'; it stays as text. Did you mean 'kind'?" in caplog.text


def test_importing_file_goes_on_from_the_imported_task(folder: Path) -> None:
    pipeline = imported(
        folder,
        "tasks:\n"
        "  isr:\n    class: science.IsrTask\n    config: {doFlat: false, n: 3}\n"
        "  calibrate: other.Task\n"
        "  first: science.FirstTask\n"
        "parameters: {size: 4}\n",
    )

    assert pipeline.task_labels == ("isr", "calibrate", "coadd", "first")
    # A value that differs is not merged away: both are applied, in order.
    assert [dict(b.values) for b in pipeline.tasks["isr"].config] == [
        {"doFlat": True, "doDark": False},
        {"doFlat": False, "n": 3},
    ]
    assert pipeline.tasks["calibrate"].config == ()
    assert pipeline.parameters == {"kind": "deep", "size": 4}
    assert pipeline.instrument == "cam.Camera"


def test_block_without_contradiction_is_merged_into_the_last(folder: Path) -> None:
    pipeline = imported(
        folder, "tasks:\n  isr:\n    class: science.IsrTask\n    config: {doDark: false, n: 3}\n"
    )

    assert pipeline.tasks["isr"].config == (
        ConfigBlock(values={"doFlat": True, "doDark": False, "n": 3}),
    )
    assert pipeline.config_overrides("isr")[-1].source == f"{folder / 'top.yaml'}:7"


@pytest.mark.parametrize(
    ("keys", "tasks", "subsets", "n_contracts"),
    [
        ({"include": "[isr, calibrate]"}, ["isr", "calibrate"], ["single"], 1),
        ({"include": "single"}, ["isr", "calibrate"], ["single"], 1),
        ({"include": "[deep, isr]"}, ["isr", "coadd"], ["deep"], 0),
        ({"exclude": "single"}, ["coadd"], ["deep"], 0),
        ({"exclude": "[isr]"}, ["calibrate", "coadd"], ["deep"], 1),
        ({"exclude": "[]"}, ["isr", "calibrate", "coadd"], ["single", "deep"], 2),
        (
            {"exclude": "isr", "labeledSubsetModifyMode": "EDIT"},
            ["calibrate", "coadd"],
            ["single", "deep"],
            1,
        ),
        ({"importContracts": "false"}, ["isr", "calibrate", "coadd"], ["single", "deep"], 0),
    ],
)
def test_part_of_a_pipeline_is_imported(
    folder: Path, keys: dict[str, str], tasks: list[str], subsets: list[str], n_contracts: int
) -> None:
    pipeline = imported(folder, **keys)

    assert list(pipeline.tasks) == tasks
    assert list(pipeline.subsets) == subsets
    assert len(pipeline.contracts) == n_contracts


def test_edited_subset_keeps_its_other_tasks_and_its_step(folder: Path) -> None:
    pipeline = imported(folder, exclude="isr", labeledSubsetModifyMode="EDIT")

    assert pipeline.subsets["single"].tasks == ("calibrate",)
    assert [step.label for step in pipeline.steps] == ["single"]
    assert imported(folder, exclude="isr").steps == ()
    assert imported(folder, importSteps="false").steps == ()


def test_instrument_of_an_import_can_be_dropped_or_replaced(folder: Path) -> None:
    assert imported(folder, instrument="None").instrument is None
    assert imported(folder, instrument="other.Camera").instrument == "other.Camera"
    with pytest.raises(PipelineFileError, match=r"one instrument; this has 'x.Y' and imports 'cam"):
        imported(folder, "instrument: x.Y\n")


def test_renamed_task_loses_its_subset_and_contracts(folder: Path) -> None:
    pipeline = imported(folder, rename="{isr: isr2}")

    assert pipeline.task_labels == ("calibrate", "coadd", "isr2")
    assert pipeline.tasks["isr2"].label == "isr2"
    assert list(pipeline.subsets) == ["deep"]
    assert len(pipeline.contracts) == 1
    with pytest.raises(PipelineFileError, match=r"'isr' cannot be renamed 'coadd'"):
        imported(folder, rename="{isr: coadd}")


def test_diamond_import_loads_once_and_repeats_are_faults(folder: Path) -> None:
    for name, label in (("left", "isr"), ("right", "coadd")):
        text = f"description: x\nimports:\n  - location: base.yaml\n    include: [{label}]\n"
        (folder / f"{name}.yaml").write_text(text)

    assert load(folder, "description: x\nimports: [left.yaml, right.yaml]\n").task_labels == (
        "isr",
        "coadd",
    )
    with pytest.raises(PipelineFileError, match=r"task 'isr' is imported twice; exclude"):
        load(folder, "description: x\nimports: [left.yaml, base.yaml]\n")


def test_pipeline_that_imports_itself_is_told_the_way(folder: Path) -> None:
    (folder / "a.yaml").write_text("description: a\nimports: b.yaml\n")

    with pytest.raises(PipelineFileError, match=r"imports itself: .*b.yaml' imports .*a.yaml' imp"):
        load(folder, "description: b\nimports: a.yaml\n", "b.yaml")


@pytest.mark.parametrize(
    ("location", "message"),
    [
        ("$NO_SUCH_DIR/x.yaml", "needs the environment variable 'NO_SUCH_DIR', which is not set"),
        ("$PIPE_DIR/x.yaml", r"no pipeline file .*x.yaml'.*\$PIPE_DIR is"),
        ("no_such_package!x.yaml", "needs the Python package 'no_such_package', which cannot be"),
        ("resource://no_such/x.yaml", "needs the Python package 'no_such'"),
        ("pipetask!x.yaml", "package 'pipetask' has no file 'x.yaml'"),
        ("memory://nothing/x.yaml", "'memory://nothing/x.yaml' cannot be read"),
    ],
)
def test_import_that_is_not_there_is_named_with_its_line(
    folder: Path, location: str, message: str
) -> None:
    with pytest.raises(PipelineFileError, match=f"top.yaml:3:5: import of .*{message}"):
        load(folder, f"description: x\nimports:\n  - {location}\n")


def test_pipeline_is_read_from_a_package_and_a_url(folder: Path) -> None:
    assert Pipeline.from_file(f"file://{folder}/base.yaml").description == "base"

    import fsspec

    with fsspec.open("memory://pipelines/base.yaml", "w") as stream:
        stream.write(BASE)

    assert Pipeline.from_file("memory://pipelines/base.yaml").description == "base"


def test_all_faults_of_a_file_come_together_with_line_and_column() -> None:
    text = """\
descripton: misspelt
tasks:
  isr: 3
  parameters: a.B
  calibrate: {klass: a.B}
  calibrate: {class: a.B, config: [3, {python: 4, file: {a: b}, 7: x}]}
instrument: [a, b]
parameters: {a b: 3}
subsets:
  s1: isr
  s2: {subset: [nothing], descripton: x}
steps:
  - label: s1
contracts:
  - [a]
  - {contract: a.b, mesage: x}
imports:
  - {location: $NO_SUCH_DIR/x.yaml, include: [a], exclude: [b], importContract: true}
  - {locaton: y.yaml}
"""
    with pytest.raises(PipelineFileError) as caught:
        Pipeline.from_text(text, name="p.yaml")

    found = str(caught.value)
    for fault in (
        "p.yaml:1:1: a pipeline has no key 'descripton'. Did you mean 'description'?",
        "p.yaml:1:1: a pipeline must have a description",
        "p.yaml:3:8: 'isr' must be a class name or a mapping, not 3",
        "p.yaml:4:3: 'parameters' is reserved",
        "p.yaml:5:3: the key 'calibrate' is there more than once",
        "p.yaml:6:36: a config must map fields to values, not be 3",
        "p.yaml:6:48: 'python' is no code: 4",
        "p.yaml:6:57: 'file' must be a list of names",
        "p.yaml:6:65: 7 is no field; write it in quotes",
        "p.yaml:7:13: 'instrument' must be one class name",
        "p.yaml:8:14: 'a b' cannot name a parameter",
        "p.yaml:10:7: subset 's1' must be a list of labels",
        "p.yaml:11:27: subset 's2' has no key 'descripton'",
        "p.yaml:13:5: a step has a label and dimensions",
        "p.yaml:15:5: a contract is an expression",
        "p.yaml:16:5: a contract has 'contract' and 'msg', not ['mesage']",
        "p.yaml:18:5: an import cannot have both include and exclude",
        "p.yaml:18:65: an import has no key 'importContract'. Did you mean 'importContracts'?",
        "p.yaml:18:5: import of '$NO_SUCH_DIR/x.yaml'",
        "p.yaml:19:5: an import is a location or a mapping that has one",
    ):
        assert fault in found


def test_labels_that_name_nothing_are_faults() -> None:
    text = (
        "description: x\ntasks: {isr: a.B, s1: a.C}\nsubsets: {s1: [isr], s2: [izr]}\n"
        "steps: [{label: s3, dimensions: []}, {label: s2, dimensions: [a]}]\n"
    )
    with pytest.raises(PipelineFileError) as caught:
        Pipeline.from_text(text, name="p.yaml")

    found = str(caught.value)
    assert "the subset 's1' has the label of a task" in found
    assert "the subset 's2' names 'izr', which is no task. Did you mean 'isr'?" in found
    assert "the step 's3' is no subset." in found


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("description: [", "p.yaml:1:1[45]: this is no YAML|p.yaml:2:1: this is no YAML"),
        ("a: 1\n b: 2", "p.yaml:2:3: this is no YAML: mapping values are not allowed"),
        ("- a", "p.yaml:1:1: a pipeline is a YAML mapping"),
        ("", "p.yaml:1:1: a pipeline is a YAML mapping"),
        ("description: x", "must have tasks or imports"),
        ("description: x\ninherits: y.yaml\ntasks: {}", "p.yaml:2:1: 'inherits' is not supported"),
        ("description: x\ntasks: {}\nsubset: {}", "no key 'subset'. Did you mean 'subsets'"),
        ("description: !!python/name:os.system x", "p.yaml:1:14: this is no YAML"),
        ("description: 2021-99-99\ntasks: {}", "p.yaml:1:14: '2021-99-99' cannot be read"),
        ("description: x\ntasks: {}\nparameters:", "'parameters' must be a mapping"),
    ],
)
def test_malformed_document_is_refused_with_its_place(text: str, message: str) -> None:
    with pytest.raises(PipelineFileError, match=message):
        Pipeline.from_text(text, name="p.yaml")


def test_stray_key_is_tolerated_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    pipeline = Pipeline.from_text("description: x\ntasks: {}\nzzz: 1\n", name="p.yaml")

    assert pipeline.tasks == {}
    assert "p.yaml:3:1: a pipeline has no key 'zzz'; it is ignored." in caplog.text


def test_anchors_and_merge_keys_are_followed() -> None:
    pipeline = Pipeline.from_text(
        "description: x\n"
        "tasks:\n"
        "  a: {class: m.A, config: &shared {x: 1, y: 2}}\n"
        "  b: {class: m.B, config: {<<: *shared, y: 3}}\n"
    )

    assert pipeline.tasks["a"].config[0].values == {"x": 1, "y": 2}
    assert pipeline.tasks["b"].config[0].values == {"x": 1, "y": 3}


def test_block_for_a_data_id_is_refused_when_applied() -> None:
    pipeline = Pipeline.from_text(
        "description: x\ntasks: {a: {class: m.A, config: {dataId: {visit: 1}, x: 1}}}\n"
    )

    with pytest.raises(PipelineError, match=r"'a' has a block for data ID"):
        pipeline.config_overrides("a")
