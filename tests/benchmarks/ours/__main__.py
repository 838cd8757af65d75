"""Runs one workload: ``python -m ours MODULE.FUNCTION SETTING PARAMETERS``."""

from actor import main

main("ours")
