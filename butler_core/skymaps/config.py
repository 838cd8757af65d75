"""What a sky map is made from: typed values, checked once, and their hash.

Names of fields, defaults and the hash are those of Rubin's ``lsst.skymap``
(``config.skyMap["rings"].numRings``). Reads no file and computes no geometry.
"""

from __future__ import annotations

import hashlib
import struct
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from butler_core.errors import ConfigError, near_misses

Projection = Literal["TAN", "STG", "ZEA", "ARC", "SIN"]
Size = Annotated[int, Field(gt=0)]
Margin = Annotated[int, Field(ge=0)]
Degrees = Annotated[float, Field(allow_inf_nan=False)]


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class LegacyTractBuilder(_Frozen):
    """Patches of a fixed size."""

    patchInnerDimensions: tuple[Size, Size] = (4000, 4000)  # noqa: N815 - Rubin's names throughout
    patchBorder: Margin = 100  # noqa: N815


class CellTractBuilder(_Frozen):
    """Patches of whole cells."""

    cellInnerDimensions: tuple[Size, Size] = (150, 150)  # noqa: N815
    cellBorder: Margin = 50  # noqa: N815
    numCellsPerPatchInner: Size = 20  # noqa: N815
    numCellsInPatchBorder: Margin = 1  # noqa: N815

    @model_validator(mode="after")
    def _square(self) -> CellTractBuilder:
        if self.cellInnerDimensions[0] != self.cellInnerDimensions[1]:
            raise ValueError("cellInnerDimensions must be equal, for square cells")
        return self


class PatchGrid(_Frozen):
    """How tracts are cut into patches."""

    name: Literal["legacy", "cells"] = "legacy"
    legacy: LegacyTractBuilder = LegacyTractBuilder()
    cells: CellTractBuilder = CellTractBuilder()

    @property
    def inner(self) -> tuple[int, int]:
        """Columns and rows of a patch without its border [pixel]."""
        if self.name == "legacy":
            return self.legacy.patchInnerDimensions
        nx, ny = self.cells.cellInnerDimensions
        per_patch = self.cells.numCellsPerPatchInner
        return nx * per_patch, ny * per_patch

    @property
    def border(self) -> int:
        """By how much a patch reaches into its neighbours [pixel]."""
        if self.name == "legacy":
            return self.legacy.patchBorder
        cells = self.cells
        return cells.numCellsInPatchBorder * cells.cellInnerDimensions[0] + cells.cellBorder

    @property
    def is_clipped(self) -> bool:
        """Whether the border ends at the edge of the tract."""
        return self.name == "legacy"

    def packed_numbers(self) -> bytes:
        """Return the builder's part of the hash's input."""
        if self.name == "legacy":
            return struct.pack("<iii", *self.legacy.patchInnerDimensions, self.legacy.patchBorder)
        cells = self.cells
        return struct.pack(
            "<iiiii",
            *cells.cellInnerDimensions,
            cells.cellBorder,
            cells.numCellsPerPatchInner,
            cells.numCellsInPatchBorder,
        )


class MapConfig(_Frozen):
    """What all kinds of map have."""

    tractBuilder: PatchGrid = PatchGrid()  # noqa: N815
    #: Least overlap of neighbouring tracts [deg].
    tractOverlap: Annotated[Degrees, Field(ge=0)] = 1.0  # noqa: N815
    #: Side of a pixel at the centre of a tract [arcsec].
    pixelScale: Annotated[Degrees, Field(gt=0)] = 0.333  # noqa: N815
    #: FITS code of a zenithal projection.
    projection: Projection = "STG"
    #: Position angle of +Y at the centre of a tract [deg].
    rotation: Degrees = 0.0

    @model_validator(mode="before")
    @classmethod
    def _old_spellings(cls, value: Any) -> Any:
        """Take patch sizes given without their builder, as older files do."""
        if not isinstance(value, dict):
            return value
        old = {k: v for k, v in value.items() if k in LegacyTractBuilder.model_fields}
        if not old:
            return value
        rest = {k: v for k, v in value.items() if k not in old}
        builder = rest.get("tractBuilder", {})
        if not isinstance(builder, dict):
            return value
        legacy = {**old, **builder.get("legacy", {})}
        return rest | {"tractBuilder": {**builder, "legacy": legacy}}

    def packed(self) -> bytes:
        """Return the input of the hash that belongs to this kind of map."""
        raise NotImplementedError


