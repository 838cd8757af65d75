"""Arguments and options that several subcommands share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from butler_core.cli.subcommand import DocumentedArgument
from butler_core.datastore.transfer_mode import TransferMode

_Decorated = TypeVar("_Decorated", bound=Callable[..., Any])
Decorator = Callable[[_Decorated], _Decorated]


def split_commas(
    _: click.Context, __: click.Parameter, value: tuple[str, ...] | None
) -> tuple[str, ...]:
    """Split each value of a repeated option at its commas, those within brackets aside."""
    found: list[str] = []
    for text in value or ():
        depth, start = 0, 0
        for i, character in enumerate(text):
            depth += (character in "[(") - (character in "])")
            if character == "," and depth <= 0:
                found.append(text[start:i])
                start = i + 1
        found.append(text[start:])
    return tuple(part.strip() for part in found if part.strip())


def argument(name: str, doc: str, **kwargs: Any) -> Decorator[Any]:
    """Declare a positional argument with its description."""
    return click.argument(name, cls=DocumentedArgument, doc=doc, **kwargs)


def repo_argument() -> Decorator[Any]:
    """Declare REPO, an existing repository."""
    return argument(
        "repo",
        "REPO is the directory or configuration file of an existing data repository, or its label "
        "in the repository index that DAF_BUTLER_REPOSITORY_INDEX names.",
    )


def globs_argument(what: str) -> Decorator[Any]:
    """Declare GLOB..., names or patterns; all if none are given."""
    return argument(
        "glob",
        f"GLOB is a name or a pattern (*, ?, [...]) of the {what}; several may be given.",
        nargs=-1,
        callback=split_commas,
    )


def names_option(*spellings: str, help: str, **kwargs: Any) -> Decorator[Any]:  # noqa: A002 - click's name
    """Declare an option that takes several names, by repetition or commas."""
    return click.option(
        *spellings, multiple=True, callback=split_commas, metavar="TEXT ...", help=help, **kwargs
    )


def collections_option(
    help: str = "Collections to search, in order, or patterns for them; all if not given.",  # noqa: A002 - click's name
) -> Decorator[Any]:
    """Declare --collections."""
    return names_option("--collections", help=help)


def where_option() -> Decorator[Any]:
    """Declare --where."""
    return click.option(
        "--where",
        default="",
        help="Keep only that for which this expression holds, such as "
        "\"instrument='LATISS' AND exposure.day_obs=20210707\". It may name dimensions and the "
        "fields of their records.",
    )


def order_by_option() -> Decorator[Any]:
    """Declare --order-by."""
    return names_option(
        "--order-by",
        help="Dimensions, or fields of their records such as exposure.timespan.begin, to sort by; "
        "with a minus before a name, in falling order.",
    )


def limit_option(default: int = -20000) -> Decorator[Any]:
    """Declare --limit."""
    return click.option(
        "--limit",
        type=int,
        default=default,
        show_default=True,
        help="Most rows to return; 0 means all. A negative number is one that warns when hit.",
    )


def offset_option() -> Decorator[Any]:
    """Declare --offset."""
    return click.option(
        "--offset",
        type=click.IntRange(min=0),
        default=0,
        help="Leave out this many rows at the start.",
    )


def find_first_option() -> Decorator[Any]:
    """Declare --find-first."""
    return click.option(
        "--find-first/--no-find-first",
        default=False,
        help="Keep, of each data ID, only what the first collection that has it holds. The "
        "collections must then be named, not patterns.",
    )


def transfer_option(default: TransferMode = TransferMode.AUTO) -> Decorator[Any]:
    """Declare --transfer; the command gets a `TransferMode`."""
    return click.option(
        "-t",
        "--transfer",
        type=click.Choice([mode.value for mode in TransferMode]),
        default=default.value,
        show_default=True,
        callback=lambda _, __, value: TransferMode(value),
        help="How files come into the repository.",
    )


def track_file_attrs_option() -> Decorator[Any]:
    """Declare --track-file-attrs."""
    return click.option(
        "--track-file-attrs/--no-track-file-attrs",
        default=True,
        help="Record the sizes of the files (default).",
    )


def format_option() -> Decorator[Any]:
    """Declare --format; the command gets it as ``form``."""
    return click.option(
        "--format",
        "form",
        type=click.Choice(["table", "csv", "json"]),
        default="table",
        show_default=True,
        help="Form of the output: aligned columns, or one of those that programs read.",
    )


def confirm_option() -> Decorator[Any]:
    """Declare --confirm."""
    return click.option(
        "--confirm/--no-confirm",
        default=True,
        help="Show what will be done and ask before doing it (default).",
    )
