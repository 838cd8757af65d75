"""What all subcommands share: ``-h``, ``-@``, and the description of their arguments."""

from __future__ import annotations

from typing import Any

import click

from butler_core.cli.options_file import options_file_option


class DocumentedArgument(click.Argument):
    """A positional argument with a description of its own.

    Parameters
    ----------
    doc
        A sentence for the help of the command.
    """

    def __init__(self, *args: Any, doc: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.doc = doc


class Subcommand(click.Command):
    """A command with ``-h``, ``-@`` and described arguments: a ``cls`` for ``click.command``."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.context_settings.setdefault("help_option_names", ["-h", "--help"])
        self.params.append(options_file_option())

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the command's help, then what each argument is."""
        super().format_help_text(ctx, formatter)
        for param in self.params:
            if isinstance(param, DocumentedArgument) and param.doc:
                formatter.write_paragraph()
                with formatter.indentation():
                    formatter.write_text(param.doc)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write where further options are."""
        if ctx.parent is not None:
            formatter.write_paragraph()
            with formatter.indentation():
                formatter.write_text(f"See '{ctx.parent.command_path} --help' for more options.")
