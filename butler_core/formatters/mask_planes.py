"""Integer masks whose bits have names.

Plane names and numbers go into FITS headers as ``MP_name = bit`` cards, as
Rubin's software writes them. Finds no bad pixel itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from butler_core.errors import ParameterError, near_misses

#: Planes that every new mask has, as `lsst.afw.image.Mask` numbers them.
DEFAULT_PLANES = {
    "BAD": 0,
    "SAT": 1,
    "INTRP": 2,
    "CR": 3,
    "EDGE": 4,
    "DETECTED": 5,
    "DETECTED_NEGATIVE": 6,
    "SUSPECT": 7,
    "NO_DATA": 8,
}

#: Prefix of the header cards that name planes.
CARD_PREFIX = "MP_"

#: Bits of the int32 pixels that can carry a plane.
_BITS = 31


class MaskPlanes(Mapping[str, int]):
    """Immutable mapping of plane names to bit numbers, 0 to 30.

    Parameters
    ----------
    planes
        Bit number by name; `DEFAULT_PLANES` if not given.

    Raises
    ------
    ParameterError
        If two names share a bit, or a bit does not fit.
    """

    def __init__(self, planes: Mapping[str, int] | None = None) -> None:
        self._planes = dict(DEFAULT_PLANES if planes is None else planes)
        bits = list(self._planes.values())
        if len(set(bits)) != len(bits) or any(not 0 <= bit < _BITS for bit in bits):
            raise ParameterError(
                f"mask planes {self._planes} cannot be: each needs a bit of its own, 0 to "
                f"{_BITS - 1}."
            )

    @classmethod
    def from_header(cls, header: Mapping[str, Any]) -> MaskPlanes:
        """Read the planes that a FITS header names.

        Parameters
        ----------
        header
            Header of the mask's HDU. With no ``MP_`` card the planes are the
            default ones.
        """
        named = {
            str(key).upper().removeprefix(CARD_PREFIX): int(header[key])
            for key in header
            if str(key).upper().startswith(CARD_PREFIX)
        }
        return cls(named or None)

    def with_plane(self, name: str) -> MaskPlanes:
        """Return these planes with one more, on the lowest free bit.

        Parameters
        ----------
        name
            Name of the plane; if it is there, nothing changes.
        """
        if name in self._planes:
            return self
        used = set(self._planes.values())
        free = next((bit for bit in range(_BITS) if bit not in used), _BITS)
        return MaskPlanes({**self._planes, name: free})

    def bits(self, *names: str) -> int:
        """Return the integer with the bits of the planes named set.

        Parameters
        ----------
        *names
            Planes; all there are, if none is given.

        Raises
        ------
        ParameterError
            If a plane is unknown.
        """
        for name in names:
            if name not in self._planes:
                raise ParameterError(
                    f"no mask plane {name!r} among {', '.join(self._planes)}."
                    f"{near_misses(name, self._planes)}"
                )
        return sum(1 << self._planes[name] for name in (names or self._planes))

    def translate(self, array: NDArray[np.integer[Any]], target: MaskPlanes) -> NDArray[np.int32]:
        """Renumber a mask's bits to another assignment of the same names.

        Parameters
        ----------
        array
            Pixels numbered by these planes, any shape, integer.
        target
            Planes to number by; must have every name that is used here.

        Returns
        -------
        numpy.ndarray
            Renumbered pixels, same shape, int32.
        """
        if all(target.get(name) == bit for name, bit in self._planes.items()):
            return np.asarray(array, dtype=np.int32)
        out = np.zeros(array.shape, dtype=np.int32)
        for name, bit in self._planes.items():
            is_set = (array >> bit) & 1
            if is_set.any():
                out |= (is_set << (target.bits(name).bit_length() - 1)).astype(np.int32)
        return out

    def __getitem__(self, name: str) -> int:
        return self._planes[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._planes)

    def __len__(self) -> int:
        return len(self._planes)

    def __repr__(self) -> str:
        return f"MaskPlanes({self._planes})"


class Mask:
    """A mask read or written alone.

    ``numpy.asarray`` of it gives the integer pixels.

    Parameters
    ----------
    array
        Pixels, shape (ny, nx), integer; booleans become the plane BAD.
    planes
        Names of the bits.
    xy0
        Column and row of the first pixel in its parent [pixel].
    meta
        Header cards that belong to it.
    """

    def __init__(
        self,
        array: NDArray[Any],
        planes: MaskPlanes | None = None,
        *,
        xy0: tuple[int, int] = (0, 0),
        meta: Any = None,
    ) -> None:
        self.planes = planes or MaskPlanes()
        #: Pixels, shape (ny, nx), int32.
        self.array: NDArray[np.int32] = np.asarray(array).astype(np.int32, copy=False)
        self.xy0 = (int(xy0[0]), int(xy0[1]))
        self.meta = {} if meta is None else meta

    def is_set(self, *names: str) -> NDArray[np.bool_]:
        """Tell for each pixel whether any of the planes is set.

        Parameters
        ----------
        *names
            Planes; any at all, if none is given.

        Returns
        -------
        numpy.ndarray
            Shape (ny, nx), bool.
        """
        if not names:
            return np.asarray(self.array != 0)
        return np.asarray((self.array & self.planes.bits(*names)) != 0)

    @property
    def shape(self) -> tuple[int, ...]:
        """Rows and columns."""
        return self.array.shape

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        if copy is False and dtype not in {None, self.array.dtype}:
            raise ValueError(f"a mask of {self.array.dtype} cannot be {dtype} without a copy.")
        return np.array(self.array, dtype=dtype, copy=bool(copy) or dtype is not None)

    def __repr__(self) -> str:
        return f"Mask({self.array.shape}, xy0={self.xy0}, planes={list(self.planes)})"
