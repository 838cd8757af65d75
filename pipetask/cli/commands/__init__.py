"""One module for each subcommand of ``pipetask``."""
