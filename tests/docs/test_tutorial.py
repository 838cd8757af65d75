from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.docs.conftest import Reader


def test_tutorial_does_what_it_says(reader: Reader) -> None:
    reader.follow("tutorial.md")
