"""What ``--show`` prints."""

from __future__ import annotations

import re
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pipetask.config_overrides import FileOverride, apply_overrides
from pipetask.draw.show import ITEMS, ShowContext, show
from pipetask.errors import PipetaskError, UnknownFieldError, UnknownLabelError
from pipetask.pipeline import Pipeline
from pipetask.pipeline_graph import PipelineGraph

UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}"


def lines(item: str, what: object) -> list[str]:
    assert isinstance(what, ShowContext)
    return list(show(item, what))


# ------------------------------------------------------------------- asking
def test_unknown_item_offers_near_misses(shown: Any) -> None:
    with pytest.raises(PipetaskError, match=r"nothing called 'pipline' to show. Did you mean 'pip"):
        show("pipline", shown)


def test_strange_item_lists_all(shown: Any) -> None:
    with pytest.raises(PipetaskError, match=r"There are config, dump-config, graph, history"):
        show("xyzzy", shown)


@pytest.mark.parametrize(
    ("item", "message"),
    [
        ("graph", "'graph' needs a quantum graph: use `pipetask qgraph`"),
        ("tasks", "'tasks' needs a pipeline: give one with -p"),
        ("config=isr::x", "'config' needs the tasks of a pipeline"),
        ("stages", "built now, not read"),
        ("history", "'history' needs a value: history=[LABEL::]FIELD"),
        ("tasks=isr", "'tasks' takes no value"),
    ],
)
def test_what_cannot_be_shown_says_why(item: str, message: str) -> None:
    with pytest.raises(PipetaskError, match=re.escape(message)):
        show(item, ShowContext())


def test_uri_needs_a_repository(shown: Any) -> None:
    with pytest.raises(PipetaskError, match=r"'uri' needs a repository: give one with -b"):
        show("uri", ShowContext(quantum_graph=shown.quantum_graph))


@pytest.mark.parametrize("item", ITEMS)
def test_every_item_prints_something(item: str, shown: Any) -> None:
    assert lines("history=n_sigma" if item == "history" else item, shown)


# ----------------------------------------------------------------- pipeline
def test_pipeline_is_shown_without_importing_tasks() -> None:
    text = "description: d\ntasks: {a: no.such.Task}\nsubsets: {s: [a]}\n"
    what = ShowContext(pipeline=Pipeline.from_text(text))

    assert lines("pipeline", what)[1:4] == ["tasks:", "  a:", "    class: no.such.Task"]
    assert lines("tasks", what) == ["a: no.such.Task"]
    assert lines("subsets", what) == ["s:", "  - a"]


def test_showing_a_pipeline_loads_nothing_heavy() -> None:
    code = (
        "import sys; from pipetask.draw.show import *; from pipetask.pipeline import Pipeline\n"
        "p = Pipeline.from_text('description: d\\ntasks: {a: no.such.Task}\\n')\n"
        "list(show('tasks', ShowContext(pipeline=p)))\n"
        "print(sorted({'networkx', 'numpy', 'duckdb', 'sqlalchemy', 'astropy'} & set(sys.modules)))"
    )

    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, text=True
    )

    assert answer.stdout.strip() == "[]"


def test_subsets_are_sorted(pipeline: Pipeline) -> None:
    assert lines("subsets", ShowContext(pipeline=pipeline)) == [
        "step1:", "  - calibrate", "  - isr", "step2:", "  - finish", "  - summarise",
    ]  # fmt: skip


def test_inputs_are_those_that_no_task_writes(shown: Any) -> None:
    bias, raw = lines("inputs", shown)

    assert bias == "bias {instrument, detector} StructuredDataDict"
    assert set(raw.removeprefix("raw {").removesuffix("} StructuredDataDict").split(", ")) == {
        "band", "instrument", "day_obs", "detector", "group", "physical_filter", "exposure",
    }  # fmt: skip


def test_inputs_without_a_repository(pipeline_graph: PipelineGraph) -> None:
    shown = lines("inputs", ShowContext(pipeline_graph=pipeline_graph))

    assert shown[0] == "bias {instrument, detector} StructuredDataDict"


# ------------------------------------------------------------ configurations
@pytest.mark.parametrize(
    "value", ["isr::doFlat", "doFlat", "isr::*flat", "config.doFlat", "DOFLAT"]
)
def test_config_finds_fields(value: str, shown: Any) -> None:
    found = [line for line in lines(f"config={value}", shown) if not line.startswith("Matching")]

    assert found == [
        "### Configuration for task `isr'", "# Divide by the flat?", "config.doFlat=True", "",
    ]  # fmt: skip


