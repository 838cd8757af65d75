"""The ``header`` section of an instrument's file: a translation in words.

Declares and checks the rules; ``translators.declared`` applies them. Each
property of astro-metadata-translator (``exposure_id``, ``datetime_begin``,
``tracking_radec``, ...) is given by one rule, which is a FITS keyword alone or
a mapping with

``keyword``
    a keyword, or a list of which the first that the header has is taken; for
    ``tracking_radec`` (longitude, latitude) and ``altaz_begin`` (azimuth,
    altitude) exactly two that are taken together;
``constant``
    a value that stands in no header;
``format``
    a text in which keywords stand in braces: ``"{DAYOBS}{SEQNUM:05d}"``;
``same_as``
    another property;
``unit``
    unit of the number in the header (``s``, ``deg``, ``h``, ``hPa``, ...);
``scale``, ``offset``
    the number becomes ``number * scale + offset``;
``wrap``
    an angle is brought into [0, wrap);
``values``
    a map from what stands in the header to what it means;
``default``
    what to take if the header has none of the keywords;
``time_format``, ``time_scale``
    of a time: ``mjd`` or ``isot`` (default), ``tai`` or ``utc`` (default);
``frame``
    of coordinates: ``icrs`` (default), ``fk5``;
``zenith``
    true if the second of ``altaz_begin`` is the angle from the zenith.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

Scalar = str | bool | int | float

#: Properties that every exposure must get from its header.
REQUIRED = ("datetime_begin", "detector_num", "exposure_id", "exposure_time", "physical_filter")


class Rule(BaseModel):
    """How one property comes out of a header."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    keyword: str | list[str] | None = None
    constant: Scalar | None = None
    format: str | None = None
    same_as: str | None = None
    unit: str | None = None
    scale: float = 1.0
    offset: float = 0.0
    wrap: float | None = None
    values: dict[Scalar, Scalar] | None = None
    default: Scalar | None = None
    time_format: Literal["isot", "mjd", "jd", "unix"] = "isot"
    time_scale: Literal["tai", "utc", "tt"] = "utc"
    frame: Literal["icrs", "fk5", "galactic"] = "icrs"
    zenith: bool = False

    @model_validator(mode="before")
    @classmethod
    def _keyword_alone(cls, value: Any) -> Any:
        return {"keyword": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _one_source(self) -> Rule:
        sources = (self.keyword, self.constant, self.format, self.same_as)
        if sum(source is not None for source in sources) != 1:
            raise ValueError("give exactly one of keyword, constant, format and same_as")
        return self

    @property
    def keywords(self) -> list[str]:
        """The keywords, as a list of none, one or more."""
        if self.keyword is None:
            return []
        return [self.keyword] if isinstance(self.keyword, str) else self.keyword


class HeaderSection(BaseModel):
    """A whole ``header`` section."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    telescope: str = "unknown"
    #: Seconds after 0h TAI at which an observing day starts.
    observing_day_offset_s: int = 0
    properties: dict[str, Rule] = Field(min_length=1)

    @field_validator("properties")
    @classmethod
    def _complete(cls, value: dict[str, Rule]) -> dict[str, Rule]:
        missing = [name for name in REQUIRED if name not in value]
        if missing:
            raise ValueError(f"no rule for {', '.join(missing)}, which every camera needs")
        for name in ("tracking_radec", "altaz_begin"):
            if name in value and len(value[name].keywords) != 2:
                raise ValueError(f"{name} needs a list of exactly two keywords")
        for name, rule in value.items():
            if rule.same_as is not None and rule.same_as not in value:
                raise ValueError(f"{name} is the same as {rule.same_as}, which has no rule")
        return value
