"""One entry of a pipeline document's ``imports``.

Reads and checks the entry; the pipeline it names is not opened here.
"""

from __future__ import annotations

from typing import Any

from butler_core.errors import near_misses
from pipetask.pipeline.definition import ImportDefinition, SubsetMode
from pipetask.pipeline.yaml_document import Faults, LocatedDict, Place

#: Keys of an import.
IMPORT_KEYS = (
    "location",
    "include",
    "exclude",
    "rename",
    "importContracts",
    "importSteps",
    "labeledSubsetModifyMode",
    "instrument",
)


def parse_import(value: Any, place: Place, faults: Faults) -> ImportDefinition | None:
    """Read one import.

    Parameters
    ----------
    value
        A location, or a mapping with the keys of `IMPORT_KEYS`.
    place
        Where it is.
    faults
        Takes every fault found.

    Returns
    -------
    ImportDefinition or None
        None if it cannot be followed.
    """
    if isinstance(value, str):
        return ImportDefinition(value)
    if not isinstance(value, LocatedDict) or not isinstance(value.get("location"), str):
        faults.add(place, f"an import is a location or a mapping that has one, not {value!r}")
        return None
    for key in value:
        if key not in IMPORT_KEYS:
            hint = near_misses(str(key), IMPORT_KEYS)
            faults.add(value.key_places[key], f"an import has no key {key!r}.{hint}")
    include, exclude = (_labels(value, key, faults) for key in ("include", "exclude"))
    if include and exclude:
        faults.add(place, "an import cannot have both include and exclude; keep one")
    instrument = value.get("instrument")
    return ImportDefinition(
        location=value["location"],
        include=include,
        # An empty list leaves nothing out.
        exclude=exclude or None,
        rename=_rename(value, faults),
        has_contracts=_fact(value, "importContracts", faults),
        has_steps=_fact(value, "importSteps", faults),
        subset_mode=_subset_mode(value, faults),
        keeps_instrument="instrument" not in value,
        instrument=None if instrument in {None, "None"} else str(instrument),
    )


def _labels(value: LocatedDict, key: str, faults: Faults) -> tuple[str, ...] | None:
    """Read a list of labels, or one that stands for a list."""
    labels = value.get(key)
    if labels is None:
        return None
    labels = [labels] if isinstance(labels, str) else labels
    if isinstance(labels, list) and all(isinstance(label, str) for label in labels):
        return tuple(labels)
    faults.add(value.value_places[key], f"{key!r} must be a list of labels, not {labels!r}")
    return None


def _rename(value: LocatedDict, faults: Faults) -> dict[str, str]:
    """Read new labels by old ones; no new one may be given twice or be an old one."""
    rename = value.get("rename") or {}
    if not isinstance(rename, dict) or not all(
        isinstance(name, str) for pair in rename.items() for name in pair
    ):
        faults.add(value.value_places["rename"], "'rename' must map old labels to new ones")
        return {}
    new = list(rename.values())
    if len(set(new)) < len(new) or set(new) & set(rename):
        faults.add(
            value.value_places["rename"],
            "'rename' must give each task its own label, and none that it renames",
        )
        return {}
    return dict(rename)


def _fact(value: LocatedDict, key: str, faults: Faults) -> bool:
    """Read true or false; true if nothing is said."""
    fact = value.get(key, True)
    if not isinstance(fact, bool):
        faults.add(value.value_places[key], f"{key!r} must be true or false, not {fact!r}")
    return bool(fact)


def _subset_mode(value: LocatedDict, faults: Faults) -> SubsetMode:
    """Read what becomes of subsets that lose tasks."""
    mode = value.get("labeledSubsetModifyMode", "DROP")
    if mode not in SubsetMode.__members__:
        place = value.value_places["labeledSubsetModifyMode"]
        faults.add(place, f"labeledSubsetModifyMode must be DROP or EDIT, not {mode!r}")
        return SubsetMode.DROP
    return SubsetMode[mode]