def test_config_finds_parts_by_their_own_name(shown: Any) -> None:
    assert "config.connections.raw='raw'" in lines("config=isr::raw", shown)
    assert "config.connections.raw='raw'" in lines("config=isr::conn*", shown)


def test_config_says_how_case_is_matched(shown: Any) -> None:
    assert lines("config=N_*", shown)[0] == (
        'Matching "N_*" without regard to case (append :NOIGNORECASE to prevent this)'
    )
    with pytest.raises(UnknownFieldError, match=r"no field of any task matches 'N_\*'"):
        show("config=N_*:NOIGNORECASE", shown)


def test_config_offers_near_misses(shown: Any) -> None:
    with pytest.raises(UnknownFieldError, match=r"task 'isr' matches 'n_sgima'.*'n_sigma'"):
        show("config=isr::n_sgima", shown)
    with pytest.raises(UnknownLabelError, match=r"no task 'isrr'. Did you mean 'isr'"):
        show("config=isrr::n_sigma", shown)


def test_history_tells_who_set_a_value(shown: Any) -> None:
    assert lines("history=isr::n_sigma", shown) == [
        "### Configuration field for task `isr'", "n_sigma", "3.0  default", "7.0  demo.yaml:4", "",
    ]  # fmt: skip


def test_dumped_config_can_be_loaded(shown: Any, tmp_path: Path) -> None:
    file = tmp_path / "dump.py"
    file.write_text("\n".join(lines("dump-config=calibrate", shown)))
    config = runpy.run_path(str(__file__).replace("test_show", "little_tasks"))["CalibrateConfig"]()

    apply_overrides(config, [FileOverride(str(file), "test")], label="calibrate")

    node = shown.pipeline_graph.task("calibrate")
    assert config.to_yaml() == node.config.to_yaml()
    assert "config.limit=float('inf')" in lines("dump-config=calibrate", shown)


# -------------------------------------------------------------------- quanta
def test_graph_has_quanta_with_their_datasets(shown: Any) -> None:
    found = lines("graph", shown)

    assert found[0] == "isr (little_tasks.IsrTask)"
    assert re.fullmatch(rf"  Quantum {UUID} dataId={{instrument: .*, exposure: 1, .*}}:", found[1])
    assert "      DatasetType('bias', {instrument, detector}, StructuredDataDict):" in found
    assert re.fullmatch(
        rf"        - raw@{{.*}} \[sc=StructuredDataDict\] \(run=in id={UUID}\)", found[4]
    )
    assert sum(line.startswith("  Quantum ") for line in found) == 13


def test_workflow_has_all_dependencies(shown: Any) -> None:
    found = lines("workflow", shown)

    quantum = rf"Quantum {UUID}: \w+ \(little_tasks\.\w+\)"
    pair = rf"Parent Quantum {UUID} - Child Quantum {UUID}"
    assert all(re.fullmatch(f"{quantum}|{pair}", line) for line in found)
    assert sum(line.startswith("Parent") for line in found) == 4 + 8 + 8
    children = [line.rpartition(" ")[2] for line in found if line.startswith("Parent")]
    quanta = [line.split()[1].rstrip(":") for line in found if line.startswith("Quantum")]
    assert sorted(set(children), key=quanta.index) == quanta[4:]


def test_uris_are_stored_or_predicted(shown: Any) -> None:
    found = lines("uri", shown)

    root = shown.repository.root.as_uri()
    inputs = [line.strip() for line in found[2:4]]
    outputs = [line.strip() for line in found[5:8]]
    assert all(uri.startswith(f"{root}/in/") and uri.endswith(".yaml") for uri in inputs)
    assert [uri.rpartition(".")[2] for uri in outputs[:2]] == ["yaml#predicted", "json#predicted"]
    assert outputs[2] == "isr_log: in an archive of the run 'out/run'"
    assert found.count(f"    {outputs[0]}") == 2
    assert "no file is recorded" not in "".join(found)


def test_stages_are_a_table(shown: Any) -> None:
    head, ruler, *rows = lines("stages", shown)

    assert re.fullmatch(r"Stage +Subject +Rows in +Rows out +Seconds", head)
    assert set(ruler) == {"-", " "}
    assert len({len(line) for line in (head, ruler, *rows)}) == 1
    assert re.fullmatch(r"ask +raw +4 +4 +\d+\.\d{3}", rows[0])
