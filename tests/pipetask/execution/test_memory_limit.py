"""A process has so much memory for a while, and all of it before and afterwards."""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipetask.execution.memory_limit import memory_limited

ROOT = Path(__file__).parents[3]
#: More than any process of these tests has [MB].
ROOM_MB = 500_000
HEAD = """
import resource
from pathlib import Path
from pipetask.execution.memory_limit import memory_limited

def own_mb():
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    return pages * resource.getpagesize() / 1e6
"""


def bounds() -> tuple[int, int]:
    return resource.getrlimit(resource.RLIMIT_AS)


@pytest.fixture(autouse=True)
def same_bounds_afterwards() -> Iterator[None]:
    before = bounds()
    yield
    assert bounds() == before


def said_by(code: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", HEAD + code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return done.stdout.splitlines()


ALLOCATIONS = {
    "python": "make = lambda mb: bytearray(mb * 10**6)",
    "compiled": "import numpy; make = lambda mb: numpy.ones(mb * 10**6, 'uint8')",
}


@pytest.mark.parametrize("make", ALLOCATIONS.values(), ids=ALLOCATIONS)
def test_what_goes_beyond_fails_and_what_has_room_does_not(make: str) -> None:
    code = f"""
{make}
with memory_limited(own_mb() + 150):
    print(len(make(50)))
    try:
        make(300)
    except MemoryError:
        print("refused")
print(len(make(300)))
"""

    assert said_by(code) == ["50000000", "refused", "300000000"]


def test_no_number_is_no_bound() -> None:
    before = bounds()

    with memory_limited(None):
        assert bounds() == before


def test_the_number_is_in_megabytes() -> None:
    with memory_limited(ROOM_MB + 0.5):
        assert bounds()[0] == ROOM_MB * 10**6 + 500_000


def test_the_bound_ends_with_a_failure() -> None:
    before = bounds()

    with pytest.raises(MemoryError), memory_limited(ROOM_MB):
        raise MemoryError

    assert bounds() == before


def test_an_inner_bound_does_not_widen_an_outer_one() -> None:
    with memory_limited(ROOM_MB):
        outer = bounds()
        with memory_limited(2 * ROOM_MB):
            assert bounds() == outer
        with memory_limited(ROOM_MB / 2):
            assert bounds()[0] == ROOM_MB * 10**6 // 2
        assert bounds() == outer


def test_what_the_machine_allows_at_most_is_not_exceeded() -> None:
    code = """
resource.setrlimit(resource.RLIMIT_AS, (3_000_000_000, 4_000_000_000))
with memory_limited(9_000):
    print(resource.getrlimit(resource.RLIMIT_AS))
with memory_limited(3_500):
    print(resource.getrlimit(resource.RLIMIT_AS))
with memory_limited(2_000):
    print(resource.getrlimit(resource.RLIMIT_AS))
print(resource.getrlimit(resource.RLIMIT_AS))
"""

    assert said_by(code) == [
        f"({soft}, 4000000000)" for soft in (3 * 10**9, 3 * 10**9, 2 * 10**9, 3 * 10**9)
    ]


def test_a_bound_below_what_there_is_stops_what_comes_and_not_what_was() -> None:
    code = """
kept = bytearray(50_000_000)
try:
    with memory_limited(1):
        bytearray(50_000_000)
except MemoryError:
    print("refused", len(kept), len(bytearray(50_000_000)))
"""

    assert said_by(code) == ["refused 50000000 50000000"]
