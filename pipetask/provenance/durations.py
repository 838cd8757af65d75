"""What quanta took in earlier runs."""

from __future__ import annotations

from collections.abc import Iterable

from pipetask.provenance.history import text_of
from pipetask.provenance.known_graph import KnownGraph


def mean_durations(graphs: Iterable[KnownGraph]) -> dict[str, float]:
    """Return the mean time of a successful quantum [s] by task, for tasks that have any.

    Only runs that came to their end count; their histories are read.
    """
    import duckdb

    histories = [known.folder.history(known.graph_id) for known in graphs]
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE told (task VARCHAR, sum_s DOUBLE, count BIGINT)")
        for history in histories:
            if not history.exists():
                continue
            connection.execute(f"ATTACH {text_of(history)} AS history (READ_ONLY)")
            connection.execute(
                "INSERT INTO told SELECT task, sum(elapsed_s), count(elapsed_s) "
                "FROM history.attempt WHERE outcome = 'succeeded' GROUP BY task"
            )
            connection.execute("DETACH history")
        rows = connection.execute(
            "SELECT task, sum(sum_s) / sum(count) FROM told GROUP BY task HAVING sum(count) > 0"
        ).fetchall()
    return dict(rows)
