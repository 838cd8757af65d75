"""The shape of an instrument's YAML file, for pydantic to check.

Types and ranges of single fields only; what must hold between fields is
checked by ``camera_file``, which alone imports this module.
"""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from butler_core.cameras.header_rules import HeaderSection

Count = Annotated[int, Field(ge=0)]
Size = Annotated[int, Field(gt=0)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
BoxNumbers = tuple[Count, Count, Count, Count]


class AmplifierRow(NamedTuple):
    """One row of ``amplifiers``."""

    name: str
    hdu: Count
    ix: Count
    iy: Count
    flip_x: bool
    flip_y: bool
    gain_e_per_adu: Positive
    read_noise_e: Positive
    saturation_adu: Positive
    raw_x0: Count = 0
    raw_y0: Count = 0


class DetectorRow(NamedTuple):
    """One row of ``detectors``."""

    id: Count
    full_name: str
    raft: str
    name_in_raft: str
    purpose: Literal["SCIENCE", "WAVEFRONT", "GUIDER", "FOCUS"]
    physical_type: str
    serial: str
    x_mm: float
    y_mm: float
    yaw_deg: float


class Strict(BaseModel):
    """A mapping in which an unknown key is a fault."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class AmplifierLayout(Strict):
    """Value of ``amplifier_layouts``; an overscan left out is empty."""

    raw_size: tuple[Size, Size]
    data: BoxNumbers
    serial_overscan: BoxNumbers = (0, 0, 0, 0)
    parallel_overscan: BoxNumbers = (0, 0, 0, 0)
    read_corner: Literal["LL", "LR", "UL", "UR"]
    amplifiers: Annotated[list[AmplifierRow], Field(min_length=1)]


class DetectorType(Strict):
    """Value of ``detector_types``."""

    nx: Size
    ny: Size
    pixel_mm: Positive
    ref: tuple[float, float]
    amplifiers: str


class Filters(Strict):
    """Value of ``filters``."""

    sets: dict[str, list[str]] = {}
    bands: dict[str, list[str]]


class Raw(Strict):
    """Value of ``raw``; fields of ``camera.RawLayout``."""

    dataset_type: str = "raw"
    dimensions: tuple[str, ...] = ("instrument", "exposure", "detector")
    storage_class: str = "Exposure"
    detsec_from_top: bool = False


class CameraDocument(Strict):
    """A whole file."""

    name: Annotated[str, Field(pattern=r"^\w[\w.-]*$")]
    class_name: str
    visit_max: Size
    exposure_max: Size
    detector_max: Size
    visit_system: Literal[0, 1, 2]
    plate_scale_arcsec_per_mm: Positive
    radial_coefficients: Annotated[tuple[float, ...], Field(min_length=2)]
    flip_x: bool
    amplifier_layouts: dict[str, AmplifierLayout]
    detector_types: dict[str, DetectorType]
    detectors: Annotated[list[DetectorRow], Field(min_length=1)]
    filters: Filters
    raw: Raw = Raw()
    translator: str | None = None
    header: HeaderSection | None = None
