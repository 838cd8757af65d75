"""Compares what the registry says of files with the files that there are. Changes nothing.

What others write at the same time is looked at twice, but may still show up
as a finding: a file gets its name a moment before its row is committed.
"""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from butler_core.datastore.stored_files import StoredFiles
from butler_core.registry.sqlite_file import files_of
from butler_core.repository.configuration import CONFIG_NAME
from butler_core.repository.finding import CheckCounts, CheckReport, Finding, FindingKind
from butler_core.repository.judging import judge
from butler_core.repository.repository import Repository
from butler_core.repository.survey import Report, Survey


def check_repository(
    repository: Repository,
    *,
    with_checksums: bool = False,
    report: Report = lambda _done, _total: None,
) -> CheckReport:
    """Return what is wrong with a repository's files, or with its database.

    Parameters
    ----------
    with_checksums
        Whether to read all files whose records have a checksum.

    Raises
    ------
    ReadFileError
        If the directory of the files is not there.
    """
    faults = repository.registry.database.faults()
    if faults:
        # Rule: what a broken database says of files is not acted upon, and not even said.
        return CheckReport(tuple(_broken(repository, fault) for fault in faults), CheckCounts())
    with closing(StoredFiles(repository.datastore.root)) as stored:
        survey = _survey(repository, stored, report)
        if with_checksums:
            for rows in repository.registry.files.pages_with_checksum():
                survey.compare_checksums(rows)
                report(survey.counts.n_checksums, None)
        judgement = judge(repository, stored, survey.suspects, with_checksums=with_checksums)
    return CheckReport(judgement.findings, survey.counts)


def _broken(repository: Repository, fault: str) -> Finding:
    return Finding(
        FindingKind.DATABASE,
        repository.registry.database.place,
        "ok",
        fault,
        advice="restore the database from a backup, or rescue its rows with sqlite3's .recover; "
        "no file is looked at as long as it is broken",
    )


def _survey(repository: Repository, stored: StoredFiles, report: Report) -> Survey:
    closed = stored.reached_from(str(repository.camera_folder.absolute()))
    survey = Survey(stored, _own_files(repository, stored), closed)
    for rows in repository.registry.files.pages("path", "size"):
        survey.add_records(rows)
    survey.walk(report)
    survey.look_for_the_rest()
    survey.open_archives()
    return survey


def _own_files(repository: Repository, stored: StoredFiles) -> set[str]:
    """Return the places of the configuration and of a SQLite database."""
    paths = [repository.root / CONFIG_NAME, repository.config_path]
    database = repository.registry.database
    if database.dialect.name == "sqlite":
        path = Path(database.place)
        paths += [*files_of(path), *files_of(path.resolve())]
    return {place for path in paths for place in stored.reached_from(str(path.absolute()))}
