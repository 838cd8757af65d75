"""Independent streams of random numbers, one for each thing drawn in a night.

A stream depends on the night's seed and its own name alone, so that exposures
can be made in any order, by any number of processes, with the same outcome.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

_SENSOR, _CATALOGUE, _REFERENCE, _CONDITIONS, _PIXELS = range(5)


def sensor_stream(seed: int) -> np.random.Generator:
    """Return the stream of the sensor's fixed patterns."""
    return _stream(seed, _SENSOR)


def catalogue_stream(seed: int) -> np.random.Generator:
    """Return the stream of the stars' places and magnitudes."""
    return _stream(seed, _CATALOGUE)


def reference_stream(seed: int) -> np.random.Generator:
    """Return the stream of the reference catalogue's errors."""
    return _stream(seed, _REFERENCE)


def conditions_stream(seed: int, seq_num: int) -> np.random.Generator:
    """Return the stream of the conditions of one exposure."""
    return _stream(seed, _CONDITIONS, seq_num)


def pixel_stream(seed: int, seq_num: int) -> np.random.Generator:
    """Return the stream of the noise of one exposure."""
    return _stream(seed, _PIXELS, seq_num)


def _stream(seed: int, *key: int) -> np.random.Generator:
    import numpy as np

    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=key)))
