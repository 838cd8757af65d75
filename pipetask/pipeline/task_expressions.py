"""The language of ``--select-tasks``: a text to a set of task labels.

Rubin's pipeline graph subset expressions: labels of tasks and subsets and names
of dataset types, joined by ``|``, ``&`` and ``~``, and the searches ``<``,
``<=``, ``>`` and ``>=`` along the graph. Works on names and a plain graph;
imports no task. `lark` is imported, and its tables built, at the first parse.

A name means a task, a subset's tasks, or the task that writes a dataset type
(none if no task does). ``T:``, ``S:`` or ``D:`` before it says which.
"""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from butler_core.errors import near_misses
from pipetask.errors import PipelineError, UnknownLabelError

if TYPE_CHECKING:
    import networkx as nx
    from lark import Lark, Token, Tree, UnexpectedToken

#: A task or dataset type of the graph: its kind and its name.
Node = tuple[str, str]

_GRAMMAR = r"""
?start: union
?union: intersection ("|" intersection)*
?intersection: inversion ("&" inversion)*
?inversion: NOT+ atom -> inversion
          | atom
?atom: "(" union ")"
     | SEARCH NAME    -> search
     | NAME           -> name
NOT: "~"
SEARCH: "<=" | ">=" | "<" | ">"
NAME: /(?:[TDS]:)?[\w-]+/
%ignore /\s+/
"""

_KINDS = {"T": "task", "S": "subset", "D": "dataset type"}


def select_tasks(
    expression: str,
    labels: Collection[str],
    subsets: Mapping[str, Collection[str]],
    graph: nx.DiGraph,
) -> frozenset[str]:
    """Return the labels of the tasks that an expression selects.

    Parameters
    ----------
    expression
        Such as ``(step1 | step2) & >=isr``. Of the operators, ``~`` binds most
        and ``|`` least.
    labels
        Labels of all tasks.
    subsets
        Labels of the tasks of each subset.
    graph
        Which task reads and writes what: nodes ``("task", label)`` and
        ``("dataset_type", name)``, an edge from each dataset type to the tasks
        that read it and from each task to what it writes. An edge attribute
        ``is_init`` marks what constructors read and write; searches do not
        follow these, save from an init output to its readers.

    Raises
    ------
    UnknownLabelError
        If names are unknown; all of them at once.
    PipelineError
        If the text is no expression, or a name cannot stand where it does.
    """
    from lark import UnexpectedCharacters, UnexpectedToken

    try:
        tree = _parser().parse(expression)
    except UnexpectedToken as error:
        raise _error(expression, [_unexpected_token(expression, error)]) from error
    except UnexpectedCharacters as error:
        fault = _strange_character(expression, error.pos_in_stream or 0)
        raise _error(expression, [fault]) from error
    names = _Names(frozenset(labels), subsets, graph)
    faults: list[_Fault] = []
    selected = _evaluate(tree, names, faults)
    if faults:
        raise _error(expression, faults)
    return selected


@functools.cache
def _parser() -> Lark:
    """Build the parser, once for the life of the program."""
    from lark import Lark

    return Lark(_GRAMMAR, parser="lalr", lexer="basic", maybe_placeholders=False)


@dataclass(frozen=True)
class _Fault:
    """Something wrong at a place of the text."""

    #: Index of the first character it is about.
    start: int
    #: Number of characters it is about.
    length: int
    message: str
    is_unknown: bool = False


class _Refusal(Exception):  # noqa: N818 - it never leaves this module
    """A name cannot be used; what is wrong with it, and whether it is unknown."""

    def __init__(self, message: str, *, is_unknown: bool = False) -> None:
        super().__init__(message)
        self.is_unknown = is_unknown


def _evaluate(tree: Tree[Token], names: _Names, faults: list[_Fault]) -> frozenset[str]:
    """Return what a parsed text selects, and add what is wrong with its names to the faults."""
    values: dict[int, frozenset[str]] = {}
    for part in tree.iter_subtrees():  # what a part is made of comes before it
        tokens = [str(child) for child in part.children if id(child) not in values]
        sets = [values[id(child)] for child in part.children if id(child) in values]
        try:
            values[id(part)] = _value(str(part.data), tokens, sets, names)
        except _Refusal as refusal:
            values[id(part)] = frozenset()
            token = cast("Token", part.children[-1])
            start = token.start_pos or 0
            faults.append(_Fault(start, len(token), str(refusal), refusal.is_unknown))
    return values[id(tree)]


def _value(
    kind: str, tokens: list[str], sets: list[frozenset[str]], names: _Names
) -> frozenset[str]:
    """Return what one part of a text selects, given what its own parts do."""
    match kind:
        case "union":
            return frozenset().union(*sets)
        case "intersection":
            return sets[0].intersection(*sets[1:])
        case "inversion":
            return names.labels - sets[0] if len(tokens) % 2 else sets[0]
        case "search":
            return names.search(*tokens)
        case _:
            return names.tasks_of(*tokens)


