from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from butler_core.queries.expression import parse

if TYPE_CHECKING:
    from tests.docs.conftest import Reader

_CATALOGUE = "gaia_dr2_20191105"
DOCS = Path(__file__).parents[2] / "docs"


def test_task_page_does_what_it_says(reader: Reader) -> None:
    reader.prepare(
        "python -m pipelines.simulated_night night --rows 32 --science 1 --calibrations 3",
        "butler create repo",
        "butler register-instrument repo lsst.obs.lsst.Latiss",
        "butler ingest-raws --transfer direct repo night/raw/2021-07-07",
    )

    reader.follow("writing-a-task.md")


def test_queries_page_does_what_it_says(reader: Reader) -> None:
    reader.prepare(
        "python -m pipelines.simulated_night night --rows 32 --science 2 --calibrations 1",
        "butler create repo",
        "butler register-instrument repo lsst.obs.lsst.Latiss",
        "butler ingest-raws --transfer direct repo night/raw/2021-07-07",
    )

    reader.follow("queries.md")


def test_running_page_does_what_it_says(reader: Reader) -> None:
    reader.prepare(*night_commands())

    reader.follow("running.md")


def night_commands() -> list[str]:
    """Return what the tutorial types before the night is reduced."""
    made = [
        f"pipetask run -b repo -p 'pipelines!latiss/calibrations.yaml#{kind}' "
        f"-i LATISS/raw/all,LATISS/calib -o LATISS/made/{kind} "
        f"-d \"exposure.observation_type='{kind}'\" --register-dataset-types && "
        f"butler certify-calibrations repo LATISS/made/{kind} LATISS/calib {kind} "
        "--begin-date 2021-07-01T00:00:00 --end-date 2021-08-01T00:00:00"
        for kind in ("bias", "dark", "flat")
    ]
    return [
        "python -m pipelines.simulated_night night --rows 64 --science 2 --calibrations 3",
        "butler create repo",
        "butler register-instrument repo lsst.obs.lsst.Latiss",
        "butler ingest-raws --transfer direct repo night/raw/2021-07-07",
        "butler define-visits repo LATISS",
        "butler write-curated-calibrations repo LATISS",
        f"butler register-dataset-type repo {_CATALOGUE} SimpleCatalog htm7",
        f"butler ingest-files -t direct repo {_CATALOGUE} refcats night/refcats/{_CATALOGUE}.ecsv",
        *made,
    ]


def test_camera_page_does_what_it_says(reader: Reader) -> None:
    reader.follow("adding-a-camera.md")


def test_expressions_of_the_concepts_are_understood() -> None:
    text = (DOCS / "concepts.md").read_text(encoding="utf-8")
    block = text.partition("```\ninstrument")[2].partition("```")[0]

    for line in f"instrument{block}".splitlines():
        parse(line)


def test_drawing_of_the_pipeline_is_current(reader: Reader) -> None:
    reader.prepare("pipetask build -p 'pipelines!latiss/night.yaml' --pipeline-mermaid new.mmd")

    kept = DOCS / "pictures" / "pipeline.mmd"
    assert kept.read_text(encoding="utf-8") == (reader.folder / "new.mmd").read_text("utf-8")
