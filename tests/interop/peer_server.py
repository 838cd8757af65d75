"""Answers questions with the peer middleware; run by its own Python.

Reads one JSON question a line from standard input and writes one JSON answer a
line to standard output: ``{"ok": ...}`` or ``{"error": class, "message": ...}``.
"""

from __future__ import annotations

import json
import runpy
import sys
import tempfile
from itertools import chain
from pathlib import Path


class Peer:
    """The peer's universe, and a repository with the wide world in it."""

    def __init__(self, folder: str) -> None:
        from lsst.daf.butler import DimensionUniverse

        self.folder = folder
        self.universe = DimensionUniverse()
        self._butler = None

    # ------------------------------------------------------------- dimensions
    def element(self, names: list[str]) -> list[dict]:
        """Return what the universe says of elements; of all if none is named."""
        return [self._element(self.universe[name]) for name in names or self._element_names()]

    def _element_names(self) -> list[str]:
        return [element.name for element in self.universe.elements]

    def _element(self, element) -> dict:
        return {
            "name": element.name,
            "required": list(element.required.names),
            "implied": list(element.implied.names),
            "alternates": [key.name for key in getattr(element, "alternate_keys", ())],
            "metadata": sorted(column.name for column in element.metadata_columns),
            "spatial": element.spatial.name if element.spatial else None,
            "temporal": element.temporal.name if element.temporal else None,
            "always_join": bool(element.alwaysJoin),
        }

    def groups(self, groups: list[list[str]]) -> list[dict]:
        return [self._group(self.universe.conform(names)) for names in groups]

    def _group(self, group) -> dict:
        return {
            "names": list(group.names),
            "required": list(group.required),
            "implied": list(group.implied),
            "elements": list(group.elements),
            "governors": sorted(group.governors),
            "skypix": sorted(group.skypix),
        }

    def spatial_choice(self, groups: list[list[str]]) -> list[list[str]]:
        """Return the element that each spatial family of a group would join by."""
        found = []
        for names in groups:
            group = self.universe.conform(names)
            found.append(sorted(family.choose(group).name for family in group.spatial))
        return found

    def uuids(self, items: list[dict]) -> list[str]:
        from lsst.daf.butler import DataCoordinate, DatasetIdGenEnum, DatasetRef, DatasetType

        found = []
        for item in items:
            dataset_type = DatasetType(
                item["type"], item["dimensions"], "StructuredDataDict", universe=self.universe
            )
            data_id = DataCoordinate.standardize(item["data_id"], universe=self.universe)
            mode = DatasetIdGenEnum[item["mode"]]
            ref = DatasetRef(dataset_type, data_id, run=item["run"], id_generation_mode=mode)
            found.append(str(ref.id))
        return found

    def paths(self, items: list[dict]) -> list[str]:
        """Return the paths that templates give for datasets of the wide world."""
        from lsst.daf.butler import DatasetRef, DatasetType
        from lsst.daf.butler.datastore.file_templates import FileTemplate

        found = []
        for item in items:
            dataset_type = DatasetType(
                item["type"], item["dimensions"], "StructuredDataDict", universe=self.universe
            )
            data_id = self.butler.registry.expandDataId(item["data_id"])
            ref = DatasetRef(dataset_type, data_id, run=item["run"])
            try:
                path = FileTemplate(item["template"]).format(ref)
            except (KeyError, ValueError, RuntimeError) as error:
                path = f"{type(error).__name__}"
            found.append(path.replace(str(ref.id), "ID"))
        return found

    # ------------------------------------------------------------- repository
    @property
    def butler(self):
        if self._butler is None:
            self._butler = self._filled()
        return self._butler

    def _filled(self):
        from lsst.daf.butler import Butler, CollectionType, DatasetType

        world = runpy.run_path(str(Path(__file__).parents[1] / "wide_world.py"))
        root = f"{self.folder}/peer"
        Butler.makeRepo(root)
        butler = Butler.from_config(root, writeable=True)
        for element, rows in world["elements"]().items():
            butler.registry.insertDimensionData(element, *map(_native, rows))
        types = {}
        for name, dimensions, is_calibration in world["DATASET_TYPES"]:
            types[name] = DatasetType(
                name, dimensions, "StructuredDataDict", universe=butler.dimensions,
                isCalibration=is_calibration,
            )  # fmt: skip
            butler.registry.registerDatasetType(types[name])
        pixels = [{"htm7": pixel} for pixel in self._reference_pixels(world)]
        refs = {}
        for name, run, data_ids in [*world["datasets"](), ("refcat", "refcats", pixels)]:
            butler.collections.register(run)
            refs[name, run] = butler.registry.insertDatasets(types[name], data_ids, run=run)
        for name, kind in world["COLLECTIONS"]:
            butler.collections.register(name, CollectionType.from_name(kind))
        for name, children in world["CHAINS"].items():
            butler.collections.redefine_chain(name, children)
        for name, run, step in world["TAGGED"]:
            butler.registry.associate("tag", refs[name, run][::step])
        for collection, name, run, below, span in world["CERTIFIED"]:
            butler.registry.certify(collection, refs[name, run][:below], _timespan(span))
        return butler

    def _reference_pixels(self, world) -> list[int]:
        from lsst.sphgeom import Angle, Circle, HtmPixelization, LonLat, UnitVector3d

        found = set()
        for lon, lat in world["REFERENCE_POINTS"]:
            centre = UnitVector3d(LonLat.fromDegrees(lon, lat))
            envelope = HtmPixelization(7).envelope(Circle(centre, Angle.fromDegrees(0.5)))
            found.update(chain.from_iterable(range(a, b) for a, b in envelope.ranges()))
        return sorted(found)

    # ---------------------------------------------------------------- queries
    def ask(self, question: dict) -> object:
        """Return the answer to one question, as ``peer_queries.py`` says."""
        from peer_queries import peer_answer

        return peer_answer(self.butler, question)

    def literal_ns(self, texts: list[str]) -> list[int | None]:
        """Return what time literals mean."""
        from peer_queries import literal_ns

        return literal_ns(texts)

    def find(self, questions: list[dict]) -> list:
        """Return the run that each dataset is found in, None if it is not, or the error's class."""
        from lsst.daf.butler import ButlerUserError

        found = []
        for one in questions:
            try:
                ref = self._find(one)
            except (ButlerUserError, LookupError, TypeError, ValueError) as error:
                found.append({"error": type(error).__name__})
            else:
                found.append(None if ref is None else ref.run)
        return found

    def _find(self, one: dict):
        if one.get("timespan"):
            return self.butler.find_dataset(
                one["type"],
                one["data_id"],
                collections=one["collections"],
                timespan=_timespan(one["timespan"]),
            )
        # What its get() does: the exposure's time is the calibration's.
        return self.butler._findDatasetRef(
            one["type"], one["data_id"], collections=one["collections"]
        )


def _timespan(span):
    import astropy.time
    from lsst.daf.butler import Timespan

    times = [
        None if t is None else astropy.time.Time(t, format="isot", scale="tai", precision=9)
        for t in span
    ]
    return Timespan(*times)


def _native(row: dict) -> dict:
    from lsst.sphgeom import ConvexPolygon, LonLat, UnitVector3d

    row = dict(row)
    if row.get("region") is not None:
        row["region"] = ConvexPolygon(
            [UnitVector3d(LonLat.fromDegrees(*corner)) for corner in row["region"]]
        )
    if "timespan" in row:
        row["timespan"] = _timespan(row["timespan"])
    return row


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        peer = Peer(folder)
        for line in sys.stdin:
            what, question = json.loads(line)
            try:
                answer = {"ok": getattr(peer, what)(question)}
            except Exception as error:  # noqa: BLE001 - whatever it is, it is the answer
                answer = {"error": type(error).__name__, "message": str(error)}
            print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
