"""Runs one workload: ``python -m peer MODULE.FUNCTION SETTING PARAMETERS``."""

from actor import main

main("peer")
