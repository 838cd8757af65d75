"""What an instrument is: detectors, amplifiers, filters and optics.

Frozen values only. Reads no file (``camera_file``), no header
(``observation``) and no pixel; where things are on the sky is ``geometry``'s.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from butler_core.errors import UnknownCameraError, near_misses

if TYPE_CHECKING:
    from butler_core.cameras.header_rules import HeaderSection


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle of pixels.

    The first pixel of an image is (0, 0); ``x`` runs along rows (FITS axis 1).
    """

    #: First column [pixel].
    x0: int
    #: First row [pixel].
    y0: int
    #: Number of columns.
    nx: int
    #: Number of rows.
    ny: int

    @property
    def x1(self) -> int:
        """Column just past the last one."""
        return self.x0 + self.nx

    @property
    def y1(self) -> int:
        """Row just past the last one."""
        return self.y0 + self.ny

    @property
    def slices(self) -> tuple[slice, slice]:
        """Index of the box in an array of shape (ny, nx)."""
        return slice(self.y0, self.y1), slice(self.x0, self.x1)

    def shifted(self, dx: int, dy: int) -> Box:
        """Return the box moved by whole pixels."""
        return Box(self.x0 + dx, self.y0 + dy, self.nx, self.ny)

    def contains(self, other: Box) -> bool:
        """Say whether the whole of another box lies within this one."""
        return (
            self.x0 <= other.x0
            and self.y0 <= other.y0
            and other.x1 <= self.x1
            and other.y1 <= self.y1
        )


@dataclass(frozen=True, slots=True)
class Amplifier:
    """One read-out channel of a detector, for a full-frame exposure.

    ``raw``, ``data``, ``serial_overscan`` and ``parallel_overscan`` are in
    pixels of the HDU that holds the amplifier; ``box`` is in pixels of the
    assembled detector.
    """

    #: Name, unique in its detector.
    name: str
    #: Index of the HDU that holds it in a raw file (0 is the primary one).
    hdu: int
    #: Column of the amplifier in the detector's grid of amplifiers.
    ix: int
    #: Row of the amplifier in the detector's grid of amplifiers.
    iy: int
    #: Corner of the raw image that is read first: LL, LR, UL or UR.
    read_corner: str
    #: Are columns reversed between raw and assembled image?
    flip_x: bool
    #: Are rows reversed between raw and assembled image?
    flip_y: bool
    #: What the amplifier fills of its HDU, overscans included.
    raw: Box
    #: Pixels that saw light.
    data: Box
    #: Pixels past (or before) each row, which hold the bias level; empty if none.
    serial_overscan: Box
    #: Rows past the last, which hold bias and trailed charge; empty if none.
    parallel_overscan: Box
    #: Where the data pixels land in the assembled detector.
    box: Box
    #: Gain [electron/adu].
    gain_e_per_adu: float
    #: Read noise [electron].
    read_noise_e: float
    #: Level from which pixels count as saturated [adu].
    saturation_adu: float

    @property
    def raw_nx(self) -> int:
        """Columns of the amplifier's raw image."""
        return self.raw.nx

    @property
    def raw_ny(self) -> int:
        """Rows of the amplifier's raw image."""
        return self.raw.ny


@dataclass(frozen=True, slots=True)
class Detector:
    """One detector and where it sits in the focal plane.

    A pixel (x, y), 0-based with integers at pixel centres, is in the focal
    plane at ``(x_mm, y_mm) + R(yaw_deg) . (x - ref_x, y - ref_y) * pixel_mm``,
    with R the anticlockwise rotation from +X towards +Y.
    """

    #: Number, unique in its camera.
    id: int
    #: Name, unique in its camera.
    full_name: str
    #: Group of detectors it belongs to (Rubin's word for the group).
    raft: str
    #: Name, unique in its raft.
    name_in_raft: str
    #: What it is for: SCIENCE, WAVEFRONT or GUIDER.
    purpose: str
    #: Kind of silicon; detectors of a kind share their amplifiers' layout.
    physical_type: str
    #: Manufacturer's number.
    serial: str
    #: Focal-plane position of the reference pixel [mm].
    x_mm: float
    #: Focal-plane position of the reference pixel [mm].
    y_mm: float
    #: Anticlockwise rotation in the focal plane [deg].
    yaw_deg: float
    #: Columns of the assembled image.
    nx: int
    #: Rows of the assembled image.
    ny: int
    #: Side of a pixel [mm].
    pixel_mm: float
    #: Column of the reference pixel.
    ref_x: float
    #: Row of the reference pixel.
    ref_y: float
    #: Read-out channels, in the order of a raw file.
    amplifiers: tuple[Amplifier, ...]

    @property
    def box(self) -> Box:
        """The whole assembled image."""
        return Box(0, 0, self.nx, self.ny)

    def amplifier(self, name: str) -> Amplifier:
        """Return the amplifier of this name.

        Raises
        ------
        UnknownCameraError
            If the detector has none of this name.
        """
        for amplifier in self.amplifiers:
            if amplifier.name == name:
                return amplifier
        names = [amplifier.name for amplifier in self.amplifiers]
        raise UnknownCameraError(
            f"detector {self.full_name!r} has no amplifier {name!r}; it has {', '.join(names)}."
            + near_misses(name, names)
        )


