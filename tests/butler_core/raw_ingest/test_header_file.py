"""Tests of reading headers without pixels, and of finding files."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from butler_core.errors import ConfigError, IngestError, RawFileError
from butler_core.raw_ingest.header_file import read_raw_header
from butler_core.raw_ingest.locations import find_raw_files


def extensions(**cards: object) -> fits.HDUList:
    primary = fits.PrimaryHDU(header=fits.Header({"INSTRUME": "CAM", "OBSID": "primary", **cards}))
    images = [
        fits.ImageHDU(np.ones((40, 50), dtype="i2"), fits.Header({"OBSID": name, "AMP": name}))
        for name in ("first", "second")
    ]
    return fits.HDUList([primary, *images])


def test_cards_of_the_first_extension_lie_over_an_empty_primary(tmp_path: Path) -> None:
    extensions().writeto(tmp_path / "a.fits")

    cards = read_raw_header(tmp_path / "a.fits")

    assert (cards["INSTRUME"], cards["OBSID"], cards["AMP"]) == ("CAM", "first", "first")


def test_primary_with_an_image_stands_alone(tmp_path: Path) -> None:
    image = fits.PrimaryHDU(np.ones((4, 5)), fits.Header({"OBSID": "primary"}))
    fits.HDUList([image, fits.ImageHDU(header=fits.Header({"OBSID": "first"}))]).writeto(
        tmp_path / "a.fits"
    )

    assert read_raw_header(tmp_path / "a.fits")["OBSID"] == "primary"


def test_commentary_and_undefined_cards_are_left_out(tmp_path: Path) -> None:
    hdus = extensions(EMPTY=None)
    hdus[0].header["COMMENT"] = "chatter"
    hdus.writeto(tmp_path / "a.fits")

    cards = read_raw_header(tmp_path / "a.fits")

    assert not {"COMMENT", "EMPTY", ""} & set(cards)


def test_gzipped_file_is_read_as_far_as_its_headers_go(tmp_path: Path) -> None:
    extensions().writeto(tmp_path / "a.fits")
    whole = (tmp_path / "a.fits").read_bytes()
    packed = gzip.compress(whole[: 2 * 2880]) + gzip.compress(whole[2 * 2880 :])[:-30]
    (tmp_path / "a.fits.gz").write_bytes(packed)

    assert read_raw_header(tmp_path / "a.fits.gz")["OBSID"] == "first"


def test_fpacked_image_gives_its_own_header(tmp_path: Path) -> None:
    packed = fits.CompImageHDU(np.ones((40, 50), dtype="i2"), fits.Header({"OBSID": "packed"}))
    fits.HDUList([fits.PrimaryHDU(), packed]).writeto(tmp_path / "a.fits.fz")

    assert read_raw_header(tmp_path / "a.fits.fz")["OBSID"] == "packed"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it is empty"),
        (b"SIMPLE  =                    T" + b" " * 50, "ends within a header"),
        (b"<html>", "no FITS file"),
        (b"\x1f\x8bnonsense", "cannot be read"),
    ],
)
def test_broken_file_is_refused(tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "a.fits").write_bytes(content)

    with pytest.raises(RawFileError, match=reason):
        read_raw_header(tmp_path / "a.fits")


@pytest.mark.parametrize("cut", [2881, 5 * 2880])
def test_file_cut_within_its_data_or_extensions_is_refused(tmp_path: Path, cut: int) -> None:
    extensions().writeto(tmp_path / "a.fits")
    whole = (tmp_path / "a.fits").read_bytes()
    (tmp_path / "a.fits").write_bytes(whole[:-cut])

    with pytest.raises(RawFileError, match=r"truncated|ends within a header"):
        read_raw_header(tmp_path / "a.fits")


def test_last_block_without_padding_is_no_fault(tmp_path: Path) -> None:
    extensions().writeto(tmp_path / "a.fits")
    whole = (tmp_path / "a.fits").read_bytes()
    (tmp_path / "a.fits").write_bytes(whole[: len(whole) - 2880 + 40 * 50 * 2 % 2880])

    assert read_raw_header(tmp_path / "a.fits")["OBSID"] == "first"


def test_directories_are_searched_and_files_taken_as_named(tmp_path: Path) -> None:
    for name in ("a/x.fits", "a/b/y.fit.gz", "a/z.fits.fz", "a/note.txt", "a/.hidden.fits",
                 "a/.cache/w.fits", "odd.dat"):  # fmt: skip
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()

    found = find_raw_files([tmp_path / "odd.dat", tmp_path / "a", tmp_path / "a" / "x.fits"])

    assert [str(p.relative_to(tmp_path)) for p in found] == [
        "odd.dat", "a/x.fits", "a/z.fits.fz", "a/b/y.fit.gz",
    ]  # fmt: skip
    assert find_raw_files([tmp_path], r"\.txt$") == [tmp_path / "a" / "note.txt"]


def test_locations_that_are_not_there_are_all_named(tmp_path: Path) -> None:
    with pytest.raises(IngestError, match=r"'.*/no1', '.*/no2'"):
        find_raw_files([tmp_path / "no1", tmp_path, tmp_path / "no2"])


def test_regex_is_checked(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no regular expression"):
        find_raw_files([tmp_path], "(")
