"""Stores a sky map in a repository: its record, its tracts and its patches."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from butler_core.errors import RecordConflictError
from butler_core.skymaps.config import SkyMapConfig
from butler_core.skymaps.sky_map import SkyMap, make_sky_map

if TYPE_CHECKING:
    from butler_core.butler.butler import Butler

_LOG = logging.getLogger(__name__)

#: Patches that are laid out and inserted at a time.
_CHUNK = 20_000


@dataclass(frozen=True, slots=True)
class SkyMapReport:
    """What was stored of a sky map."""

    name: str
    #: Number of tracts it has.
    tracts: int
    #: Number of patches it has.
    patches: int
    #: Whether it is new; else it was there already, the same.
    is_new: bool


def register_skymap(butler: Butler, config: SkyMapConfig) -> SkyMapReport:
    """Store a sky map with all its tracts and patches, all or nothing.

    Doing it again with the same configuration changes nothing. No ``skyMap``
    dataset is written.

    Parameters
    ----------
    butler
        A butler that may write.
    config
        The sky map; see `load_config`.

    Raises
    ------
    RecordConflictError
        If another sky map has this name.
    """
    repository = butler.repository
    repository.require_writeable()
    sky_map = make_sky_map(config)
    n_patches = int(sky_map.n_patches.prod(axis=1).sum())
    stored = repository.registry.records.fetch("skymap", {"name": config.name})
    if stored["name"]:
        if stored["hash"][0] == config.hash:
            return SkyMapReport(config.name, len(sky_map), n_patches, is_new=False)
        raise RecordConflictError(
            f"there is another sky map called {config.name!r}: it has {stored['tract_max'][0]} "
            f"tracts and the hash {stored['hash'][0].hex()}, the new one {len(sky_map)} tracts and "
            f"the hash {config.hash.hex()}. Sky maps never change; choose another name"
        )
    with repository.transaction():
        _insert(butler, sky_map)
    repository.registry.database.refresh_statistics()
    return SkyMapReport(config.name, len(sky_map), n_patches, is_new=True)


def _insert(butler: Butler, sky_map: SkyMap) -> None:
    records = butler.repository.registry.records
    widest, highest = sky_map.n_patches.max(axis=0).tolist()
    records.insert(
        "skymap",
        {
            "name": [sky_map.config.name],
            "hash": [sky_map.config.hash],
            "tract_max": [len(sky_map)],
            "patch_nx_max": [widest],
            "patch_ny_max": [highest],
        },
    )
    for tracts in _chunks(sky_map):
        records.insert("tract", tract_columns(sky_map, tracts))
        records.insert("patch", patch_columns(sky_map, tracts))
        _LOG.info("%d of %d tracts stored", tracts.stop, len(sky_map))


def _chunks(sky_map: SkyMap) -> Iterator[range]:
    """Yield ranges of tracts that have a bounded number of patches, or are single."""
    counts = sky_map.n_patches.prod(axis=1).tolist()
    start, held = 0, 0
    for tract, count in enumerate(counts):
        if held and held + count > _CHUNK:
            yield range(start, tract)
            start, held = tract, 0
        held += count
    yield range(start, len(counts))


def tract_columns(sky_map: SkyMap, tracts: range) -> dict[str, list[Any]]:
    """Return the ``tract`` records of some tracts; a region is the whole tract."""
    from butler_core.region import encode_quads

    # Corners run counterclockwise in pixels, which is clockwise on the sky.
    corners = sky_map.tract_corners(tracts)[:, ::-1]
    return {
        "skymap": [sky_map.config.name] * len(tracts),
        "id": list(tracts),
        "region": encode_quads(corners),
    }


def patch_columns(sky_map: SkyMap, tracts: range) -> dict[str, list[Any]]:
    """Return the ``patch`` records of some tracts; a region is a patch with its border."""
    import numpy as np

    from butler_core.region import encode_quads

    cells = [sky_map.patch_cells(tract) for tract in tracts]
    corners = np.concatenate([sky_map.patch_corners(tract) for tract in tracts])
    places = np.concatenate(cells)
    owners = [tract for tract, held in zip(tracts, cells, strict=True) for _ in held]
    return {
        "skymap": [sky_map.config.name] * len(owners),
        "tract": owners,
        "id": [number for held in cells for number in range(len(held))],
        "cell_x": places[:, 0].tolist(),
        "cell_y": places[:, 1].tolist(),
        "region": encode_quads(corners[:, ::-1]),
    }
