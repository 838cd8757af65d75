"""The subcommands of ``butler``, one module for each or for each noun.

`butler_core.cli.command_table` says which is where.
"""
