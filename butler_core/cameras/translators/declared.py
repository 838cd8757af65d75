"""Makes a translator of the rules in an instrument's file.

Applies rules; what a rule may say is ``header_rules``'s. A translator made
here is not registered with astro-metadata-translator: it serves the camera
that declared it, however alike another's headers are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import astropy.units as u
from astro_metadata_translator import FitsTranslator
from astro_metadata_translator.properties import PROPERTIES
from astropy.coordinates import AltAz, Angle, SkyCoord
from astropy.time import Time, TimeDelta

from butler_core.cameras.camera import Camera
from butler_core.cameras.header_rules import HeaderSection, Rule
from butler_core.errors import CameraFileError, near_misses


class DeclaredTranslator(FitsTranslator):  # type: ignore[misc]  # its package is outside mypy's view
    """Translator by declared rules; ``declare_translator`` makes a subclass per camera.

    What the rules leave out is filled in from the camera and the rest of the
    rules, and is None where it is nowhere.
    """

    name = None
    supported_instrument = None
    camera: Camera
    section: HeaderSection

    @classmethod
    def can_translate(cls, header: Mapping[str, Any], filename: str | None = None) -> bool:  # noqa: ARG003
        """Say no: the camera must be named by whoever asks."""
        return False

    @classmethod
    def observing_date_to_offset(cls, observing_date: Time) -> TimeDelta:  # noqa: ARG003
        """Return the start of the observing day after 0h TAI."""
        return TimeDelta(float(cls.section.observing_day_offset_s), scale="tai", format="sec")

    def value(self, name: str, rule: Rule) -> Any:
        """Return a property by its rule.

        Raises
        ------
        KeyError
            If the header has none of the keywords and the rule no default.
        """
        if rule.same_as is not None:
            return getattr(self, f"to_{rule.same_as}")()
        kind = PROPERTIES[name].py_type
        if kind in (SkyCoord, AltAz):
            return self._coordinates(kind, rule)
        return self._typed(kind, self._read(rule), rule)

    def _read(self, rule: Rule) -> Any:
        if rule.constant is not None:
            return rule.constant
        if rule.format is not None:
            return rule.format.format_map(self._header)
        for keyword in rule.keywords:
            if self.is_key_ok(keyword):
                found = self._header[keyword]
                return (rule.values or {}).get(found, found)
        if rule.default is None:
            raise KeyError(f"the header has no {' nor '.join(rule.keywords)}")
        return rule.default

    def _typed(self, kind: type, found: Any, rule: Rule) -> Any:
        if kind is Time:
            return Time(found, format=rule.time_format, scale=rule.time_scale)
        if kind is TimeDelta:
            return TimeDelta(float(found), scale="tai", format="sec")
        if kind in (u.Quantity, Angle):
            number = float(found) * rule.scale + rule.offset
            number = number % rule.wrap if rule.wrap else number
            quantity = u.Quantity(number, rule.unit or ("deg" if kind is Angle else "s"))
            return Angle(quantity) if kind is Angle else quantity
        if kind is float:
            return float(found) * rule.scale + rule.offset
        return kind(found)

    def _coordinates(self, kind: type, rule: Rule) -> Any:
        if not self.are_keys_ok(rule.keywords):
            raise KeyError(f"the header lacks {' or '.join(rule.keywords)}")
        first, second = (
            Angle(self._header[keyword], unit=rule.unit or "deg") for keyword in rule.keywords
        )
        if kind is SkyCoord:
            return SkyCoord(first, second, frame=rule.frame)
        altitude = 90.0 * u.deg - second if rule.zenith else second
        return AltAz(first, altitude, obstime=self.to_datetime_begin(), location=self.to_location())


def declare_translator(camera: Camera) -> type[Any]:
    """Make the translator class that a camera's ``header`` section declares.

    Parameters
    ----------
    camera
        The instrument; its ``header`` is not None.

    Raises
    ------
    CameraFileError
        If a rule is for a property that does not exist.
    """
    section = camera.header
    assert section is not None, "the camera names a translator class instead"
    unknown = [name for name in section.properties if name not in PROPERTIES]
    if unknown:
        raise CameraFileError(
            f"the 'header' section of camera {camera.name!r} has rules for {unknown}, which are no "
            "properties of astro-metadata-translator." + near_misses(unknown[0], PROPERTIES)
        )
    methods: dict[str, Any] = {
        f"to_{name}": _by_default(name) for name in PROPERTIES if not _has_default(name)
    }
    methods |= {f"to_{name}": method for name, method in _FALLBACKS.items()}
    methods |= {f"to_{name}": _by_rule(name, rule) for name, rule in section.properties.items()}
    return type(
        f"{camera.name}Translator",
        (DeclaredTranslator,),
        {"camera": camera, "section": section, **methods},
    )


def _has_default(name: str) -> bool:
    return not getattr(getattr(DeclaredTranslator, f"to_{name}"), "__isabstractmethod__", False)


def _by_default(name: str) -> Callable[[Any], Any]:  # noqa: ARG001
    return lambda self: None  # noqa: ARG005


def _by_rule(name: str, rule: Rule) -> Callable[[Any], Any]:
    return lambda self: self.value(name, rule)


def _datetime_end(self: Any) -> Any:
    return self.to_datetime_begin() + self.to_exposure_time()


def _detector(self: Any) -> Any:
    return self.camera.detector(self.to_detector_num())


#: What a property is where no rule says.
_FALLBACKS: dict[str, Callable[[Any], Any]] = {
    "instrument": lambda self: self.camera.name,
    "telescope": lambda self: self.section.telescope,
    "location": lambda self: None,  # noqa: ARG005
    "datetime_end": _datetime_end,
    "dark_time": lambda self: self.to_exposure_time(),
    "visit_id": lambda self: self.to_exposure_id(),
    "observation_id": lambda self: str(self.to_exposure_id()),
    "observation_type": lambda self: "science",  # noqa: ARG005
    "observation_counter": lambda self: self.to_exposure_id(),
    "object": lambda self: "unknown",  # noqa: ARG005
    "science_program": lambda self: "unknown",  # noqa: ARG005
    "boresight_rotation_coord": lambda self: (
        "sky" if "boresight_rotation_angle" in self.section.properties else "unknown"
    ),
    "detector_name": lambda self: _detector(self).name_in_raft,
    "detector_group": lambda self: _detector(self).raft,
    "detector_unique_name": lambda self: _detector(self).full_name,
    "detector_serial": lambda self: _detector(self).serial,
    "detector_exposure_id": lambda self: (
        self.to_exposure_id() * self.camera.detector_max + self.to_detector_num()
    ),
}