@dataclass(frozen=True)
class _Names:
    """What the names of an expression stand for."""

    labels: frozenset[str]
    subsets: Mapping[str, Collection[str]]
    graph: nx.DiGraph

    @functools.cached_property
    def dataset_types(self) -> frozenset[str]:
        """Names of all dataset types."""
        return frozenset(name for kind, name in self.graph if kind == "dataset_type")

    @functools.cached_property
    def flow(self) -> nx.DiGraph:
        """The graph without what only constructors read and write."""
        kept = [e for e in self.graph.edges if not self.graph.edges[e].get("is_init", False)]
        return self.graph.edge_subgraph(kept)

    def tasks_of(self, text: str) -> frozenset[str]:
        """Return the tasks that a name alone stands for."""
        kind, name = self._kind_and_name(text)
        if kind == "T":
            return frozenset((name,))
        if kind == "S":
            return frozenset(self.subsets[name])
        if self._is_init_output(name):
            raise _Refusal(f"{name!r} is written by a constructor; only '>{name}' has a meaning")
        return self._neighbours("predecessors", name)

    def search(self, operator: str, text: str) -> frozenset[str]:
        """Return the tasks before or after what a name stands for."""
        kind, name = self._kind_and_name(text)
        if kind == "S":
            raise _Refusal(f"{name!r} is a subset; a search starts from a task or a dataset type")
        if kind == "D" and operator != ">" and self._is_init_output(name):
            raise _Refusal(f"{name!r} is written by a constructor; only '>{name}' has a meaning")
        own = self.tasks_of(text) if operator != ">" or kind == "T" else frozenset()
        if operator.startswith("<"):
            found = self._reached("ancestors", own) - own
        elif kind == "T":
            found = self._reached("descendants", own) - own
        else:
            readers = self._neighbours("successors", name, self.graph)
            found = readers | self._reached("descendants", readers)
        return found | own if operator.endswith("=") else found

    def _kind_and_name(self, text: str) -> tuple[str, str]:
        """Say what a name is: its letter, and the name without one."""
        letter, colon, name = text.rpartition(":")
        known: dict[str, Collection[str]] = {
            "T": self.labels,
            "S": self.subsets,
            "D": self.dataset_types,
        }
        if colon:
            if name not in known[letter]:
                hint = near_misses(name, known[letter])
                raise _Refusal(f"there is no {_KINDS[letter]} {name!r}.{hint}", is_unknown=True)
            return letter, name
        found = [kind for kind, names in known.items() if name in names]
        if not found:
            hint = near_misses(name, {n for names in known.values() for n in names})
            raise _Refusal(
                f"there is no task, subset or dataset type {name!r}.{hint}", is_unknown=True
            )
        if len(found) > 1:
            are = " and ".join(f"a {_KINDS[kind]}" for kind in found)
            write = " or ".join(f"{kind}:{name}" for kind in found)
            raise _Refusal(f"{name!r} is {are}; write {write}")
        return found[0], name

    def _is_init_output(self, name: str) -> bool:
        edges = self.graph.in_edges(("dataset_type", name), data=True)
        return any(attributes.get("is_init", False) for _, _, attributes in edges)

    def _neighbours(
        self, direction: str, name: str, graph: nx.DiGraph | None = None
    ) -> frozenset[str]:
        """Return the tasks that write (predecessors) or read (successors) a dataset type."""
        graph = self.flow if graph is None else graph
        node = ("dataset_type", name)
        return _labels(getattr(graph, direction)(node)) if node in graph else frozenset()

    def _reached(self, direction: str, labels: Iterable[str]) -> frozenset[str]:
        """Return all ancestors or descendants of tasks."""
        import networkx as nx

        search = getattr(nx, direction)
        starts = [("task", label) for label in labels if ("task", label) in self.flow]
        return _labels(found for start in starts for found in search(self.flow, start))


def _labels(nodes: Iterable[Node]) -> frozenset[str]:
    return frozenset(name for kind, name in nodes if kind == "task")


def _unexpected_token(text: str, error: UnexpectedToken) -> _Fault:
    """Say that something stands where something else was expected."""
    accepts = error.accepts or set()
    if accepts == {"NAME"}:
        wanted = "the name of a task or dataset type"
    elif "NAME" in accepts:
        wanted = "a label or name"
    else:
        wanted = "'&', '|' or ')'" if "RPAR" in accepts else "'&' or '|'"
    if error.token.type == "$END":
        return _Fault(len(text.rstrip()), 1, f"expected {wanted}, found the end")
    message = f"expected {wanted}, found {str(error.token)!r}"
    return _Fault(error.token.start_pos or 0, len(error.token), message)


def _strange_character(text: str, position: int) -> _Fault:
    hint = ""
    if text[position] == ":":
        hint = "; only T:, S: and D: may stand directly before a name"
    elif text[position] == ".":
        hint = "; components are not named here, only whole dataset types"
    return _Fault(position, 1, f"{text[position]!r} has no meaning here{hint}")


def _error(text: str, faults: list[_Fault]) -> PipelineError:
    """Make one error of all faults, each with its place marked."""
    kind = UnknownLabelError if all(fault.is_unknown for fault in faults) else PipelineError
    # Rule: one character stands for each, so that marks stay below what they mark.
    line = "".join(" " if character.isspace() else character for character in text)
    marked = [
        f"  {line}\n  {' ' * fault.start}{'^' * fault.length} {fault.message}"
        for fault in sorted(faults, key=lambda fault: fault.start)
    ]
    return kind("no tasks can be selected by this expression:\n" + "\n".join(marked))
