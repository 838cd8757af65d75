"""Finds which sources are which reference stars.

Both are given in pixels, the reference by a WCS that may be off by a shift and
a small turn. Knows no sky and no flux scale.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.tasks.errors import TooFewStarsError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from scipy.spatial import KDTree

#: How often the matches and the transform improve each other.
_ROUNDS = 4

#: Matches further than so many robust standard deviations from the fit are left out of it.
_OUTLIER_SIGMA = 4.0


@dataclass(frozen=True, eq=False)
class Places:
    """Positions with errors; arrays of shape (n,) [pixel]."""

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    #: Error in each axis.
    error: NDArray[np.float64]

    def xy(self) -> NDArray[np.float64]:
        """Return the positions, shape (n, 2)."""
        import numpy as np

        return np.column_stack([self.x, self.y])


@dataclass(frozen=True, eq=False)
class Similarity:
    """``matrix @ place + shift``: a turn, a scale and a shift."""

    #: Shape (2, 2).
    matrix: NDArray[np.float64]
    #: Shape (2,) [pixel].
    shift: NDArray[np.float64]

    def apply(self, places: NDArray[np.float64]) -> NDArray[np.float64]:
        """Transform places of shape (n, 2) [pixel]."""
        return places @ self.matrix.T + self.shift

    @property
    def scale(self) -> float:
        """By how much distances grow."""
        import numpy as np

        return float(np.sqrt(np.linalg.det(self.matrix)))

    @property
    def rotation_deg(self) -> float:
        """Turn from the first axis towards the second [deg]."""
        import numpy as np

        return float(np.degrees(np.arctan2(self.matrix[1, 0], self.matrix[0, 0])))


@dataclass(frozen=True, eq=False)
class Matches:
    """Which sources are which reference stars."""

    #: Indices of sources, shape (n,).
    source: NDArray[np.int64]
    #: Indices of reference stars, same shape.
    reference: NDArray[np.int64]
    #: Takes sources' places to those of the reference.
    transform: Similarity


def match_stars(
    sources: Places,
    reference: Places,
    *,
    search_pix: float,
    match_pix: float,
    fewest: int,
    has_free_scale: bool,
) -> Matches:
    """Match sources to reference stars.

    The shift is the one on which most pairs agree; from there, matches and a
    transform weighted by the errors improve each other.

    Parameters
    ----------
    sources
        Bright sources, n of them.
    reference
        Reference stars in about the same part of the sky.
    search_pix
        Largest shift looked for [pixel].
    match_pix
        Largest distance of a match once the shift is known [pixel].
    fewest
        Fewest matches that give a result.
    has_free_scale
        Fit the scale too, not the turn and shift alone?

    Raises
    ------
    TooFewStarsError
        If there are fewer.
    """
    import numpy as np
    from scipy.spatial import KDTree

    if min(sources.x.size, reference.x.size) < fewest:
        raise TooFewStarsError(
            f"{sources.x.size} sources and {reference.x.size} reference stars can give no "
            f"{fewest} matches. Does the reference catalogue cover the field?"
        )
    places, wanted = sources.xy(), reference.xy()
    shift = _common_shift(places, wanted, search_pix, match_pix)
    transform = Similarity(np.eye(2), shift)
    tree = KDTree(wanted)
    for _ in range(_ROUNDS):
        kept, partner = _nearest_pairs(tree, transform.apply(places), match_pix)
        if kept.size < fewest:
            raise TooFewStarsError(
                f"after a shift of {shift.round(1).tolist()} pixels {kept.size} of "
                f"{sources.x.size} sources match one of {reference.x.size} reference stars within "
                f"{match_pix:.1f} pixels; {fewest} are needed. If the pointing may be further off, "
                "increase 'search_arcsec'."
            )
        error = np.hypot(sources.error[kept], reference.error[partner])
        transform = _robust_similarity(places[kept], wanted[partner], error, has_free_scale)
    return Matches(kept, partner, transform)


def _nearest_pairs(
    tree: KDTree, places: NDArray[np.float64], match_pix: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return indices of places and of the tree's points that are each other's nearest."""
    import numpy as np

    distance, nearest = tree.query(places)
    near = np.flatnonzero(distance < match_pix)
    # A reference star that is the nearest of several sources is the closest one's.
    near = near[np.argsort(distance[near], kind="stable")]
    _, first = np.unique(nearest[near], return_index=True)
    kept = np.sort(near[first])
    return kept, nearest[kept]


def _common_shift(
    places: NDArray[np.float64], wanted: NDArray[np.float64], search_pix: float, cell_pix: float
) -> NDArray[np.float64]:
    """Return the shift on which most pairs agree, shape (2,)."""
    import numpy as np
    from scipy.ndimage import uniform_filter
    from scipy.spatial import KDTree

    lists = KDTree(wanted).query_ball_point(places, search_pix)
    offsets = [wanted[found] - place for found, place in zip(lists, places, strict=True) if found]
    if not offsets:
        raise TooFewStarsError(
            f"no reference star is within {search_pix:.0f} pixels of any source. Is the WCS of the "
            "exposure right? If it may be further off, increase 'search_arcsec'."
        )
    pairs = np.concatenate(offsets)
    cells = max(3, int(np.ceil(2.0 * search_pix / cell_pix)))
    edges = np.linspace(-search_pix, search_pix, cells + 1)
    counts, _, _ = np.histogram2d(pairs[:, 0], pairs[:, 1], bins=(edges, edges))
    peak = np.unravel_index(np.argmax(uniform_filter(counts, 3, mode="constant")), counts.shape)
    centre = np.array([edges[i] + edges[i + 1] for i in peak]) / 2.0
    agree = np.all(np.abs(pairs - centre) < 1.5 * (edges[1] - edges[0]), axis=1)
    return np.asarray(np.median(pairs[agree], axis=0))


def _robust_similarity(
    places: NDArray[np.float64],
    wanted: NDArray[np.float64],
    error: NDArray[np.float64],
    has_free_scale: bool,
) -> Similarity:
    """Fit a transform, without outliers."""
    import numpy as np

    used = np.ones(len(places), dtype=bool)
    for _ in range(_ROUNDS):
        fitted = _similarity(places[used], wanted[used], error[used], has_free_scale)
        pull = np.hypot(*(fitted.apply(places) - wanted).T) / error
        # The median of a two-dimensional Gaussian distance is 1.18 standard deviations.
        spread = max(float(np.median(pull)) / 1.1774, 1.0)
        used = pull < _OUTLIER_SIGMA * spread
    return fitted


def _similarity(
    places: NDArray[np.float64],
    wanted: NDArray[np.float64],
    error: NDArray[np.float64],
    has_free_scale: bool,
) -> Similarity:
    """Fit turn, scale and shift by weighted least squares."""
    import numpy as np

    weight = error**-2.0
    centre = np.average(places, axis=0, weights=weight)
    target = np.average(wanted, axis=0, weights=weight)
    p, q = places - centre, wanted - target
    along = float((weight * (p[:, 0] * q[:, 0] + p[:, 1] * q[:, 1])).sum())
    across = float((weight * (p[:, 0] * q[:, 1] - p[:, 1] * q[:, 0])).sum())
    size = float((weight * (p**2).sum(axis=1)).sum()) if has_free_scale else np.hypot(along, across)
    matrix = np.array([[along, -across], [across, along]]) / size
    return Similarity(matrix, target - matrix @ centre)
