from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.docs.conftest import Reader


def test_task_page_does_what_it_says(reader: Reader) -> None:
    reader.prepare(
        "python -m pipelines.simulated_night night --rows 32 --science 1 --calibrations 3",
        "butler create repo",
        "butler register-instrument repo lsst.obs.lsst.Latiss",
        "butler ingest-raws --transfer direct repo night/raw/2021-07-07",
    )

    reader.follow("writing-a-task.md")


def test_camera_page_does_what_it_says(reader: Reader) -> None:
    reader.follow("adding-a-camera.md")
