"""From the header of a raw file to what a registry stores about its exposure.

Runs the camera's translator and turns its answer into plain values of Rubin's
``exposure`` dimension. Opens no file and stores nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from butler_core.cameras.camera import Camera
from butler_core.errors import HeaderError, UnknownCameraError

if TYPE_CHECKING:
    from astro_metadata_translator import ObservationInfo
    from astropy.time import Time

#: Julian date of 1970-01-01T00:00:00, the origin of our nanoseconds.
_EPOCH_JD = Fraction(24405875, 10)
_NS_PER_DAY = 86400 * 10**9

#: Properties without which there is no exposure to store.
_REQUIRED = (
    "datetime_begin",
    "datetime_end",
    "detector_num",
    "exposure_group",
    "exposure_id",
    "exposure_time",
    "observation_id",
    "observation_type",
    "observing_day",
    "physical_filter",
)

#: The others that are read, so that nothing is computed in vain.
_OPTIONAL = (
    "altaz_begin",
    "boresight_rotation_angle",
    "boresight_rotation_coord",
    "can_see_sky",
    "dark_time",
    "group_counter_end",
    "group_counter_start",
    "has_simulated_content",
    "instrument",
    "object",
    "observation_counter",
    "observation_reason",
    "observing_day_offset",
    "science_program",
    "tracking_radec",
)


@dataclass(frozen=True, slots=True)
class ExposureFacts:
    """One exposure of one detector, as universe 8 of Rubin's dimensions wants it.

    Values that a header may lack are None.
    """

    #: Name of the instrument.
    instrument: str
    #: Exposure ID.
    id: int
    #: The observatory's name of the exposure.
    obs_id: str
    #: Filter in the beam.
    physical_filter: str
    #: Group of exposures taken together; the name of the ``group`` record.
    group: str
    #: Observing day, YYYYMMDD.
    day_obs: int
    #: Start of the observing day after 0h TAI [s].
    day_obs_offset_s: int
    #: Time with the shutter open [s].
    exposure_time: float
    #: Time between clearing and reading [s].
    dark_time: float | None
    #: Type of observation (science, bias, ...).
    observation_type: str
    #: Why it was taken.
    observation_reason: str | None
    #: Counter within the day.
    seq_num: int | None
    #: Counter of the first exposure that may belong with it.
    seq_start: int | None
    #: Counter of the last exposure that may belong with it.
    seq_end: int | None
    #: Name of the target.
    target_name: str | None
    #: Observing programme.
    science_program: str | None
    #: Right ascension of the boresight, ICRS [deg].
    tracking_ra: float | None
    #: Declination of the boresight, ICRS [deg].
    tracking_dec: float | None
    #: Position angle of the focal plane on the sky [deg]; see ``geometry``.
    sky_angle: float | None
    #: Azimuth at the start, from north through east [deg].
    azimuth: float | None
    #: Angle from the zenith at the start [deg].
    zenith_angle: float | None
    #: Was any of it simulated?
    has_simulated: bool
    #: Did light of the sky reach the detectors?
    can_see_sky: bool | None
    #: Begin [TAI ns since 1970-01-01T00:00:00 TAI].
    begin_ns: int
    #: End [TAI ns since 1970-01-01T00:00:00 TAI]; never before the begin.
    end_ns: int
    #: Detector ID.
    detector: int


def translate_header(
    header: Mapping[str, Any], camera: Camera | None = None, *, subset: set[str] | None = None
) -> ObservationInfo:
    """Translate a header to the properties of astro-metadata-translator.

    Parameters
    ----------
    header
        The cards of a raw file's primary header (merged with an extension's
        where the camera needs it). Corrections are made to a copy.
    camera
        The instrument; if None it is recognised by its header, among those of
        astro-metadata-translator and those of this package that name a
        translator class.
    subset
        Properties to translate; all if None.

    Returns
    -------
    ObservationInfo
        Properties that the header does not give are None.

    Raises
    ------
    HeaderError
        If no camera recognises the header.
    CameraFileError
        If the camera's translator cannot be made.
    """
    from astro_metadata_translator import MetadataTranslator, ObservationInfo

    from butler_core.cameras.translators.choose import register_translators, translator_class

    cards = {key: header[key] for key in header if key not in ("COMMENT", "HISTORY", "")}
    register_translators()
    if camera is not None:
        translator = translator_class(camera)
    else:
        try:
            translator = MetadataTranslator.determine_translator(cards)
        except ValueError as error:
            instrument = cards.get("INSTRUME", "none")
            raise HeaderError(
                f"no camera recognises this header: its INSTRUME is {instrument!r}. Translators "
                f"exist for {', '.join(MetadataTranslator.translators)}; name the camera."
            ) from error
    return ObservationInfo(cards, translator_class=translator, subset=subset, quiet=True)


def read_exposure_facts(header: Mapping[str, Any], camera: Camera) -> ExposureFacts:
    """Read what a registry stores about an exposure.

    Parameters
    ----------
    header
        As for ``translate_header``.
    camera
        The instrument.

    Raises
    ------
    HeaderError
        If the header lacks something that every exposure has, or its detector
        or filter is none of the camera's; all that is wrong is in one message.
    """
    info = translate_header(header, camera, subset={*_REQUIRED, *_OPTIONAL})
    missing = [name for name in _REQUIRED if getattr(info, name) is None]
    if missing:
        raise HeaderError(
            f"the header of exposure {info.observation_id or info.exposure_id or 'unknown'!r} does "
            f"not give {', '.join(missing)} by the rules of camera {camera.name!r}. Add the cards "
            "or correct the camera's translation."
        )
    _check_known(info, camera)
    begin_ns, end_ns = tai_ns(info.datetime_begin), tai_ns(info.datetime_end)
    offset = info.observing_day_offset
    return ExposureFacts(
        instrument=camera.name,
        id=info.exposure_id,
        obs_id=info.observation_id,
        physical_filter=info.physical_filter,
        group=info.exposure_group,
        day_obs=info.observing_day,
        day_obs_offset_s=0 if offset is None else round(offset.to_value("s")),
        exposure_time=float(info.exposure_time.to_value("s")),
        dark_time=None if info.dark_time is None else float(info.dark_time.to_value("s")),
        observation_type=info.observation_type,
        observation_reason=info.observation_reason,
        seq_num=info.observation_counter,
        seq_start=info.group_counter_start,
        seq_end=info.group_counter_end,
        target_name=info.object,
        science_program=info.science_program,
        **_pointing(info),
        has_simulated=bool(info.has_simulated_content),
        can_see_sky=info.can_see_sky,
        begin_ns=begin_ns,
        end_ns=max(begin_ns, end_ns),
        detector=info.detector_num,
    )


def _check_known(info: ObservationInfo, camera: Camera) -> None:
    """Raise HeaderError if the camera has no such detector or filter."""
    faults = []
    for find, key in (
        (camera.detector, info.detector_num),
        (camera.filter, info.physical_filter),
    ):
        try:
            find(key)
        except UnknownCameraError as error:
            faults.append(str(error))
    if faults:
        raise HeaderError(
            f"exposure {info.observation_id!r} does not fit its camera:\n  - "
            + "\n  - ".join(faults)
        )


def _pointing(info: ObservationInfo) -> dict[str, float | None]:
    """Return the angles of the exposure [deg], None where they are not known."""
    angles: dict[str, float | None] = dict.fromkeys(
        ("tracking_ra", "tracking_dec", "sky_angle", "azimuth", "zenith_angle")
    )
    if info.tracking_radec is not None:
        icrs = info.tracking_radec.icrs
        angles["tracking_ra"] = float(icrs.ra.deg)
        angles["tracking_dec"] = float(icrs.dec.deg)
        if info.boresight_rotation_coord == "sky" and info.boresight_rotation_angle is not None:
            angles["sky_angle"] = float(info.boresight_rotation_angle.to_value("deg"))
    if info.altaz_begin is not None:
        angles["azimuth"] = float(info.altaz_begin.az.deg)
        angles["zenith_angle"] = float(info.altaz_begin.zen.deg)
    return angles


def tai_ns(time: Time) -> int:
    """Return a time as integer nanoseconds.

    Parameters
    ----------
    time
        A scalar time of any scale.

    Returns
    -------
    int
        TAI nanoseconds since 1970-01-01T00:00:00 TAI, rounded once, from the
        exact sum of the two parts of the Julian date.
    """
    tai = time.tai
    days = Fraction(float(tai.jd1)) + Fraction(float(tai.jd2)) - _EPOCH_JD
    return round(days * _NS_PER_DAY)
