"""Splits a ``where`` expression into parts that can be applied early."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from butler_core.dimensions.group import DimensionGroup
from butler_core.dimensions.universe import DimensionUniverse
from butler_core.queries import expression_tree as tree
from butler_core.queries.expression import format_expression, names_in, parse
from butler_core.queries.names import meaning_of


@dataclass(frozen=True)
class Conjunct:
    """One of the conditions that must all hold."""

    node: tree.Node
    #: Dimensions it looks at, and those they need.
    dimensions: DimensionGroup
    #: Names of elements of whose records it looks at more than keys.
    fields_of: frozenset[str]

    @property
    def text(self) -> str:
        """The condition as a user would write it."""
        return format_expression(self.node)


@dataclass(frozen=True)
class Condition:
    """A whole ``where`` expression, with the data ID that quanta must have."""

    conjuncts: tuple[Conjunct, ...]
    bind: Mapping[str, Any]
    data_id: Mapping[str, Any]

    def within(self, group: DimensionGroup) -> tree.Node:
        """Return those of the conditions that look at no other dimensions than a group's."""
        nodes = [c.node for c in self.conjuncts if c.dimensions <= group]
        if not nodes:
            return tree.TRUE
        return nodes[0] if len(nodes) == 1 else tree.And(tuple(nodes))

    def data_id_within(self, group: DimensionGroup) -> dict[str, Any]:
        """Return those of the data ID's values that a group has."""
        return {name: value for name, value in self.data_id.items() if name in group}

    def text_within(self, group: DimensionGroup) -> str:
        """Return as text the conditions that look at no other dimensions than a group's."""
        parts = [c.text for c in self.conjuncts if c.dimensions <= group]
        given = self.data_id_within(group)
        return " AND ".join([*parts, *([str(given)] if given else [])])

    @property
    def whole(self) -> tree.Node:
        """All conditions."""
        nodes = [c.node for c in self.conjuncts]
        if not nodes:
            return tree.TRUE
        return nodes[0] if len(nodes) == 1 else tree.And(tuple(nodes))


def read_condition(
    text: str, bind: Mapping[str, Any], data_id: Mapping[str, Any], universe: DimensionUniverse
) -> Condition:
    """Parse an expression and look up what it names.

    Raises
    ------
    ExpressionSyntaxError
        If the text does not follow the grammar.
    UnknownNameError
        If a name stands for nothing.
    """
    node = parse(text)
    parts = node.operands if isinstance(node, tree.And) else (node,)
    if node == tree.TRUE:
        parts = ()
    conjuncts = []
    for part in parts:
        dimensions: set[str] = set()
        fields_of: set[str] = set()
        for name in names_in(part):
            if len(name.parts) == 1 and name.parts[0] in bind:
                continue
            meaning = meaning_of(name, universe)
            assert meaning.element is not None  # no dataset types were offered
            dimensions |= set(meaning.element.required)
            if meaning.kind != "dimension":
                fields_of.add(meaning.element.name)
            elif meaning.element.is_dimension:
                dimensions.add(meaning.element.name)
        conjuncts.append(Conjunct(part, universe.conform(dimensions), frozenset(fields_of)))
    return Condition(tuple(conjuncts), bind, data_id)
