"""Bad input of every kind: one clear message, an exit code, and a repository as it was."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from butler_core import Butler
from pipetask.cli.pipetask_program import pipetask as program

Run = Callable[..., Result]
Snapshot = Callable[[Path], Any]

#: What stands for files in the table below, and what is in them.
FILES = {
    "GOOD": """
        description: Good
        instrument: Cam
        tasks:
          measure: toy_tasks.MeasureTask
          merge: toy_tasks.MergeTask
        """,
    "UNCLOSED": "description: Bad\ntasks:\n  measure: {class: toy_tasks.MeasureTask\n",
    "UNKNOWN_KEY": "description: Bad\ntaskss:\n  measure: toy_tasks.MeasureTask\n",
    "TABBED": "description: Bad\ntasks:\n\tmeasure: toy_tasks.MeasureTask\n",
    "NO_IMPORT": "description: Bad\nimports: absent.yaml\n",
    "NO_DESCRIPTION": "tasks: {m: toy_tasks.MeasureTask}\n",
    "NO_FIELD": """
        description: Bad
        tasks: {m: {class: toy_tasks.MeasureTask, config: {facto: 2}}}
        """,
    "BAD_VALUE": """
        description: Bad
        tasks: {m: {class: toy_tasks.MeasureTask, config: {factor: many}}}
        """,
    "CONTRACT": """
        description: Bad
        tasks:
          measure: toy_tasks.MeasureTask
          merge: toy_tasks.MergeTask
        contracts:
          - contract: measure.factor == merge.scale + 1
            msg: the factor must be one more than the scale
        """,
    "TWO_WRITERS": """
        description: Bad
        tasks: {a: toy_tasks.MeasureTask, b: toy_tasks.MeasureTask}
        """,
    "CONFIG": "config.factor = 2\nconfig.facto = 3\n",
    "NOT_PYTHON": "config.factor = = 2\n",
    "TABLE.csv": "exposur\n1\n",
    "GAPS.csv": "exposure,detector\n1,0\n,1\n",
    "WORDS.csv": "exposure\none\n",
    "TEXT": "this is no graph\n",
}

BUILD = "build -p GOOD"
QGRAPH = "qgraph -b REPO -i Cam/raw/all -o out"
RUN = "run -b REPO -i Cam/raw/all -o out --register-dataset-types"

#: What is typed, the exit code, and what the message must have.
BAD: list[tuple[str, int, list[str]]] = [
    # pipelines
    ("build", 2, ["no pipeline: give one with -p FILE, or tasks with -t TASK"]),
    ("build -p TMP/absent.yaml", 1, ["TMP/absent.yaml"]),
    ("build -p UNCLOSED", 1, ["UNCLOSED:4:1"]),
    ("build -p TABBED", 1, ["TABBED:3:1"]),
    ("build -p UNKNOWN_KEY", 1, ["UNKNOWN_KEY:2:1", "'taskss'", "'tasks'"]),
    ("build -p NO_DESCRIPTION", 1, ["NO_DESCRIPTION:1:1", "must have a description"]),
    ("build -p NO_IMPORT", 1, ["absent.yaml", "NO_IMPORT"]),
    ("build -p NO_FIELD", 1, ["'facto'", "'factor'"]),
    ("build -p BAD_VALUE", 1, ["factor", "'many'"]),
    ("build -p CONTRACT", 1, ["measure.factor == merge.scale + 1", "one more than the scale"]),
    (
        "build -p TWO_WRITERS",
        1,
        ["'measured' is written by a.measured and by b.measured", "'measure_schema'"],
    ),
    ("build -p GOOD#mesure", 1, ["'mesure'", "'measure'"]),
    ("build -t toy_tasks.MesureTask", 1, ["no task 'MesureTask'", "'MeasureTask'"]),
    ("build -t toy_task.MeasureTask", 1, ["no module 'toy_task'"]),
    ("build -t MeasureTask", 1, ["'MeasureTask'", "package.module.Class"]),
    ("build -t toy_tasks.DICT", 1, ["'toy_tasks.DICT'", "not a PipelineTask"]),
    (f"{BUILD} --delete mesure", 1, ["no task 'mesure'", "'measure'"]),
    (f"{BUILD} -c mesure:factor=2", 1, ["no task 'mesure'", "'measure'"]),
    (f"{BUILD} -c measure:facto=2", 1, ["'facto'", "'factor'"]),
    (f"{BUILD} -c measure:factor=many", 1, ["factor", "'many'"]),
    (f"{BUILD} -c measure.factor", 1, ["measure.factor", "label:field=value"]),
    (f"{BUILD} -c factor=2", 1, ["'factor=2'", "label:field=value"]),
    (f"{BUILD} -C measure:TMP/absent.py", 1, ["there is no file", "absent.py"]),
    (f"{BUILD} -C measure:CONFIG", 1, ["'facto'", "'factor'", "CONFIG", "2"]),
    (f"{BUILD} -C measure:NOT_PYTHON", 1, ["NOT_PYTHON", "1"]),
    (f"{BUILD} -C TMP/CONFIG", 1, ["LABEL:FILE"]),
    (f"{BUILD} --select-tasks mesure", 1, ["'mesure'"]),
    (f"{BUILD} --select-tasks (measure", 1, ["^"]),
    (f"{BUILD} --select-tasks ~(measure|merge)", 1, ["selects none of measure, merge"]),
    (f"{BUILD} --show pipelin", 1, ["nothing called 'pipelin'", "'pipeline'"]),
    (f"{BUILD} --show graph", 1, ["'graph' needs a quantum graph"]),
    (f"{BUILD} --show history", 1, ["needs a value"]),
    (f"{BUILD} --show dump-config=mesure", 1, ["'mesure'", "'measure'"]),
    (f"{BUILD} -s TMP/absent/p.yaml", 2, ["absent/p.yaml", "no such directory"]),
    (f"{BUILD} -b TMP/absent", 1, ["there is no data repository"]),
    # repositories, collections
    ("qgraph -p GOOD -i a -o out", 2, ["-b", "--butler-config"]),
    ("qgraph -b TMP/absent -p GOOD -i a -o out", 1, ["there is no data repository", "absent"]),
    ("run -b TMP -p GOOD -i a -o out", 1, ["it has no butler.yaml"]),
    ("qgraph -b REPO -p GOOD -i Cam/raw/al -o out", 1, ["'Cam/raw/al'", "'Cam/raw/all'"]),
    ("qgraph -b REPO -p GOOD -o out", 1, ["no inputs: give -i COLLECTION", "'out'"]),
    ("qgraph -b REPO -p GOOD -i Cam/raw/all", 1, ["no output: give -o COLLECTION"]),
    (f"{RUN} -p GOOD --output-run empty", 1, ["run 'empty' exists already", "--extend-run"]),
    ("run -b REPO -p GOOD -i Cam/raw/all -o empty", 1, ["'empty' is a RUN collection"]),
    (f"{RUN} -p GOOD --replace-run", 1, ["'out' has no run yet"]),
    (f"{RUN} -p GOOD --extend-run", 1, ["'out' has no run yet"]),
    (f"{RUN} -p GOOD --replace-run --extend-run", 1, ["--replace-run", "--extend-run"]),
    (f"{RUN} -p GOOD --prune-replaced purge", 1, ["--prune-replaced needs --replace-run"]),
    (f"{RUN} -p GOOD --prune-replaced all", 2, ["'all' is not one of", "unstore"]),
    (
        "run -b REPO -p GOOD -i Cam/raw/all -o out",
        1,
        ["'measured'", "not registered", "--register-dataset-types"],
    ),
    (f"{RUN} -p GOOD --output-run ../out", 1, ["'../out' cannot name a collection"]),
    (f"{RUN} -p GOOD --output-run /out", 1, ["'/out' cannot name a collection"]),
    (f"{RUN} -p GOOD --output-run out/*", 1, ["'out/*' cannot name a collection"]),
    ("qgraph -b REPO -p GOOD -i Cam/raw/all -o out/", 1, ["'out/' cannot name a collection"]),
    # what to process
    (f"{QGRAPH} -p GOOD -d exposure!1", 1, ["^", "exposure!1"]),
    (f"{QGRAPH} -p GOOD -d exposur=1", 1, ["'exposur'", "'exposure'"]),
    (f"{QGRAPH} -p GOOD -d exposure='a'", 1, ["exposure"]),
    (f"{QGRAPH} -p GOOD -d patch=1", 1, ["patch"]),
    (f"{QGRAPH} -p GOOD --data-id-table TMP/absent.csv", 1, ["no file", "absent.csv"]),
    (f"{QGRAPH} -p GOOD --data-id-table TABLE.csv", 1, ["'exposur'", "'exposure'"]),
    (f"{QGRAPH} -p GOOD --data-id-table BYTES", 1, ["BYTES", "cannot be read as a table", ".csv"]),
    (f"{QGRAPH} -p GOOD --data-id-table WORDS.csv", 1, ["exposure must be an integer, not 'one'"]),
    (f"{QGRAPH} -p GOOD --data-id-table GAPS.csv", 1, ["row 2 has no exposure"]),
    (f"{QGRAPH} -p GOOD --dataset-query-constraint rw", 1, ["'rw'", "inputs are raw"]),
    (f"{QGRAPH} -p GOOD --skip-existing-in outt", 1, ["no collection 'outt'"]),
    (f"{QGRAPH} -p GOOD --show wokflow", 1, ["'wokflow'", "'workflow'"]),
    (f"{QGRAPH} -p GOOD --qgraph-node-id 1", 2, ["--qgraph-node-id", "--qgraph"]),
    (f"{QGRAPH} -p GOOD -q TMP/absent/g.qg", 2, ["absent/g.qg", "no such directory"]),
    # graphs that come out empty
    (f"{RUN} -p GOOD -d exposure=3", 1, ["no quanta", "of 4 'raw' in 'Cam/raw/all', none"]),
    (f"{RUN} -p GOOD -d exposure=7", 1, ["no quanta", "exposure", "7"]),
    (f"{RUN} -p GOOD -d instrument='Cat'", 1, ["no quanta", "Cat"]),
    (
        "qgraph -b REPO -p GOOD -i empty -o out",
        1,
        ["no quanta", "there is no 'raw' in 'empty'"],
    ),
    (f"{QGRAPH} -t toy_tasks.MergeTask", 1, ["no quanta", "'measured' is not a registered"]),
    # tasks and what there is
    (f"{RUN} -t toy_tasks.CorrectTask", 1, ["'bias'", "There is none at all in 'Cam/raw/all'"]),
    (f"{RUN} -t toy_tasks.OtherShapeTask", 1, ["'raw'", "detector"]),
    # graphs from files
    ("run -b REPO -g TMP/absent.qg", 1, ["there is no quantum graph file", "absent.qg"]),
    ("run -b REPO -g TEXT", 1, ["TEXT", "cannot be opened as a quantum graph"]),
    ("run -b REPO -g HALF", 1, ["HALF", "cannot be opened as a quantum graph"]),
    ("run -b REPO -g REPO", 2, ["is a directory"]),
    ("run -b REPO -g GRAPH -p GOOD", 2, ["--pipeline cannot go with --qgraph"]),
    ("run -b REPO -g GRAPH -c measure:factor=2", 2, ["--config cannot go with --qgraph"]),
    ("run -b REPO -g GRAPH -i Cam/raw/all", 2, ["--input cannot go with --qgraph"]),
    ("run -b REPO -g GRAPH -d exposure=1 --rebase", 2, ["--data-query, --rebase cannot go"]),
    ("run -b REPO -g GRAPH --output-run out/2", 1, ["for run 'out/1', not 'out/2'"]),
    ("run -b REPO -g GRAPH --qgraph-node-id 7,0,x", 1, ["no quantum 7, x; it has 6"]),
    ("run -b REPO -g GRAPH --qgraph-id 1", 1, ["has the id", "not 1"]),
    ("check-graph TMP/absent.qg", 1, ["there is no quantum graph file"]),
    ("check-graph HALF", 1, ["HALF"]),
    # how to run
    (f"{RUN} -p GOOD -j 0", 2, ["-j", "0 is not in the range x>=1"]),
    (f"{RUN} -p GOOD -j many", 2, ["'many' is not a valid integer"]),
    (f"{RUN} -p GOOD --pdb -j 2", 2, ["--pdb", "-j 1"]),
    (f"{RUN} -p GOOD --profile TMP/x -j 2", 2, ["--profile", "-j 1"]),
    (f"{RUN} -p GOOD --pdb --timeout 3", 2, ["--timeout"]),
    (f"{RUN} -p GOOD --timeout 3 --engine threads", 2, ["--timeout", "a thread cannot be killed"]),
    (f"{RUN} -p GOOD --timeout 3 --engine serial", 2, ["--timeout", "other processes"]),
    (f"{RUN} -p GOOD --engine dusk", 2, ["'dusk' is not one of"]),
    (f"{RUN} -p GOOD --memory-per-quantum lots", 2, ["such as 3GB or 3000, not 'lots'"]),
    (f"{RUN} -p GOOD --summary TMP/absent/s.json", 2, ["absent/s.json", "no such directory"]),
    (f"{RUN} -p GOOD --regster-dataset-types", 2, ["--regster-dataset-types"]),
    ("rum", 2, ["no command 'rum'", "'run'"]),
    # tidying
    ("purge -b REPO Cam/raw/all --no-confirm", 1, ["'Cam/raw/all' is a RUN collection"]),
    ("purge -b REPO absent --no-confirm", 1, ["no collection 'absent'"]),
    ("cleanup -b REPO Cam/raw/al --no-confirm", 1, ["'Cam/raw/al'", "'Cam/raw/all'"]),
]


@pytest.fixture(scope="module")
def places(pristine_repo: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return what the words of the table stand for."""
    folder = tmp_path_factory.mktemp("bad-input")
    for name, text in FILES.items():
        (folder / name).write_text(textwrap.dedent(text).lstrip())
    (folder / "BYTES").write_bytes(bytes(range(256)))
    repo, good = str(pristine_repo), str(folder / "GOOD")
    options = ["-i", "Cam/raw/all", "--output-run", "out/1", "-q", str(folder / "GRAPH")]
    made = CliRunner().invoke(program, ["qgraph", "-b", repo, "-p", good, *options])
    assert made.exit_code == 0, made.output
    (folder / "HALF").write_bytes((folder / "GRAPH").read_bytes()[:5000])
    found = {name: str(folder / name) for name in (*FILES, "BYTES", "GRAPH", "HALF")}
    return {**found, "REPO": repo, "TMP": str(folder)}


