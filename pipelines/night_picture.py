"""The picture of a night: one visit before and after reduction, and how good the night was.

Draws what it is given with matplotlib. Reads no dataset.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from astropy.table import Table
    from numpy.typing import NDArray

#: Width of the picture [inch].
_WIDTH = 14.0
#: Space between panels, and for their titles and axes [inch].
_GAP, _BELOW = 0.42, 0.45
#: Height of the panels with numbers [inch].
_PLOT_HEIGHT = 2.4
#: Images narrower than this part of their length are shown one below the other.
_STRIP_RATIO = 0.4
#: Colours of bands, as everybody draws them; others are grey.
_BAND_COLOURS = {
    "u": "#5b3fd0",
    "g": "#2a9d3f",
    "r": "#d1402f",
    "i": "#a0522d",
    "z": "#7a3b69",
    "y": "#444444",
}
_MARK, _FLAGGED_MARK = "#35d0ff", "#ffb000"
#: Signal to noise of the faintest star whose fluxes are compared between visits.
_PULL_SNR = 20.0
#: Larger deviations are drawn at the edge.
_PULL_LIMIT = 5.0


@dataclass(frozen=True)
class VisitPoint:
    """What one detector of one visit was like."""

    band: str
    #: Full width at half maximum of the PSF [arcsec].
    seeing_arcsec: float
    #: AB magnitude of one electron per second, and its error [mag].
    zero_point_mag: float
    zero_point_err_mag: float


@dataclass(frozen=True, eq=False)
class NightPicture:
    """Everything that is drawn."""

    #: Which visit the images are of.
    title: str
    #: Assembled raw pixels, shape (ny, nx) [adu]; NaN where nothing was read.
    raw: NDArray[np.float32]
    #: The same, reduced, shape (ny, nx) [electron].
    reduced: NDArray[np.float32]
    #: Sources: ``x`` and ``y`` [pixel], ``flag``.
    sources: Table
    #: All visits, in order.
    visits: tuple[VisitPoint, ...]
    #: Deviations between visits in units of their errors, shape (n,), by band.
    pulls_by_band: Mapping[str, NDArray[np.float64]]


def flux_pulls(catalogues: Sequence[Table]) -> NDArray[np.float64]:
    """Compare the fluxes of stars that several visits have seen.

    Parameters
    ----------
    catalogues
        Of visits in one band: ``reference_id`` (0 for no match), ``flag``,
        ``snr``, ``psf_flux_njy`` and ``psf_flux_err_njy`` [nJy].

    Returns
    -------
    numpy.ndarray
        Deviation of each flux from its star's weighted mean over the error of
        that deviation, shape (n,). A standard normal, if the errors are right.
    """
    import numpy as np
    from astropy.table import vstack

    usable = [
        table[(table["reference_id"] > 0) & ~table["flag"] & (table["snr"] > _PULL_SNR)]
        for table in catalogues
    ]
    stars = vstack(usable, metadata_conflicts="silent")
    if not len(stars):
        return np.empty(0)
    _, place, times_seen = np.unique(stars["reference_id"], return_inverse=True, return_counts=True)
    flux = np.asarray(stars["psf_flux_njy"], dtype=float)
    variance = np.asarray(stars["psf_flux_err_njy"], dtype=float) ** 2
    weight = np.bincount(place, 1.0 / variance)
    mean = np.bincount(place, flux / variance) / weight
    is_again = times_seen[place] > 1
    # A star's own flux is part of its mean: the variances subtract.
    error = np.sqrt(variance[is_again] - 1.0 / weight[place][is_again])
    return np.asarray((flux - mean[place])[is_again] / error)


def draw_night(night: NightPicture, path: Path, *, dpi: int) -> None:
    """Draw the picture.

    Parameters
    ----------
    path
        Of the PNG.
    dpi
        Resolution [pixels per inch].
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    ny, nx = night.raw.shape
    is_strip = ny < _STRIP_RATIO * nx
    n_across = 1 if is_strip else 3
    n_down = 3 if is_strip else 1
    image_height = (_WIDTH / n_across - 0.5) * ny / nx
    heights = [image_height] * n_down + [_PLOT_HEIGHT]
    height = sum(heights) + (len(heights) + 0.3) * _GAP + _BELOW
    figure = Figure(figsize=(_WIDTH, height), dpi=dpi)
    FigureCanvasAgg(figure)
    places = _places(heights, height, n_across)
    _draw_images(figure, night, places)
    _draw_quality(figure, night, _BELOW / height, _PLOT_HEIGHT / height)
    # Rule: no program's name or version in the file, or the same night would give other bytes.
    figure.savefig(path, metadata={"Software": None})


def _places(
    heights: list[float], height: float, n_across: int
) -> list[tuple[float, float, float, float]]:
    """Return left, bottom, width and height of the three images, as parts of the figure."""
    left, right = 0.05, 0.99
    places = []
    top = height - _GAP
    for row_height in heights[:-1]:
        for column in range(n_across):
            width = (right - left) / n_across
            bottom = (top - row_height) / height
            places.append(
                (
                    left + column * width,
                    bottom,
                    width * (0.93 if n_across > 1 else 1.0),
                    row_height / height,
                )
            )
        top -= row_height + _GAP
    return places