class DodecaConfig(MapConfig):
    """Twelve tracts, the faces of a dodecahedron."""

    tractBuilder: PatchGrid = PatchGrid(legacy=LegacyTractBuilder(patchBorder=250))  # noqa: N815
    tractOverlap: Annotated[Degrees, Field(ge=0)] = 3.5  # noqa: N815
    pixelScale: Annotated[Degrees, Field(gt=0)] = 10.0 / 50.0  # noqa: N815
    #: Whether tracts are centred on the poles; else three meet there.
    withTractsOnPoles: bool = False  # noqa: N815

    def packed(self) -> bytes:
        """Return the input of the hash that belongs to this kind of map."""
        return struct.pack("<?", self.withTractsOnPoles)


class RingsConfig(MapConfig):
    """Rings of tracts at equal declination, and a tract on each pole."""

    numRings: Size  # noqa: N815
    #: Right ascension of the first tract of each ring [deg].
    raStart: Annotated[Degrees, Field(ge=0, lt=360)] = 0.0  # noqa: N815

    def packed(self) -> bytes:
        """Return the input of the hash that belongs to this kind of map."""
        return struct.pack("<id", self.numRings, self.raStart)


class DiscreteConfig(MapConfig):
    """Square tracts at places that are listed, all [deg]."""

    raList: tuple[Degrees, ...]  # noqa: N815
    decList: tuple[Annotated[Degrees, Field(ge=-90, le=90)], ...]  # noqa: N815
    radiusList: tuple[Annotated[Degrees, Field(gt=0)], ...]  # noqa: N815

    @model_validator(mode="after")
    def _equal_lengths(self) -> DiscreteConfig:
        counts = [len(self.raList), len(self.decList), len(self.radiusList)]
        if len(set(counts)) > 1 or not counts[0]:
            raise ValueError(
                f"raList, decList and radiusList have {counts[0]}, {counts[1]} and {counts[2]} "
                "entries; they must have the same number, one at least"
            )
        return self

    def packed(self) -> bytes:
        """Return the input of the hash that belongs to this kind of map."""
        layout = f"<{len(self.raList)}d"
        return b"".join(
            struct.pack(layout, *angles) for angles in (self.raList, self.decList, self.radiusList)
        )


_KINDS: dict[str, tuple[str, type[MapConfig]]] = {
    "dodeca": ("DodecaSkyMap", DodecaConfig),
    "rings": ("RingsSkyMap", RingsConfig),
    "discrete": ("DiscreteSkyMap", DiscreteConfig),
}


class SkyMapConfig(_Frozen):
    """A sky map: its name in the repository, its kind, and the kind's values."""

    name: Annotated[str, Field(min_length=1, max_length=64)]
    kind: Literal["dodeca", "rings", "discrete"]
    settings: DodecaConfig | RingsConfig | DiscreteConfig

    @classmethod
    def parse(cls, content: dict[str, Any], *, source: str) -> SkyMapConfig:
        """Check a configuration in Rubin's layout: ``name`` and ``skyMap``.

        ``skyMap`` has the kind under ``name``, and the values of each kind under
        the kind's name; without them, ``skyMap`` holds the values themselves.

        Raises
        ------
        ConfigError
            If it does not describe a sky map; the message lists every fault.
        """
        unknown = sorted(set(content) - {"name", "skyMap", "doWrite"})
        if unknown:
            raise ConfigError(
                f"{source} has {unknown[0]!r}, which is no field of a sky map's configuration; "
                f"they are name and skyMap.{near_misses(unknown[0], ('name', 'skyMap'))}"
            )
        given = content.get("skyMap", {})
        given = {"name": given} if isinstance(given, str) else dict(given)
        kind = str(given.pop("name", "dodeca"))
        if kind not in _KINDS:
            raise ConfigError(
                f"{source} asks for a sky map of kind {kind!r}; there are {', '.join(_KINDS)}."
                f"{near_misses(kind, _KINDS)}"
            )
        settings = given.get(kind, {k: v for k, v in given.items() if k not in _KINDS})
        try:
            checked = _KINDS[kind][1].model_validate(settings)
            return cls.model_validate(
                {"name": content.get("name", ""), "kind": kind, "settings": checked}
            )
        except ValidationError as error:
            faults = "; ".join(
                f"{'.'.join(map(str, fault['loc'])) or 'values'}: {fault['msg']}"
                for fault in error.errors(include_url=False)
            )
            raise ConfigError(f"{source} does not describe a {kind!r} sky map: {faults}") from error

    @property
    def hash(self) -> bytes:
        """The 20 bytes by which the same map is known again; equal to Rubin's SHA-1."""
        settings = self.settings
        content = (
            _KINDS[self.kind][0].encode(),
            settings.tractBuilder.packed_numbers(),
            struct.pack(
                "<dd3sd",
                settings.tractOverlap,
                settings.pixelScale,
                settings.projection.encode(),
                settings.rotation,
            ),
            settings.packed(),
        )
        return hashlib.sha1(b"".join(content), usedforsecurity=False).digest()
