"""Some tasks of a pipeline: ``file.yaml#label,subset`` and ``#first..last``.

Reads selections and applies those by label. What lies between two labels
depends on what the tasks read and write, which only a pipeline graph knows.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TypeVar
from urllib.parse import unquote

from butler_core.errors import near_misses
from pipetask.errors import PipelineError, UnknownLabelError
from pipetask.pipeline.definition import LabeledSubset, PipelineData, SubsetMode

_DataT = TypeVar("_DataT", bound=PipelineData)


@dataclass(frozen=True)
class Selection:
    """Labels, or the ends of a range."""

    #: Labels of tasks and subsets; empty for a range.
    labels: tuple[str, ...] = ()
    #: The task with which a range begins; None if it is open there.
    first: str | None = None
    #: The task with which a range ends, included; None if it is open there.
    last: str | None = None

    @property
    def is_range(self) -> bool:
        """Whether the selection is a range."""
        return not self.labels


def split_selection(location: str) -> tuple[str, Selection | None]:
    """Part a pipeline's location from the labels behind its ``#``.

    Parameters
    ----------
    location
        Such as ``pipeline.yaml#isr,step1`` or ``pipeline.yaml#isr..calibrate``.

    Returns
    -------
    location : str
        What comes before the ``#``.
    selection : Selection or None
        What comes after it; None if nothing does.

    Raises
    ------
    PipelineError
        If the labels are written in a way that has no meaning.
    """
    path, _, labels = location.partition("#")
    if ":" in path.replace("://", ""):
        raise PipelineError(f"{location!r}: labels come after '#', not after ':'.")
    if "#" in labels:
        raise PipelineError(f"{location!r} has more than one '#'; join labels by commas.")
    labels = unquote(labels)
    if not labels:
        return path, None
    if ".." not in labels:
        return path, Selection(labels=tuple(label.strip() for label in labels.split(",")))
    if "," in labels:
        raise PipelineError(f"{location!r}: give either a list of labels or one range.")
    ends = [end.strip() or None for end in labels.split("..")]
    if len(ends) != 2:
        raise PipelineError(f"{location!r}: a range has two ends, first..last.")
    return path, Selection(first=ends[0], last=ends[1])


def select(data: _DataT, labels: Iterable[str], mode: SubsetMode = SubsetMode.DROP) -> _DataT:
    """Return a pipeline with some of its tasks.

    Parameters
    ----------
    data
        The pipeline.
    labels
        Labels of tasks and of subsets.
    mode
        What becomes of subsets that lose tasks.

    Raises
    ------
    UnknownLabelError
        If there is no task or subset of some label.
    """
    kept: set[str] = set()
    unknown = []
    for label in labels:
        if label in data.subsets:
            kept.update(data.subsets[label].tasks)
        elif label in data.tasks:
            kept.add(label)
        else:
            hint = near_misses(label, (*data.tasks, *data.subsets))
            unknown.append(f"the pipeline has no task or subset {label!r}.{hint}")
    if unknown:
        raise UnknownLabelError("\n".join(unknown))
    return keep_tasks(data, frozenset(kept), mode=mode)


def keep_tasks(
    data: _DataT,
    kept: frozenset[str],
    *,
    mode: SubsetMode,
    lost: frozenset[str] = frozenset(),
) -> _DataT:
    """Return a pipeline without its other tasks.

    Parameters
    ----------
    data
        The pipeline.
    kept
        Labels of the tasks to keep, in no order.
    mode
        What becomes of subsets that lose tasks. With DROP, a subset that is
        empty already goes as well.
    lost
        Labels that went before, and are still named.

    Returns
    -------
    PipelineData
        Its steps are those whose subset is left; its contracts those that name
        no task that went.
    """
    dropped = lost | {label for label in data.tasks if label not in kept}
    subsets: dict[str, LabeledSubset] = {}
    for label, subset in data.subsets.items():
        is_whole = not dropped.intersection(subset.tasks)
        if mode is SubsetMode.EDIT:
            subsets[label] = subset.without(dropped)
        elif is_whole and subset.tasks:
            subsets[label] = subset
    return replace(
        data,
        tasks={label: task for label, task in data.tasks.items() if label in kept},
        subsets=subsets,
        steps=tuple(step for step in data.steps if step.label in subsets),
        contracts=tuple(c for c in data.contracts if not any(c.names(d) for d in dropped)),
    )
