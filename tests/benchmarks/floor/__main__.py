"""Runs one workload: ``python -m floor MODULE.FUNCTION SETTING PARAMETERS``."""

from actor import main

main("floor")
