"""Imports an export file with the peer middleware and says what it sees; run by its own Python.

Arguments: folder of the export, folder for a new repository, folder for an
export of everything in it. Writes one JSON document to standard output.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any


def main(incoming: str, root: str, outgoing: str) -> None:
    from lsst.daf.butler import Butler

    Butler.makeRepo(root)
    with Butler.from_config(root, writeable=True) as butler:
        butler.import_(directory=incoming, filename=f"{incoming}/export.yaml", transfer="copy")
        json.dump(facts(butler), sys.stdout)
        Path(outgoing).mkdir()
        export_all(butler, outgoing)


def export_all(butler: Any, outgoing: str) -> None:
    with butler.export(directory=outgoing, filename="export.yaml", transfer="copy") as export:
        for element in butler.dimensions.elements:
            if element.has_own_table:
                records = butler.registry.queryDimensionRecords(element)
                export.saveDimensionData(element, records)
        for info in butler.collections.query_info("*", include_doc=True):
            export.saveCollection(info.name)
        export.saveDatasets(every_dataset(butler))


def every_dataset(butler: Any) -> list[Any]:
    runs = [info.name for info in butler.collections.query_info("*") if info.type.name == "RUN"]
    return [
        ref
        for dataset_type in butler.registry.queryDatasetTypes()
        for ref in butler.query_datasets(
            dataset_type, runs, find_first=False, explain=False, with_dimension_records=True
        )
    ]


def facts(butler: Any) -> dict[str, Any]:
    found = {"records": {}, "collections": {}, "datasets": {}, "ranges": [], "tags": []}
    for element in butler.dimensions.elements:
        if element.has_own_table:
            records = butler.registry.queryDimensionRecords(element)
            found["records"][element.name] = [plain(record) for record in records]
    for info in butler.collections.query_info("*", include_doc=True, include_chains=True):
        children = list(info.children or ())
        found["collections"][info.name] = [info.type.name, info.doc or "", children]
    for ref in every_dataset(butler):
        value = butler.get(ref)
        if hasattr(value, "as_array"):
            value = value.as_array().tolist()
        data_id = dict(ref.dataId.required)
        found["datasets"][str(ref.id)] = [ref.datasetType.name, ref.run, data_id, value]
    for dataset_type in butler.registry.queryDatasetTypes():
        for kind in ("CALIBRATION", "TAGGED"):
            members = butler.registry.queryDatasetAssociations(
                dataset_type, ..., collectionTypes={kind_of(kind)}
            )
            for one in members:
                entry = [one.collection, str(one.ref.id)]
                if kind == "TAGGED":
                    found["tags"].append(entry)
                else:
                    found["ranges"].append([*entry, *one.timespan.nsec])
    return found


def kind_of(name: str) -> Any:
    from lsst.daf.butler import CollectionType

    return CollectionType[name]


def plain(record: Any) -> dict[str, Any]:
    """Return a record's fields: regions in hexadecimal, timespans as nanoseconds."""
    fields = record.toDict()
    if fields.get("region") is not None:
        fields["region"] = fields["region"].encode().hex()
    if "timespan" in fields:
        span = fields.pop("timespan")
        fields["begin_ns"], fields["end_ns"] = span.nsec if span is not None else (None, None)
    return {k: v.hex() if isinstance(v, bytes) else v for k, v in fields.items()}


if __name__ == "__main__":
    main(*sys.argv[1:])
