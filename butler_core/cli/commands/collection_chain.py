"""``butler collection-chain``: defines and edits chains."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from butler_core.cli import parameters
from butler_core.cli.subcommand import Subcommand
from butler_core.datasets.collection import CollectionType

if TYPE_CHECKING:
    from butler_core.butler.butler import Butler

#: Modes that make the chain if there is none, and so may have their children flattened.
_MAKING = ("redefine", "extend", "prepend")


@click.command("collection-chain", cls=Subcommand)
@parameters.repo_argument()
@parameters.argument("parent", "PARENT is the chain to make or change.")
@parameters.argument(
    "children",
    "CHILDREN are collections, patterns, or comma-separated lists of them; with --mode pop, places "
    "in the chain from 0 on, negative ones from its end (write -- before those).",
    nargs=-1,
    callback=parameters.split_commas,
)
@click.option("--doc", default="", help="A description of the chain, if it is made now.")
@click.option(
    "--flatten/--no-flatten",
    default=False,
    help="Take what chains among the children lead to, instead of the chains.",
)
@click.option(
    "--mode",
    type=click.Choice(["redefine", "extend", "remove", "prepend", "pop"]),
    default="redefine",
    show_default=True,
    help="redefine: the chain has these children and no others; extend, prepend: put them at its "
    "end, or at its front; remove: take them out; pop: take out by place, the first if no place is "
    "given.",
)
def collection_chain(
    repo: str, parent: str, children: tuple[str, ...], doc: str, flatten: bool, mode: str
) -> None:
    """Define a chain of collections, or change it."""
    from butler_core.cli.opening import open_for_writing

    if flatten and mode not in _MAKING:
        raise click.UsageError(f"--flatten cannot go with --mode {mode}")
    with open_for_writing(repo) as butler:
        with butler.transaction():
            if mode in _MAKING and not butler.collections.exists(parent):
                butler.collections.register(parent, CollectionType.CHAINED, doc or None)
            if mode == "pop":
                _pop(butler, parent, children)
            else:
                _change(butler, parent, _resolved(butler, children, flatten=flatten), mode)
        click.echo(f"[{', '.join(butler.collections.get_info(parent).children)}]")


def _resolved(butler: Butler, children: tuple[str, ...], *, flatten: bool) -> list[str]:
    table = butler.repository.registry.collections
    found = table.flatten(children) if flatten else table.resolve(children)
    return [collection.name for collection in found]


def _change(butler: Butler, parent: str, children: list[str], mode: str) -> None:
    match mode:
        case "redefine":
            butler.collections.redefine_chain(parent, children)
        case "extend":
            butler.collections.extend_chain(parent, children)
        case "prepend":
            butler.collections.prepend_chain(parent, children)
        case "remove":
            butler.collections.remove_from_chain(parent, children)


def _pop(butler: Butler, parent: str, places: tuple[str, ...]) -> None:
    held = butler.collections.get_info(parent).children
    gone = set()
    for text in places or ("0",):
        try:
            gone.add(held[int(text)])
        except ValueError:
            raise click.UsageError(
                f"--mode pop takes places, whole numbers, not {text!r}"
            ) from None
        except IndexError:
            raise click.UsageError(
                f"{parent!r} has {len(held)} children, so there is none at place {text}"
            ) from None
    butler.collections.redefine_chain(parent, [name for name in held if name not in gone])