def filled(word: str, places: dict[str, str]) -> str:
    for name, place in places.items():
        if name in word:
            return word.replace(name, place)
    return word


def require_clear(result: Result, code: int, parts: list[str], places: dict[str, str]) -> None:
    assert result.exit_code == code, result.output
    assert result.stderr.startswith("Error: " if code == 1 else "Usage: ")
    assert "Traceback" not in result.output
    assert "This is a bug" not in result.output
    assert result.stderr.count("\nError: ") == (code == 2)
    text = " ".join(result.stderr.replace(places["TMP"], "TMP").split())
    assert [part for part in parts if part not in text] == [], result.stderr


@pytest.mark.parametrize(("typed", "code", "parts"), BAD, ids=[typed for typed, _, _ in BAD])
def test_bad_input_is_told_and_changes_nothing(
    run: Run,
    places: dict[str, str],
    snapshot: Snapshot,
    typed: str,
    code: int,
    parts: list[str],
) -> None:
    repo, folder = Path(places["REPO"]), Path(places["TMP"])
    before = snapshot(repo), sorted(folder.iterdir())

    result = run(*(filled(word, places) for word in typed.split()))

    require_clear(result, code, parts, places)
    assert (snapshot(repo), sorted(folder.iterdir())) == before


def test_every_fault_of_a_pipeline_is_told_together(run: Run, places: dict[str, str]) -> None:
    result = run("build", "-p", places["TWO_WRITERS"], "-t", "toy_tasks.NoTask:c", "-t", "no.Such")

    require_clear(result, 1, ["'NoTask'", "'no'"], places)


