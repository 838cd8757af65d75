"""Rubin's integer identifiers, computed from what headers say.

Pure arithmetic; reads no header. Source of the rules: the public packages
lsst/obs_lsst (translators and ``RubinDimensionPacker``).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re

#: Rule: the place of a controller is part of every exposure ID made from it; only append.
CONTROLLERS = "OCHPQS"
#: Controllers whose exposures are simulated.
SIMULATED_CONTROLLERS = "HPQS"

#: Last observing days on which camera (C) and simulated controllers counted on their own.
_OWN_COUNT_UNTIL = {"C": 20231004, "P": 20250417, "Q": 20250417, "S": 20250417}

_SEQ_NUM_LIMIT = 10**5
_CONTROLLER_STEP = 1000_00_00

#: Sizes of the fields of a packed ID, and the day it counts from.
_PACK_DETECTORS, _PACK_SEQ_NUMS, _PACK_DAYS = 256, 32768, 16384
_PACK_EPOCH = dt.date(2010, 1, 1)

_GROUP = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.(\d{3})(?:[+#](\d+))?")
_GROUP_EPOCH = dt.datetime(2015, 1, 1)  # noqa: DTZ001 - only a difference is taken


def exposure_id(day_obs: int, seq_num: int, controller: str | None) -> int:
    """Make an exposure ID.

    Parameters
    ----------
    day_obs
        Observing day, YYYYMMDD.
    seq_num
        Counter within the day, 0 to 99999.
    controller
        Letter of what ran the camera (O for the observatory, C for the camera
        itself, others simulated); None where it does not matter.

    Returns
    -------
    int
        ``YYYYMMDDnnnnn``; the year is 1000 later per place of the controller
        in ``CONTROLLERS``, for days on which it had a counter of its own.

    Raises
    ------
    ValueError
        If the counter is too large or the controller unknown.
    """
    if not 0 <= seq_num < _SEQ_NUM_LIMIT:
        raise ValueError(f"sequence number {seq_num} is not within 0 to {_SEQ_NUM_LIMIT - 1}")
    if controller is not None and day_obs <= _OWN_COUNT_UNTIL.get(controller, 99999999):
        if controller not in CONTROLLERS:
            raise ValueError(f"controller {controller!r} is none of {', '.join(CONTROLLERS)}")
        day_obs += _CONTROLLER_STEP * CONTROLLERS.index(controller)
    return day_obs * _SEQ_NUM_LIMIT + seq_num


def detector_exposure_id(exposure: int, detector: int) -> int:
    """Pack an exposure ID and a detector number into one integer of at most 44 bits.

    Parameters
    ----------
    exposure
        What ``exposure_id`` gives.
    detector
        Detector number, 0 to 255.

    Raises
    ------
    ValueError
        If a part does not fit its field.
    """
    long_day, seq_num = divmod(exposure, _SEQ_NUM_LIMIT)
    controller = long_day // _CONTROLLER_STEP - 2
    day_obs = str(long_day - controller * _CONTROLLER_STEP)
    date = dt.date(int(day_obs[:4]), int(day_obs[4:6]), int(day_obs[6:]))
    day = (date - _PACK_EPOCH).days
    fits = 0 <= detector < _PACK_DETECTORS and seq_num < _PACK_SEQ_NUMS and 0 <= day < _PACK_DAYS
    if not fits:
        raise ValueError(f"exposure {exposure} and detector {detector} do not fit a packed ID")
    return ((controller * _PACK_DAYS + day) * _PACK_SEQ_NUMS + seq_num) * _PACK_DETECTORS + detector


def visit_id_of_group(group: str) -> int:
    """Return the visit ID that an exposure group stands for.

    Parameters
    ----------
    group
        Digits alone, a time with milliseconds and an optional ``+N`` or
        ``#N``, or any text.

    Returns
    -------
    int
        The digits; or seconds since 2015, three digits of milliseconds and
        four of N; or 14 hexadecimal digits of the text's BLAKE2b hash with
        its length appended.
    """
    if group.isdecimal():
        return int(group)
    match = _GROUP.fullmatch(group)
    if match:
        second, millisecond, number = match.groups()
        since = dt.datetime.strptime(second, "%Y-%m-%dT%H:%M:%S") - _GROUP_EPOCH  # noqa: DTZ007
        return int(f"{int(since.total_seconds())}{millisecond}{int(number or 0):04d}")
    digest = hashlib.blake2b(group.encode()).hexdigest()[:14]
    return int(f"{int(digest, 16)}{len(group):02d}")
