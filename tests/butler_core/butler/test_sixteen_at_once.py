"""Sixteen processes that ingest, insert records, certify, chain, query and remove at once."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from butler_core import Butler, CollectionType

PROCESSES = 16
ROUNDS = 4
N_FILES = 25

_WORKER = """
import json, sys
from pathlib import Path
from butler_core import Butler, CollectionType, DatasetType, Timespan
from butler_core.datasets.dataset_ref import DatasetRef
from butler_core.datastore.transfer_mode import TransferMode
from butler_core.region import polygon
from butler_core.repository.ingest import IngestRequest, ingest_files

root, folder, me, rounds, n_files = sys.argv[1], Path(sys.argv[2]), *map(int, sys.argv[3:])
seen = []
with Butler(root, writeable=True) as butler:
    print("ready", flush=True)
    sys.stdin.readline()
    registry = butler.repository.registry
    for n in range(rounds):
        # The same records from everybody, with regions: the first wins, the others skip.
        lon = 10.0 * n
        square = polygon([(lon, 0.0), (lon + 0.3, 0.0), (lon + 0.3, 0.3), (lon, 0.3)])
        butler.insert_dimension_data(
            "exposure", *(dict(instrument="CamA", id=1000 + 100 * n + i, day_obs=20240110,
                               group="grp0", physical_filter="g1", obs_id=f"new_{n}_{i}")
                          for i in range(n_files)), skip_existing=True)
        butler.insert_dimension_data(
            "visit", dict(instrument="CamA", id=5000 + n, day_obs=20240110, physical_filter="g1",
                          name=f"new {n}", region=square), skip_existing=True)
        butler.register_dataset_type(DatasetType.of(
            f"many_{n}", ["exposure", "detector"], "StructuredDataDict",
            universe=butler.dimensions))
        ingest_files(butler.repository, IngestRequest(
            f"many_{n}", f"in/{me}", [folder / f"{i}.yaml" for i in range(n_files)],
            {"instrument": ["CamA"] * n_files, "detector": [me % 4] * n_files,
             "exposure": [1000 + 100 * n + i for i in range(n_files)]}, TransferMode.COPY))
        butler.collections.extend_chain("all", f"in/{me}")
        butler.collections.prepend_chain(f"odd/{me % 2}", f"in/{me}")
        bias = butler.put({"me": me}, "bias", instrument="CamA", detector=me % 4, run=f"bias/{me}/{n}")
        key = registry.datasets.keys_of([bias])[bias.id.bytes]
        day = Timespan.from_times(f"20{10 + me}-0{n + 1}-01", f"20{10 + me}-0{n + 2}-01")
        registry.memberships.certify(registry.dataset_types.get("bias"),
                                     registry.collections.get("calib"), [key], day)
        seen.append(butler.query_datasets(f"many_{n}", f"in/{me}").count())
        list(butler.query_datasets(f"many_{n}", "all", find_first=False, limit=300))
        if n % 2:
            butler.remove_runs([f"bias/{me}/{n}"])
print(json.dumps(seen))
"""


def test_sixteen_processes_lose_and_double_nothing(butler: Butler, tmp_path: Path) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    for i in range(N_FILES):
        (folder / f"{i}.yaml").write_text(f"number: {i}\n")
    for name in ("all", "odd/0", "odd/1"):
        butler.collections.register(name, CollectionType.CHAINED)
    butler.collections.register("calib", CollectionType.CALIBRATION)

    said = _run_all(butler, folder)

    assert said == [[N_FILES] * ROUNDS] * PROCESSES
    _check_collections(butler)
    _check_datasets(butler)
    _check_records(butler)


def _run_all(butler: Butler, folder: Path) -> list[list[int]]:
    """Start all workers, let them go at once, and return what each counted."""
    root = str(butler.repository.root)
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", _WORKER, root, str(folder), str(me), str(ROUNDS), str(N_FILES)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for me in range(PROCESSES)
    ]
    for worker in workers:
        assert worker.stdout.readline() == "ready\n", worker.stderr.read()
    for worker in workers:
        worker.stdin.write("go\n")
        worker.stdin.flush()
    answers = [worker.communicate(timeout=240) for worker in workers]
    assert [error for _, error in answers] == [""] * PROCESSES
    return [json.loads(out) for out, _ in answers]


def _check_collections(butler: Butler) -> None:
    runs = [f"in/{me}" for me in range(PROCESSES)]
    assert sorted(butler.collections.get_info("all").children) == sorted(runs)
    for half in (0, 1):
        children = butler.collections.get_info(f"odd/{half}").children
        assert sorted(children) == sorted(runs[half::2])
    kept = {f"bias/{me}/{n}" for me in range(PROCESSES) for n in range(0, ROUNDS, 2)}
    assert set(butler.collections.query("bias/*")) == kept


def _check_datasets(butler: Butler) -> None:
    registry = butler.repository.registry
    for n in range(ROUNDS):
        refs = list(butler.query_datasets(f"many_{n}", "all", find_first=False))
        assert len({ref.id for ref in refs}) == len(refs) == PROCESSES * N_FILES
        first = butler.query_datasets(f"many_{n}", "all")
        assert first.count() == 4 * N_FILES
        assert butler.get(refs[n]) == {"number": refs[n].data_id["exposure"] - 1000 - 100 * n}
    ranges = registry.memberships.ranges(
        registry.dataset_types.get("bias"), registry.collections.get("calib")
    )
    assert len(ranges["dataset_key"]) == len(set(ranges["dataset_key"])) == PROCESSES * ROUNDS // 2
    files = [path for path in butler.repository.root.rglob("*.yaml") if path.name != "butler.yaml"]
    assert len(files) == PROCESSES * (ROUNDS * N_FILES + ROUNDS // 2)


def _check_records(butler: Butler) -> None:
    for n in range(ROUNDS):
        where = f"instrument = 'CamA' AND visit.region OVERLAPS POINT({10.0 * n + 0.1}, 0.1)"
        found = butler.query_dimension_records("visit", where=where)
        assert 5000 + n in found.columns["id"]
    new = butler.query_dimension_records("exposure", where="instrument='CamA' AND exposure >= 1000")
    assert len(new) == ROUNDS * N_FILES
