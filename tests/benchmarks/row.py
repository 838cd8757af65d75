"""What a row of the table is: preparations, measurements, and what is required of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Step:
    """A workload of one side that prepares something, once for all rows that need it."""

    #: ``ours``, ``peer`` or ``floor``.
    side: str
    workload: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    #: What it needs, by the name that the workload knows it by.
    needs: Mapping[str, Step] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """A name that equal steps share, and others do not."""
        given = "-".join(f"{name}_{value}" for name, value in sorted(self.parameters.items()))
        return f"{self.side}-{self.workload}{'-' if given else ''}{given}"


@dataclass(frozen=True)
class Case:
    """One measurement of a row, made several times."""

    #: Unique within the row; ``ours``, ``peer`` and ``floor`` are compared fact by fact.
    name: str
    step: Step
    #: Fields that the table shows of it, if not those of the row.
    shows: tuple[str, ...] = ()


@dataclass(frozen=True)
class Requirement:
    """A number that must not be too small, or too large."""

    #: ``CASE.FIELD``, or one such divided by another: ``peer.seconds / ours.seconds``.
    value: str
    #: What the number is, in words.
    text: str
    at_least: float | None = None
    at_most: float | None = None

    def found(self, medians: Mapping[str, Mapping[str, Any]]) -> float:
        """Return the number, of the medians of each case's fields."""
        parts = [_field_of(part.strip(), medians) for part in self.value.split("/")]
        return parts[0] if len(parts) == 1 else parts[0] / parts[1]

    def is_met(self, found: float) -> bool:
        """Return whether a number is as it must be."""
        return (self.at_least is None or found >= self.at_least) and (
            self.at_most is None or found <= self.at_most
        )


def _field_of(operand: str, medians: Mapping[str, Mapping[str, Any]]) -> float:
    case, _, name = operand.rpartition(".")
    return float(medians[case][name])


@dataclass(frozen=True)
class Row:
    """One row of the table."""

    name: str
    #: What a list of rows may call it by, with others like it.
    group: str
    #: What is measured.
    title: str
    cases: tuple[Case, ...]
    requirements: tuple[Requirement, ...]
    #: Fields that the table shows of each case, the first of them first.
    shows: tuple[str, ...] = ("seconds",)
    #: Facts in which the sides must agree.
    same: tuple[str, ...] = ()
    #: ``sqlite`` or ``postgresql``.
    backend: str = "sqlite"
    repeats: int = 3

    def is_called(self, word: str) -> bool:
        """Return whether a word of the command line names this row, its group or its backend."""
        return word in (self.name, self.group, self.backend)


def times_peer(factor: float, field_: str = "seconds") -> Requirement:
    """Require that the peer takes so many times as long."""
    return Requirement(f"peer.{field_} / ours.{field_}", "times the peer", at_least=factor)


def within_floor(factor: float) -> Requirement:
    """Require that we take at most so many times what the bare calls take."""
    return Requirement("ours.seconds / floor.seconds", "times the floor", at_most=factor)


def at_most(field_: str, limit: float, case: str = "ours") -> Requirement:
    """Require that a field of a case is no larger than a limit."""
    return Requirement(f"{case}.{field_}", field_, at_most=limit)


def on_a_server() -> tuple[Requirement, ...]:
    """Require that a look-up waits for its server three times at most."""
    return (at_most("n_trips", 3),)


def three(
    workloads: Mapping[str, str],
    parameters: Mapping[str, Any],
    needs: Mapping[str, Mapping[str, Step]] | None = None,
    own: Mapping[str, Mapping[str, Any]] | None = None,
) -> tuple[Case, ...]:
    """Return a case for each side.

    Parameters
    ----------
    workloads
        Workload by side.
    parameters
        What all of them are given.
    needs
        What each needs, by side.
    own
        Further parameters, by side.
    """
    needs, own = needs or {}, own or {}
    return tuple(
        Case(
            side,
            Step(side, workload, {**parameters, **own.get(side, {})}, needs.get(side, {})),
        )
        for side, workload in workloads.items()
    )
