"""The subcommands of ``butler``: where each is, and what it is for.

A table and no more, so that listing the commands imports none of them.
"""

from __future__ import annotations

from butler_core.cli.program import CommandEntry

_COMMANDS = "butler_core.cli.commands"

#: Every subcommand, by name; each help is the first line of the command's own.
COMMANDS = {
    "associate": CommandEntry(
        f"{_COMMANDS}.certifying:associate", "Add existing datasets to a TAGGED collection."
    ),
    "certify-calibrations": CommandEntry(
        f"{_COMMANDS}.certifying:certify_calibrations", "Declare calibrations valid for a time."
    ),
    "check": CommandEntry(
        f"{_COMMANDS}.check:check", "Find files that are missing, damaged or unknown."
    ),
    "collection-chain": CommandEntry(
        f"{_COMMANDS}.collection_chain:collection_chain",
        "Define a chain of collections, or change it.",
    ),
    "config-dump": CommandEntry(
        f"{_COMMANDS}.config_dump:config_dump", "Print a repository's configuration."
    ),
    "create": CommandEntry(f"{_COMMANDS}.create:create", "Make an empty data repository."),
    "define-visits": CommandEntry(
        f"{_COMMANDS}.define_visits:define_visits", "Define visits from exposures."
    ),
    "export-calibs": CommandEntry(
        f"{_COMMANDS}.transferring:export_calibs",
        "Export certified calibrations for another repository.",
    ),
    "import": CommandEntry(
        f"{_COMMANDS}.transferring:import_datasets",
        "Import datasets that were exported from another repository.",
    ),
    "ingest-files": CommandEntry(
        f"{_COMMANDS}.ingest_files:ingest_files", "Ingest files listed in a table."
    ),
    "ingest-raws": CommandEntry(f"{_COMMANDS}.ingest_raws:ingest_raws", "Ingest raw frames."),
    "lineage": CommandEntry(
        # As `transfer-from-graph`, it knows of quantum graphs, and is imported when it is called.
        "pipetask.cli.commands.lineage:lineage",
        "Say what a dataset was made from, back to the raws, and what was made from it.",
    ),
    "migrate": CommandEntry(
        f"{_COMMANDS}.migrate:migrate", "Upgrade the registry's tables of an older repository."
    ),
    "prune-datasets": CommandEntry(
        f"{_COMMANDS}.prune_datasets:prune_datasets",
        "Remove datasets from collections or from storage.",
    ),
    "query-collections": CommandEntry(
        f"{_COMMANDS}.query_collections:query_collections", "List the collections in a repository."
    ),
    "query-data-ids": CommandEntry(
        f"{_COMMANDS}.query_data_ids:query_data_ids", "List the data IDs in a repository."
    ),
    "query-dataset-types": CommandEntry(
        f"{_COMMANDS}.dataset_types:query_dataset_types", "List the dataset types in a repository."
    ),
    "query-datasets": CommandEntry(
        f"{_COMMANDS}.query_datasets:query_datasets", "List the datasets in a repository."
    ),
    "query-dimension-records": CommandEntry(
        f"{_COMMANDS}.query_dimension_records:query_dimension_records",
        "List the records of a dimension.",
    ),
    "register-dataset-type": CommandEntry(
        f"{_COMMANDS}.dataset_types:register_dataset_type", "Register a dataset type."
    ),
    "register-instrument": CommandEntry(
        f"{_COMMANDS}.register_instrument:register_instrument", "Add an instrument to a repository."
    ),
    "register-skymap": CommandEntry(
        f"{_COMMANDS}.register_skymap:register_skymap", "Add a sky map to a repository."
    ),
    "remove-collections": CommandEntry(
        f"{_COMMANDS}.remove_collections:remove_collections",
        "Remove CHAINED, TAGGED and CALIBRATION collections.",
    ),
    "remove-dataset-type": CommandEntry(
        f"{_COMMANDS}.dataset_types:remove_dataset_type",
        "Forget dataset types of which no dataset exists.",
    ),
    "remove-runs": CommandEntry(
        f"{_COMMANDS}.remove_runs:remove_runs",
        "Remove RUN collections with their datasets and files.",
    ),
    "transfer-from-graph": CommandEntry(
        "pipetask.cli.commands.transfer_from_graph:transfer_from_graph",
        "Register what `pipetask run-qbb` has made.",
    ),
    "write-curated-calibrations": CommandEntry(
        f"{_COMMANDS}.write_curated_calibrations:write_curated_calibrations",
        "Add an instrument's curated calibrations.",
    ),
}
