"""Tests of the commands that remove, and of what they ask first."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from butler_core.butler.butler import Butler

Run = Callable[..., Result]


def names(repo: Path) -> set[str]:
    with Butler(repo) as butler:
        return set(butler.collections.query())


def count(repo: Path, dataset_type: str) -> int:
    with Butler(repo) as butler:
        return len(butler.query_datasets(dataset_type, "*"))


def files(repo: Path, dataset_type: str) -> int:
    return len(list(repo.rglob(f"{dataset_type}_*.yaml")))


# ------------------------------------------------------------------------ runs
def test_runs_stay_unless_the_answer_is_yes(repo: Path, run: Run) -> None:
    result = run("remove-runs", repo, "Cam/raw/all", answer="n\n")

    assert result.exit_code == 0
    assert 'Cam/raw/all: will be unlinked from "Cam/defaults"' in result.stdout
    assert "raw(4)" in result.stdout
    assert "Continue? [y/N]: n\nAborted.\n" in result.stdout
    assert count(repo, "raw") == files(repo, "raw") == 4


def test_confirmed_runs_go_with_datasets_and_files(repo: Path, run: Run) -> None:
    result = run("remove-runs", repo, "Cam/*", answer="y\n")

    assert result.stdout.endswith("Removed collections\n")
    assert "Cam/raw/all" not in names(repo)
    assert count(repo, "raw") == files(repo, "raw") == 0


def test_runs_in_chains_need_force_without_confirmation(repo: Path, run: Run) -> None:
    refused = run("remove-runs", repo, "Cam/raw/all", "--no-confirm")
    forced = run("remove-runs", repo, "Cam/raw/all", "--no-confirm", "--force")

    assert refused.exit_code == 1
    assert "'Cam/raw/all' is in \"Cam/defaults\"" in refused.stderr
    assert 'Cam/raw/all: was removed and unlinked from "Cam/defaults"' in forced.stdout


def test_no_run_found_is_no_error(repo: Path, run: Run) -> None:
    result = run("remove-runs", repo, "none*")

    assert (result.exit_code, result.stdout) == (0, "No RUN collections were found.\n")


# ----------------------------------------------------------------- collections
def test_chain_and_child_go_together(repo: Path, run: Run) -> None:
    result = run("remove-collections", repo, "Cam/calib*", "--remove-from-parents", answer="y\n")

    assert result.exit_code == 0
    assert names(repo) == {"Cam/defaults", "Cam/raw/all", "tag", "u/me/bias.1", "u/me/run1"}


def test_collections_in_other_chains_stay(repo: Path, run: Run) -> None:
    before = names(repo)

    result = run("remove-collections", repo, "Cam/calib*", "--no-confirm")

    assert result.exit_code == 1
    assert "'Cam/calib' is in 'Cam/defaults'" in result.stderr
    assert names(repo) == before


def test_runs_found_by_a_pattern_are_shown_and_stay(repo: Path, run: Run) -> None:
    result = run("remove-collections", repo, "*", answer="y\n")

    assert "These are RUN collections" in result.stdout
    assert names(repo) == {"Cam/raw/all", "u/me/bias.1", "u/me/run1"}


def test_no_collection_found_is_no_error(repo: Path, run: Run) -> None:
    result = run("remove-collections", repo, "none*")

    assert (result.exit_code, result.stdout) == (0, "\nNo non-RUN collections were found.\n")


def test_declined_removal_of_collections_changes_nothing(repo: Path, run: Run) -> None:
    before = names(repo)

    result = run("remove-collections", repo, "tag", answer="\n")

    assert result.stdout.endswith("Aborted.\n\n")
    assert names(repo) == before


# -------------------------------------------------------------- dataset types
def test_dataset_types_go_all_or_none(repo: Path, run: Run) -> None:
    refused = run("remove-dataset-type", repo, "flat", "raw")
    removed = run("remove-dataset-type", repo, "fl*")

    assert refused.exit_code == 1
    assert "'raw' cannot go while datasets of it exist" in refused.stderr
    assert removed.stdout == "Removed dataset type flat.\n"
    with Butler(repo) as butler:
        assert butler.repository.registry.dataset_types.find("flat") is None


# -------------------------------------------------------------------- datasets
def test_dry_run_shows_and_changes_nothing(repo: Path, run: Run) -> None:
    result = run("prune-datasets", repo, "u/me/bias.1", "--unstore", "--dry-run")

    assert result.stdout.startswith(
        "The following datasets will be removed from any datastores in which they are present:\n"
    )
    assert files(repo, "bias") == 2


def test_unstored_datasets_stay_registered(repo: Path, run: Run) -> None:
    result = run("prune-datasets", repo, "u/me/bias.1", "--unstore", answer="y\n")

    assert result.stdout.endswith("Continue? [y/N]: y\nThe datasets were removed.\n")
    assert (count(repo, "bias"), files(repo, "bias")) == (2, 0)


def test_purged_datasets_are_forgotten(repo: Path, run: Run) -> None:
    result = run(
        "prune-datasets", repo, "--purge", "u/me/run1", "--datasets", "isr_log",
        "--where", "exposure=1", "--no-confirm",
    )  # fmt: skip

    assert result.stdout.startswith("Removed the following datasets:\n")
    assert count(repo, "isr_log") == files(repo, "isr_log") == 2
    assert count(repo, "isr_config") == 1


def test_disassociated_datasets_leave_the_tag_alone(repo: Path, run: Run) -> None:
    run("associate", repo, "tag", "-d", "raw", "--collections", "Cam/raw/all")

    result = run(
        "prune-datasets", repo, "--disassociate", "tag", "--where", "detector=0", "--quiet"
    )

    assert (result.exit_code, result.stdout) == (0, "")
    with Butler(repo) as butler:
        assert len(butler.query_datasets("raw", "tag")) == 2
    assert count(repo, "raw") == files(repo, "raw") == 4


def test_declined_prune_changes_nothing(repo: Path, run: Run) -> None:
    result = run("prune-datasets", repo, "--purge", "u/me/run1", answer="n\n")

    assert result.stdout.endswith("Did not remove the datasets.\n")
    assert count(repo, "isr_log") == 4


def test_patterns_need_find_all(repo: Path, run: Run) -> None:
    refused = run("prune-datasets", repo, "u/*", "--datasets", "bias", "--unstore", "--no-confirm")
    pruned = run(
        "prune-datasets", repo, "u/*", "--datasets", "bias", "--unstore", "--quiet", "--find-all"
    )

    assert refused.exit_code == 2
    assert "names, not patterns" in refused.stderr
    assert pruned.exit_code == 0
    assert files(repo, "bias") == 0


def test_nothing_to_prune_is_said(repo: Path, run: Run) -> None:
    result = run("prune-datasets", repo, "u/me/run1", "--datasets", "bias", "--unstore")

    assert (result.exit_code, result.stdout) == (0, "Did not find any datasets.\n")
    assert "'u/me/run1' holds no 'bias'" in result.stderr


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "nothing to do"),
        (["--purge", "u/me/run1", "--disassociate", "tag"], "cannot go together"),
        (["--unstore", "--quiet", "--dry-run"], "--quiet and --dry-run"),
        (["--unstore"], "COLLECTIONS must say where"),
    ],
)
def test_senseless_prunes_are_wrong_usage(
    repo: Path, run: Run, options: list[str], message: str
) -> None:
    result = run("prune-datasets", repo, *options)

    assert result.exit_code == 2
    assert message in result.stderr