@dataclass(frozen=True, slots=True)
class PhysicalFilter:
    """A piece of glass (or several in a row) and the band it stands for."""

    #: Name as raw headers give it.
    name: str
    #: Abstract band, shared between instruments.
    band: str


@dataclass(frozen=True, slots=True)
class RawLayout:
    """How the camera's raw files are laid out."""

    #: Name of the dataset type of raw files.
    dataset_type: str = "raw"
    #: Dimensions of that dataset type.
    dimensions: tuple[str, ...] = ("instrument", "exposure", "detector")
    #: Storage class of that dataset type.
    storage_class: str = "Exposure"
    #: Is DETSEC counted from the top row of the detector as we assemble it?
    detsec_from_top: bool = False


@dataclass(frozen=True)
class Camera:
    """An instrument: names, limits, optics, detectors and filters."""

    #: Name of the instrument, as in data IDs.
    name: str
    #: Rubin's name of the instrument's class, kept in the instrument's record.
    class_name: str
    #: Visit IDs are smaller than this.
    visit_max: int
    #: Exposure IDs are smaller than this.
    exposure_max: int
    #: Detector IDs are smaller than this.
    detector_max: int
    #: How exposures make visits: 0 one to one, 1 by group, 2 by counter.
    visit_system: int
    #: Angle on the sky for a millimetre at the field's centre [arcsec/mm].
    plate_scale_arcsec_per_mm: float
    #: c_k of ``field angle = plate scale [rad/mm] * sum(c_k r_mm**k)``.
    radial_coefficients: tuple[float, ...]
    #: Is the focal plane seen mirrored? See ``geometry``.
    flip_x: bool
    #: Detectors, ordered by ID.
    detectors: tuple[Detector, ...]
    #: Filters, ordered by name.
    filters: tuple[PhysicalFilter, ...]
    #: Dotted name of its header translator; None if ``header`` declares one.
    translator: str | None = None
    #: Header translation declared by the instrument's file.
    header: HeaderSection | None = field(default=None, hash=False)
    #: Layout of raw files.
    raw: RawLayout = RawLayout()

    def __hash__(self) -> int:
        # By name alone: hashing 205 detectors took 4 ms, and caches ask for it often.
        return hash((self.name, self.class_name))

    @cached_property
    def _detectors_by_key(self) -> dict[int | str, Detector]:
        by_key: dict[int | str, Detector] = {d.id: d for d in self.detectors}
        by_key.update({d.full_name: d for d in self.detectors})
        return by_key

    @cached_property
    def _filters_by_name(self) -> dict[str, PhysicalFilter]:
        return {item.name: item for item in self.filters}

    def detector(self, key: int | str) -> Detector:
        """Return the detector of this ID or full name.

        Raises
        ------
        UnknownCameraError
            If there is none.
        """
        found = self._detectors_by_key.get(key)
        if found is not None:
            return found
        first, last = self.detectors[0], self.detectors[-1]
        raise UnknownCameraError(
            f"camera {self.name!r} has no detector {key!r}; its {len(self.detectors)} detectors "
            f"are {first.id} ({first.full_name!r}) to {last.id} ({last.full_name!r})."
            + near_misses(str(key), [d.full_name for d in self.detectors])
        )

    def filter(self, name: str) -> PhysicalFilter:
        """Return the physical filter of this name.

        Raises
        ------
        UnknownCameraError
            If there is none.
        """
        found = self._filters_by_name.get(name)
        if found is not None:
            return found
        raise UnknownCameraError(
            f"camera {self.name!r} has no physical filter {name!r} among its {len(self.filters)}."
            + (near_misses(name, self._filters_by_name) or " Add it to the camera's YAML file.")
        )

    def dimension_records(self) -> dict[str, dict[str, list[Any]]]:
        """Tabulate what a registry stores about this instrument.

        Returns
        -------
        dict
            Per dimension element (instrument, detector, physical_filter), its
            columns: name to list of values, all of one length.
        """
        names = [self.name]
        return {
            "instrument": {
                "name": names,
                "visit_max": [self.visit_max],
                "visit_system": [self.visit_system],
                "exposure_max": [self.exposure_max],
                "detector_max": [self.detector_max],
                "class_name": [self.class_name],
            },
            "detector": {
                "instrument": names * len(self.detectors),
                "id": [d.id for d in self.detectors],
                "full_name": [d.full_name for d in self.detectors],
                "name_in_raft": [d.name_in_raft for d in self.detectors],
                "raft": [d.raft for d in self.detectors],
                "purpose": [d.purpose for d in self.detectors],
            },
            "physical_filter": {
                "instrument": names * len(self.filters),
                "name": [f.name for f in self.filters],
                "band": [f.band for f in self.filters],
            },
        }
