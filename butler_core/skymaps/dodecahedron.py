"""The faces and vertices of a dodecahedron, in the two orientations that sky maps have.

Faces are numbered by falling declination, then rising right ascension, from a
face at right ascension 0.
"""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


def face_centres(*, with_faces_on_poles: bool) -> Floats:
    """Return the directions of the twelve faces, unit vectors, shape (12, 3).

    Parameters
    ----------
    with_faces_on_poles
        Whether a face is centred on each pole, and the next ones at right
        ascension 0; else a vertex is on each pole.
    """
    if with_faces_on_poles:
        z = 1.0 / math.sqrt(5.0)
        rows = [(1.0, 0.0, 1, 0.0), (z, 0.0, 5, 72.0), (-z, 36.0, 5, 72.0), (-1.0, 0.0, 1, 0.0)]
    else:
        high = math.sqrt((5.0 + 2.0 * math.sqrt(5.0)) / 15.0)
        low = math.sqrt((5.0 - 2.0 * math.sqrt(5.0)) / 15.0)
        rows = [(high, 0.0, 3, 120.0), (low, 60.0, 3, 120.0),
                (-low, 0.0, 3, 120.0), (-high, 60.0, 3, 120.0)]  # fmt: skip
    return np.array(
        [
            _direction(z, math.radians(start + step * i))
            for z, start, count, step in rows
            for i in range(count)
        ]
    )


def vertices_of_faces(faces: Floats) -> Floats:
    """Return the five vertices of each face, unit vectors, shape (12, 5, 3), in no order.

    Parameters
    ----------
    faces
        What `face_centres` gives.
    """
    neighbours = faces @ faces.T > 0.4  # 1/sqrt(5) for neighbours, -1/sqrt(5) for the next ones
    vertices: list[list[Floats]] = [[] for _ in faces]
    for three in itertools.combinations(range(len(faces)), 3):
        if all(neighbours[a, b] for a, b in itertools.combinations(three, 2)):
            vertex = faces[list(three)].sum(axis=0)
            for face in three:
                vertices[face].append(vertex / np.linalg.norm(vertex))
    return np.array(vertices)


def _direction(z: float, longitude: float) -> tuple[float, float, float]:
    radius = math.sqrt(max(0.0, 1.0 - z * z))
    return radius * math.cos(longitude), radius * math.sin(longitude), z
