"""Writes a whole night into a folder, once.

Runs the exposures, in several processes if wanted, and keeps the list of the
files with their checksums, ``night.json``, by which the same night is known
again. Simulates nothing itself.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from butler_core.errors import WriteFileError
from pipelines.simulated_night.exposure import raw_path, set_stage, take_exposure
from pipelines.simulated_night.night_plan import NightSettings, PlannedExposure, plan_night
from pipelines.simulated_night.reference_catalogue import (
    CATALOGUE_NAME,
    make_reference_catalogue,
    write_ingest_table,
    write_shards,
)
from pipelines.simulated_night.truth import write_detector_truth

#: Raised when equal settings would give other bytes than before.
SIMULATION_VERSION = 1

#: Name of the list of files.
MANIFEST_NAME = "night.json"


@dataclass(frozen=True)
class NightReport:
    """What a night's folder holds."""

    #: The folder.
    folder: Path
    #: The exposures, by sequence number.
    exposures: tuple[PlannedExposure, ...]
    #: HTM level 7 trixels of the reference catalogue's shards.
    trixels: tuple[int, ...]
    #: Was the night there already, every byte of it?
    was_there: bool

    def raw_files(self) -> list[Path]:
        """Return the raw files, in the order of the exposures."""
        return [raw_path(self.folder, exposure) for exposure in self.exposures]


def write_night(folder: Path, settings: NightSettings, *, n_processes: int = 1) -> NightReport:
    """Simulate a night, unless the folder holds it already.

    Parameters
    ----------
    folder
        Where; made if need be. It must be empty, or hold this very night.
    settings
        The night.
    n_processes
        Number of processes that simulate exposures; it changes no byte.

    Returns
    -------
    NightReport
        What is there.

    Raises
    ------
    WriteFileError
        If the folder holds anything else.
    """
    exposures = plan_night(settings, set_stage(settings).scale_arcsec)
    if folder.exists() and any(folder.iterdir()):
        _check_same_night(folder, settings)
        write_ingest_table(folder / "refcats")
        return NightReport(folder, exposures, _trixels(folder), was_there=True)
    raw_path(folder, exposures[0]).parent.mkdir(parents=True)
    (folder / "truth").mkdir()
    _write_shared_files(folder, settings)
    take = partial(take_exposure, settings, folder=folder)
    if n_processes == 1:
        for exposure in exposures:
            take(exposure)
    else:
        with ProcessPoolExecutor(n_processes, multiprocessing.get_context("spawn")) as pool:
            list(pool.map(take, exposures))
    _write_manifest(folder, settings)
    return NightReport(folder, exposures, _trixels(folder), was_there=False)


def _write_shared_files(folder: Path, settings: NightSettings) -> None:
    """Write what belongs to no single exposure: catalogues and detector."""
    stage = set_stage(settings)
    write_detector_truth(folder / "truth", stage.sensor)
    write_shards(folder / "refcats", make_reference_catalogue(settings, stage.stars))
    write_ingest_table(folder / "refcats")


def _trixels(folder: Path) -> tuple[int, ...]:
    """Return the trixels of the shards in a night's folder, ascending."""
    shards = (folder / "refcats" / CATALOGUE_NAME).glob("*.fits")
    return tuple(sorted(int(path.stem) for path in shards))


def _checksums(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield path and SHA-256 of every file that the settings determine.

    The ingest table is left out, since it depends on the folder's place.
    """
    left_out = {folder / MANIFEST_NAME, folder / "refcats" / f"{CATALOGUE_NAME}.ecsv"}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path not in left_out:
            with path.open("rb") as stream:
                digest = hashlib.file_digest(stream, "sha256").hexdigest()
            yield path.relative_to(folder).as_posix(), digest


def _write_manifest(folder: Path, settings: NightSettings) -> None:
    """Write the list of files; its being there says that the night is whole."""
    manifest = {
        "simulation_version": SIMULATION_VERSION,
        "settings": asdict(settings),
        "files": dict(_checksums(folder)),
    }
    text = json.dumps(manifest, indent=1) + "\n"
    (folder / MANIFEST_NAME).write_text(text, encoding="utf-8")


def _check_same_night(folder: Path, settings: NightSettings) -> None:
    """Refuse a folder that does not hold exactly the night that is asked for."""
    path = folder / MANIFEST_NAME
    asked = f"a simulated night of {asdict(settings)} was to go into {str(folder)!r}, "
    remedy = "Give another folder, or remove this one."
    if not path.is_file():
        raise WriteFileError(
            f"{asked}which has files in it and no {MANIFEST_NAME!r}: it holds something else, or "
            f"a night that was broken off. {remedy}"
        )
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        files = dict(manifest["files"])
        found = (manifest["simulation_version"], manifest["settings"])
    except (ValueError, TypeError, KeyError) as error:
        raise WriteFileError(f"{asked}whose {MANIFEST_NAME!r} is broken. {remedy}") from error
    if found != (SIMULATION_VERSION, asdict(settings)):
        raise WriteFileError(
            f"{asked}which holds the night of {found[1]}, simulation version {found[0]} "
            f"(this is version {SIMULATION_VERSION}). {remedy}"
        )
    changed = sorted(dict(files.items() ^ dict(_checksums(folder)).items()))
    if changed:
        raise WriteFileError(
            f"{asked}which holds it with {len(changed)} files missing, changed or added, such as "
            f"{changed[0]!r}. {remedy}"
        )
