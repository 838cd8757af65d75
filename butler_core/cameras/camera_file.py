"""Reads an instrument's YAML file into a ``Camera``.

The one border where an instrument's facts are checked: every fault of a file
is reported together. Finds no file (``find``) and translates no header.

The file has the fields of ``Camera``, and further:

``amplifier_layouts``
    name -> ``{raw_size: [nx, ny], data: [x0, y0, nx, ny], serial_overscan,
    parallel_overscan, read_corner, amplifiers}``, where each row of
    ``amplifiers`` is ``[name, hdu, ix, iy, flip_x, flip_y, gain, read noise,
    saturation]`` and may end in ``raw_x0, raw_y0`` where several amplifiers
    share an HDU.
``detector_types``
    name -> ``{nx, ny, pixel_mm, ref: [x, y], amplifiers: layout name}``.
``detectors``
    rows ``[id, full_name, raft, name_in_raft, purpose, type, serial, x_mm,
    y_mm, yaw_deg]``.
``filters``
    ``bands``: band -> physical filters; ``sets``: name -> words. A filter
    ``r~{grating}`` stands for one filter per word of the set ``grating``.
``raw``
    fields of ``RawLayout``.
``translator`` or ``header``
    the dotted name of a translator class, or the translation itself (see
    ``header_rules``).
"""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from butler_core.cameras.camera import Amplifier, Box, Camera, Detector, PhysicalFilter, RawLayout
from butler_core.errors import CameraFileError

if TYPE_CHECKING:
    from butler_core.cameras.camera_schema import AmplifierLayout, CameraDocument, DetectorType

_SET_NAME = re.compile(r"\{(\w+)\}")


def load_camera(path: Path) -> Camera:
    """Read an instrument from its YAML file.

    Parameters
    ----------
    path
        The file. Read again only if it has changed since the last time.

    Raises
    ------
    CameraFileError
        If the file cannot be read, is no YAML or does not describe an
        instrument; the message lists every fault found.
    """
    try:
        changed_ns = path.stat().st_mtime_ns
    except OSError as error:
        raise CameraFileError(
            f"cannot read the camera file {str(path)!r}: {error.strerror}. Check the path."
        ) from error
    return _load(path, changed_ns)


@lru_cache(maxsize=32)
def _load(path: Path, changed_ns: int) -> Camera:  # noqa: ARG001 - the time is part of the key
    return parse_camera(path.read_text(encoding="utf-8"), source=str(path))


def parse_camera(text: str, *, source: str) -> Camera:
    """Make an instrument of the text of its YAML file.

    Parameters
    ----------
    text
        The whole file.
    source
        Name of the file, for messages.

    Raises
    ------
    CameraFileError
        As ``load_camera``.
    """
    from pydantic import ValidationError

    from butler_core.cameras.camera_schema import CameraDocument

    content = _parse_yaml(text, source)
    try:
        document = CameraDocument.model_validate(content)
    except ValidationError as error:
        faults = [
            f"{'.'.join(map(str, fault['loc'])) or 'file'}: {fault['msg']}"
            for fault in error.errors(include_url=False)
        ]
        raise _file_error(source, faults) from error
    faults = _faults(document)
    if faults:
        raise _file_error(source, faults)
    return _camera(document)


def _parse_yaml(text: str, source: str) -> Any:
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return yaml.load(text, Loader=loader)  # noqa: S506 - both loaders are the safe ones
    except yaml.YAMLError as error:
        raise CameraFileError(
            f"the camera file {source!r} is no valid YAML: {error}. Mend the line named."
        ) from error


def _file_error(source: str, faults: list[str]) -> CameraFileError:
    lines = "\n".join(f"  - {fault}" for fault in faults)
    return CameraFileError(
        f"the camera file {source!r} has {len(faults)} fault(s); mend them all:\n{lines}"
    )


def _faults(document: CameraDocument) -> list[str]:
    """List what is wrong between parts that are each well formed."""
    faults = _detector_faults(document)
    for name, kind in document.detector_types.items():
        layout = document.amplifier_layouts.get(kind.amplifiers)
        if layout is None:
            known = ", ".join(map(repr, document.amplifier_layouts))
            faults.append(
                f"detector_types.{name}: no amplifier layout {kind.amplifiers!r}; there are {known}"
            )
            continue
        faults.extend(_layout_faults(name, kind, layout))
    faults.extend(_filter_faults(document))
    if document.radial_coefficients[0] != 0:
        faults.append("radial_coefficients: the first must be 0, the optical axis being the origin")
    if (document.translator is None) == (document.header is None):
        faults.append("give one of 'translator' (a class) and 'header' (a declared translation)")
    return faults


def _detector_faults(document: CameraDocument) -> list[str]:
    faults: list[str] = []
    for what, values in (
        ("id", [row.id for row in document.detectors]),
        ("full_name", [row.full_name for row in document.detectors]),
    ):
        faults.extend(
            f"detectors: {what} {value!r} is given {times} times"
            for value, times in Counter(values).items()
            if times > 1
        )
    for row in document.detectors:
        if row.id >= document.detector_max:
            faults.append(
                f"detectors: id {row.id} is not below detector_max {document.detector_max}"
            )
        if row.physical_type not in document.detector_types:
            faults.append(
                f"detectors: {row.full_name!r} is of type {row.physical_type!r}, which is not "
                f"among detector_types {', '.join(map(repr, document.detector_types))}"
            )
    return faults


