"""How a file comes into a datastore."""

from __future__ import annotations

from enum import StrEnum

from butler_core.errors import TransferError, near_misses


class TransferMode(StrEnum):
    """What is done with a file that is ingested or imported."""

    #: Nothing if the file is inside the datastore already, else `LINK`.
    AUTO = "auto"
    COPY = "copy"
    MOVE = "move"
    #: A hard link; a symbolic one where the file lies on another file system.
    LINK = "link"
    HARDLINK = "hardlink"
    #: A symbolic link to the absolute path.
    SYMLINK = "symlink"
    #: A symbolic link relative to where it stands.
    RELSYMLINK = "relsymlink"
    #: The file stays where it is and is recorded by its absolute path.
    DIRECT = "direct"

    @classmethod
    def parse(cls, text: str) -> TransferMode:
        """Return the mode of a name.

        Raises
        ------
        TransferError
            If there is no such mode.
        """
        try:
            return cls(text)
        except ValueError:
            modes = [mode.value for mode in cls]
            raise TransferError(
                f"no transfer mode {text!r}; there are {', '.join(modes)}."
                f"{near_misses(text, modes)}"
            ) from None
