"""Fluxes of the simulated night's stars against the truth, in units of their stated errors.

Bins are of the true signal to noise: bins of the measured one would select
faint stars by their noise.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial import KDTree

from .conftest import ReducedNight, ReducedVisit

#: Edges of four bins of signal to noise, even in its logarithm.
SNR_EDGES = tuple(5.0 * 10.0 ** (0.5 * i) for i in range(5))
BINS = list(itertools.pairwise(SNR_EDGES))

#: Distance to the nearest other star from which stars count as alone [arcsec]: 2.5 widths.
ALONE_ARCSEC = 2.4

#: Farthest a source is from the star that it is [pixel].
SAME_PIX = 5.0


@dataclass(frozen=True)
class Recovered:
    """Unsaturated stars that stand alone and were found; arrays of shape (n,)."""

    band: NDArray[np.str_]
    snr: NDArray[np.float64]
    #: Measured less true flux over the error, by kind of flux.
    pulls: dict[str, NDArray[np.float64]]


def is_alone(visit: ReducedVisit) -> NDArray[np.bool_]:
    """Unsaturated, unblended stars whose apertures are on the image."""
    truth, margin = visit.truth, visit.sources.meta["aperture_radius_pix"] + 1.0
    ny, nx = visit.post_isr.data.shape
    chosen = ~np.asarray(truth["saturated"]) & (np.asarray(truth["nearest"]) > ALONE_ARCSEC)
    x, y = np.asarray(truth["x"]), np.asarray(truth["y"])
    return np.asarray(chosen & (x > margin) & (x < nx - margin) & (y > margin) & (y < ny - margin))


def places(table: object) -> NDArray[np.float64]:
    return np.column_stack([np.asarray(table["x"]), np.asarray(table["y"])])  # type: ignore[index]


def pulls_of(visit: ReducedVisit, kind: str) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Pull of each true star, and whether it has one."""
    table = visit.calibrated
    distance, nearest = KDTree(places(table)).query(places(visit.truth))
    usable = is_alone(visit) & (distance < SAME_PIX) & ~np.asarray(table["flag"])[nearest]
    true_njy = 10.0 ** (0.4 * (31.4 - np.asarray(visit.truth["magnitude"])))
    flux = np.asarray(table[f"{kind}_flux_njy"])[nearest]
    error = np.asarray(table[f"{kind}_flux_err_njy"])[nearest]
    zero_point_error = visit.calibration["zero_point_err"] * math.log(10.0) / 2.5 * flux
    return (flux - true_njy) / np.hypot(error, zero_point_error), usable


@pytest.fixture(scope="module")
def recovered(reduced_night: ReducedNight) -> Recovered:
    bands, snrs = [], []
    pulls: dict[str, list[NDArray[np.float64]]] = {"psf": [], "ap": []}
    for visit in reduced_night.visits:
        for kind, collected in pulls.items():
            pull, usable = pulls_of(visit, kind)
            collected.append(pull[usable])
        snrs.append(np.asarray(visit.truth["snr"])[usable])
        bands.append(np.full(int(usable.sum()), visit.plan.band))
    return Recovered(
        np.concatenate(bands),
        np.concatenate(snrs),
        {kind: np.concatenate(found) for kind, found in pulls.items()},
    )


def robust_scatter(values: NDArray[np.float64]) -> float:
    return 1.4826 * float(np.median(np.abs(values - np.median(values))))


def test_there_are_a_thousand_stars_in_both_filters(recovered: Recovered) -> None:
    in_range = (recovered.snr > SNR_EDGES[0]) & (recovered.snr < SNR_EDGES[-1])

    assert in_range.sum() >= 1000
    assert set(recovered.band) == {"g", "r"}


@pytest.mark.parametrize("kind", ["psf", "ap"])
@pytest.mark.parametrize("bands", ["gr", "g", "r"])
@pytest.mark.parametrize(("low", "high"), BINS)
def test_pulls_are_centred_and_of_unit_width(
    recovered: Recovered,
    kind: str,
    bands: str,
    low: float,
    high: float,
    record_property: Callable[[str, object], None],
) -> None:
    chosen = (recovered.snr > low) & (recovered.snr < high) & np.isin(recovered.band, list(bands))
    pulls = recovered.pulls[kind][chosen]
    median, robust, plain = float(np.median(pulls)), robust_scatter(pulls), float(np.std(pulls))
    report = (
        f"{kind} {bands} S/N {low:.1f}-{high:.1f}: {pulls.size} stars, median {median:+.3f}, "
        f"robust scatter {robust:.3f}, plain scatter {plain:.3f}"
    )
    print(report)
    record_property("pulls", report)

    assert pulls.size >= 100, report
    assert abs(median) < 0.2, report
    assert 0.8 < robust < 1.3, report
    assert 0.8 < plain < 1.3, report


def test_stars_are_found_and_little_else_is(
    reduced_night: ReducedNight,
    record_property: Callable[[str, object], None],
) -> None:
    snr, is_found, n_false, n_sources = [], [], 0, 0
    for visit in reduced_night.visits:
        chosen = is_alone(visit)
        distance, _ = KDTree(places(visit.sources)).query(places(visit.truth))
        snr.append(np.asarray(visit.truth["snr"])[chosen])
        is_found.append(distance[chosen] < SAME_PIX)
        good = visit.sources[~np.asarray(visit.sources["flag"])]
        distance, _ = KDTree(places(visit.truth)).query(places(good))
        n_false += int((distance > SAME_PIX).sum())
        n_sources += len(good)
    all_snr, found = np.concatenate(snr), np.concatenate(is_found)
    completeness = [float(found[(all_snr > a) & (all_snr < b)].mean()) for a, b in BINS]
    text = ", ".join(f"{value:.3f}" for value in completeness)
    report = f"completeness {text}; {n_false} of {n_sources} unflagged sources are no star"
    print(report)
    record_property("completeness", report)

    assert completeness[0] > 0.9, report
    assert min(completeness[1:]) > 0.99, report
    assert n_false / n_sources < 0.05, report