def _layout_faults(name: str, kind: DetectorType, layout: AmplifierLayout) -> list[str]:
    amplifiers = _amplifiers(layout)
    whole = Box(0, 0, kind.nx, kind.ny)
    faults = [
        f"detector_types.{name}: amplifier {amplifier.name!r} lands at {amplifier.box}, outside "
        f"the detector's {kind.nx} x {kind.ny} pixels"
        for amplifier in amplifiers
        if not whole.contains(amplifier.box)
    ]
    for what in ("data", "serial_overscan", "parallel_overscan"):
        faults.extend(
            f"detector_types.{name}: {what} of amplifier {amplifier.name!r} is outside its raw "
            "image"
            for amplifier in amplifiers
            if not amplifier.raw.contains(getattr(amplifier, what))
        )
    area = sum(amplifier.box.nx * amplifier.box.ny for amplifier in amplifiers)
    places = {(amplifier.ix, amplifier.iy) for amplifier in amplifiers}
    if area != kind.nx * kind.ny or len(places) != len(amplifiers):
        faults.append(
            f"detector_types.{name}: its {len(amplifiers)} amplifiers do not tile "
            f"{kind.nx} x {kind.ny} pixels"
        )
    return faults


def _filter_faults(document: CameraDocument) -> list[str]:
    faults = [
        f"filters.bands.{band}: {name!r} names the set {word!r}, which filters.sets does not have"
        for band, names in document.filters.bands.items()
        for name in names
        for word in _SET_NAME.findall(name)
        if word not in document.filters.sets
    ]
    if not faults:
        bands = Counter(item.name for item in _filters(document))
        faults = [f"filters: {name!r} is given {n} times" for name, n in bands.items() if n > 1]
    return faults


def _camera(document: CameraDocument) -> Camera:
    detectors = tuple(sorted(_detectors(document), key=lambda detector: detector.id))
    return Camera(
        name=document.name,
        class_name=document.class_name,
        visit_max=document.visit_max,
        exposure_max=document.exposure_max,
        detector_max=document.detector_max,
        visit_system=document.visit_system,
        plate_scale_arcsec_per_mm=document.plate_scale_arcsec_per_mm,
        radial_coefficients=document.radial_coefficients,
        flip_x=document.flip_x,
        detectors=detectors,
        filters=tuple(sorted(_filters(document), key=lambda item: item.name)),
        translator=document.translator,
        header=document.header,
        raw=RawLayout(**document.raw.model_dump()),
    )


def _detectors(document: CameraDocument) -> list[Detector]:
    amplifiers = {name: _amplifiers(layout) for name, layout in document.amplifier_layouts.items()}
    detectors = []
    for row in document.detectors:
        kind = document.detector_types[row.physical_type]
        detectors.append(
            Detector(
                **row._asdict(),
                nx=kind.nx,
                ny=kind.ny,
                pixel_mm=kind.pixel_mm,
                ref_x=kind.ref[0],
                ref_y=kind.ref[1],
                amplifiers=amplifiers[kind.amplifiers],
            )
        )
    return detectors


def _amplifiers(layout: AmplifierLayout) -> tuple[Amplifier, ...]:
    nx, ny = layout.raw_size
    data, serial, parallel = (
        Box(*box) for box in (layout.data, layout.serial_overscan, layout.parallel_overscan)
    )
    return tuple(
        Amplifier(
            name=row.name,
            hdu=row.hdu,
            ix=row.ix,
            iy=row.iy,
            read_corner=layout.read_corner,
            flip_x=row.flip_x,
            flip_y=row.flip_y,
            raw=Box(row.raw_x0, row.raw_y0, nx, ny),
            data=data.shifted(row.raw_x0, row.raw_y0),
            serial_overscan=serial.shifted(row.raw_x0, row.raw_y0),
            parallel_overscan=parallel.shifted(row.raw_x0, row.raw_y0),
            box=Box(row.ix * data.nx, row.iy * data.ny, data.nx, data.ny),
            gain_e_per_adu=row.gain_e_per_adu,
            read_noise_e=row.read_noise_e,
            saturation_adu=row.saturation_adu,
        )
        for row in layout.amplifiers
    )


def _filters(document: CameraDocument) -> list[PhysicalFilter]:
    return [
        PhysicalFilter(name=name, band=band)
        for band, patterns in document.filters.bands.items()
        for pattern in patterns
        for name in _expanded(pattern, document.filters.sets)
    ]


def _expanded(pattern: str, sets: dict[str, list[str]]) -> list[str]:
    """Write out one filter name per word of the first set named, recursively."""
    found = _SET_NAME.search(pattern)
    if found is None:
        return [pattern]
    head, tail = pattern[: found.start()], pattern[found.end() :]
    return [
        name for word in sets[found.group(1)] for name in _expanded(f"{head}{word}{tail}", sets)
    ]