def _draw_images(
    figure: Any, night: NightPicture, places: list[tuple[float, float, float, float]]
) -> None:
    """Draw the visit: raw, reduced, and reduced with its sources."""
    n_flagged = int(night.sources["flag"].sum())
    n_clean = len(night.sources) - n_flagged
    sources_title = (
        f"Its {len(night.sources)} sources: {n_clean} clean (blue), "
        f"{n_flagged} saturated, defective or at the edge (orange)"
    )
    panels = (
        (night.raw, f"Raw, as read [adu] — {night.title}"),
        (night.reduced, "Reduced: bias, dark, flat, cosmic rays and sky taken out [electron]"),
        (night.reduced, sources_title),
    )
    for number, ((pixels, title), place) in enumerate(zip(panels, places, strict=True)):
        axes = figure.add_axes(place)
        _show(axes, pixels)
        axes.set_title(title, fontsize=9, loc="left", pad=3)
        if number == len(panels) - 1:
            _mark(axes, night.sources, pixels.shape)


def _show(axes: Any, pixels: NDArray[np.float32]) -> None:
    """Show an image in greys, between the limits that IRAF's zscale gives."""
    from astropy.visualization import ZScaleInterval

    low, high = ZScaleInterval().get_limits(pixels)
    axes.imshow(
        pixels,
        origin="lower",
        cmap="gray",
        vmin=low,
        vmax=high,
        aspect="equal",
        interpolation="antialiased",
    )
    axes.tick_params(labelsize=6, length=2, pad=1.5)


def _mark(axes: Any, sources: Table, shape: tuple[int, ...]) -> None:
    """Ring the sources."""
    import numpy as np

    is_flagged = np.asarray(sources["flag"], dtype=bool)
    for chosen, colour in ((is_flagged, _FLAGGED_MARK), (~is_flagged, _MARK)):
        axes.scatter(
            sources["x"][chosen],
            sources["y"][chosen],
            s=26,
            facecolors="none",
            edgecolors=colour,
            linewidths=0.6,
        )
    axes.set_xlim(-0.5, shape[1] - 0.5)
    axes.set_ylim(-0.5, shape[0] - 0.5)


def _draw_quality(figure: Any, night: NightPicture, bottom: float, height: float) -> None:
    """Draw seeing and zero point of the visits, and how well their fluxes agree."""
    panels = ((0.05, _draw_seeing), (0.385, _draw_zero_points), (0.72, _draw_pulls))
    for left, draw in panels:
        axes = figure.add_axes((left, bottom, 0.27, height))
        axes.tick_params(labelsize=7)
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
        draw(axes, night)


def _numbered(night: NightPicture) -> dict[str, list[tuple[int, VisitPoint]]]:
    """Group visits by band, each with its number in the night, from 1."""
    groups: dict[str, list[tuple[int, VisitPoint]]] = {}
    for number, visit in enumerate(night.visits, start=1):
        groups.setdefault(visit.band, []).append((number, visit))
    return dict(sorted(groups.items()))


def _colour(band: str) -> str:
    return _BAND_COLOURS.get(band, "#888888")


def _draw_seeing(axes: Any, night: NightPicture) -> None:
    for band, visits in _numbered(night).items():
        numbers = [number for number, _ in visits]
        values = [visit.seeing_arcsec for _, visit in visits]
        axes.plot(numbers, values, "o-", ms=4, lw=0.8, color=_colour(band), label=band)
    axes.set_title("Seeing of the visits, FWHM [arcsec]", fontsize=9, loc="left")
    _count_visits(axes, night)


def _draw_zero_points(axes: Any, night: NightPicture) -> None:
    for band, visits in _numbered(night).items():
        axes.errorbar(
            [number for number, _ in visits],
            [visit.zero_point_mag for _, visit in visits],
            [visit.zero_point_err_mag for _, visit in visits],
            fmt="o",
            ms=4,
            lw=0.8,
            color=_colour(band),
            label=band,
        )
    axes.set_title("Zero point of the visits [AB mag of 1 electron/s]", fontsize=9, loc="left")
    axes.ticklabel_format(axis="y", useOffset=False)
    _count_visits(axes, night)


def _count_visits(axes: Any, night: NightPicture) -> None:
    axes.set_xlim(0.5, len(night.visits) + 0.5)
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.set_xlabel("visit of the night", fontsize=8)
    axes.legend(fontsize=7, loc="best")


def _draw_pulls(axes: Any, night: NightPicture) -> None:
    """Draw how far each visit's fluxes are from their stars' means, in units of the error."""
    import numpy as np

    axes.set_title("Fluxes of one star in several visits", fontsize=9, loc="left")
    axes.set_yticks([])
    edges = np.linspace(-_PULL_LIMIT, _PULL_LIMIT, 41)
    known = {band: pulls for band, pulls in night.pulls_by_band.items() if pulls.size}
    if not known:
        axes.set_xticks([])
        axes.text(0.5, 0.5, "no star was seen twice in one band", fontsize=8, ha="center")
        return
    for band, pulls in known.items():
        axes.hist(
            np.clip(pulls, edges[0], edges[-1]),
            bins=edges,
            density=True,
            histtype="step",
            color=_colour(band),
            label=f"{band}: {pulls.size} fluxes, width {_robust_width(pulls):.2f}",
        )
    x = np.linspace(edges[0], edges[-1], 201)
    normal = np.exp(-0.5 * x**2) / np.sqrt(2.0 * np.pi)
    axes.plot(x, normal, "--", color="#888888", lw=0.9, label="normal")
    axes.set_ylim(0.0, None)
    axes.set_xlabel("deviation from the mean / its error", fontsize=8)
    axes.legend(fontsize=7, frameon=False)


def _robust_width(values: NDArray[np.float64]) -> float:
    """Return half the span of the middle 68.27 %, which is a normal's standard deviation."""
    import numpy as np

    low, high = np.percentile(values, [15.865, 84.135])
    return float(0.5 * (high - low))
