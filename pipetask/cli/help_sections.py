"""Options of a command with many, listed in sections by its help."""

from __future__ import annotations

import click

_OTHERS = "Other options"


class SectionOption(click.Option):
    """An option that knows under which heading of the help it belongs."""

    #: The heading.
    section: str = _OTHERS


def write_sections(command: click.Command, ctx: click.Context, text: click.HelpFormatter) -> None:
    """Write what a command's options are, under their headings."""
    sections: dict[str, list[tuple[str, str]]] = {}
    for param in command.get_params(ctx):
        record = param.get_help_record(ctx)
        if record is not None:
            title = param.section if isinstance(param, SectionOption) else _OTHERS
            sections.setdefault(title, []).append(record)
    others = sections.pop(_OTHERS)  # at the end: -h is always there
    for title, records in (*sections.items(), (_OTHERS, others)):
        with text.section(title):
            text.write_dl(records)