def test_a_graph_for_a_repository_without_its_inputs_is_told(
    run: Run, places: dict[str, str], tmp_path: Path, snapshot: Snapshot
) -> None:
    Butler.create(tmp_path / "other").close()
    before = snapshot(tmp_path / "other")

    result = run("run", "-b", tmp_path / "other", "-g", places["GRAPH"])

    assert result.exit_code == 1
    assert "Traceback" not in result.output
    assert "This is a bug" not in result.output
    assert snapshot(tmp_path / "other") == before


def test_a_graph_whose_tasks_have_changed_is_told(
    run: Run, places: dict[str, str], tmp_path: Path, snapshot: Snapshot
) -> None:
    import toy_tasks

    repo = Path(places["REPO"])
    before = snapshot(repo)
    with pytest.MonkeyPatch.context() as patch:
        patch.delattr(toy_tasks, "MergeTask")
        result = run("run", "-b", repo, "-g", places["GRAPH"], "--register-dataset-types")

    require_clear(result, 1, ["no task 'MergeTask'"], places)
    assert snapshot(repo) == before


#: Takes from root what lets it write where permissions forbid it, then runs the program.
_WITHOUT_PRIVILEGE = """
import ctypes, os, sys
if os.geteuid() == 0:
    for capability in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
        assert ctypes.CDLL(None).prctl(24, capability, 0, 0, 0) == 0  # PR_CAPBSET_DROP
code = "from pipetask.cli import main; main()"
os.execv(sys.executable, [sys.executable, "-c", code, *sys.argv[1:]])
"""


def test_a_read_only_repository_is_told(repo: Path, pipeline: Path, snapshot: Snapshot) -> None:
    before = sorted(repo.rglob("*"))
    for path in [repo, *repo.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    options = ["-b", str(repo), "-p", str(pipeline), "-i", "Cam/raw/all", "-o", "out"]
    command = [sys.executable, "-c", _WITHOUT_PRIVILEGE]

    graph = subprocess.run(
        [*command, "qgraph", *options], capture_output=True, text=True, check=False
    )
    run = subprocess.run(
        [*command, "run", *options, "--register-dataset-types"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert (graph.returncode, graph.stderr) == (0, "")
    assert run.returncode == 1
    assert run.stderr.startswith("Error: ")
    assert "cannot be written" in run.stderr
    assert "Traceback" not in run.stderr
    assert sorted(repo.rglob("*")) == before
