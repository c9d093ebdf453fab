"""How many predictions have got their label, and how long did that take?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import duckdb

from seatrial.errors import Mistake, StoreError
from seatrial.traffic import files
from seatrial.traffic.rolling import table_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

LOOKS = 5
"""How often to begin anew when files are rolled or removed while they are read."""

_PARTS = 1_000_000
"""Ids are hashed into so many parts, of which a sample takes some."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """Counts of rows. ``labelled`` predictions have a label; ``unknown`` labels have no prediction.

    ``repeated`` counts labels that came for a prediction after its first. Delays are from the
    answer to its first label; None without labels. ``share_percent`` of the ids were looked at,
    and counts are made up to the whole.
    """

    predictions: int
    labelled: int
    unknown: int
    repeated: int
    median_delay_s: float | None
    p90_delay_s: float | None
    share_percent: float = 100.0


def coverage(
    traffic: Path,
    model: str,
    since: datetime | None = None,
    until: datetime | None = None,
    *,
    at_most: int | None = None,
    threads: int | None = None,
) -> Coverage:
    """The coverage of predictions of ``[since, until)`` by labels that came since ``since``.

    A label of an earlier prediction is not unknown, as long as that prediction is kept. When there
    are more than ``at_most`` predictions, a sample of the ids bounds memory. Raises StoreError
    when a file is damaged.
    """
    last: Exception | None = None
    for _ in range(LOOKS):
        try:
            return _coverage(traffic, model, (since, until), at_most, threads)
        except (duckdb.Error, FileNotFoundError) as error:
            last = error
    raise StoreError(
        Mistake(
            f"the traffic log cannot be read: {str(last)[:200]}",
            where=str(traffic / model),
            fix="remove the file that is damaged: nothing but its own rows is lost",
        )
    ) from last


def _coverage(
    traffic: Path,
    model: str,
    window: tuple[datetime | None, datetime | None],
    at_most: int | None,
    threads: int | None,
) -> Coverage:
    folders = [files.version_folder(traffic, model, v) for v in files.versions(traffic, model)]
    with duckdb.connect(":memory:") as connection:
        if threads is not None:
            connection.execute(f"SET threads = {threads:d}")
        _view(connection, "predictions", folders)
        _view(connection, "labels", [files.labels_folder(traffic, model)])
        share = _set_window(connection, window, at_most)
        connection.execute(_MATCH)
        asked, labelled, told, median_s, p90_s = _one(connection, _COUNT)
        unknown = told - labelled
        if unknown:
            unknown -= _one(connection, _EARLIER)[0]
        asked += _further(connection, "asked", "predictions", _WITHIN)
        repeated = _further(connection, "told", "labels", _SINCE)
    return Coverage(
        predictions=round(asked * 100 / share),
        labelled=round(labelled * 100 / share),
        unknown=round(unknown * 100 / share),
        repeated=round(repeated * 100 / share),
        median_delay_s=median_s,
        p90_delay_s=p90_s,
        share_percent=share,
    )


def _view(connection: Any, name: str, folders: Sequence[Path]) -> None:
    """The keys in these folders as one relation."""
    listed = [file for folder in folders for file in files.listed(folder)]
    whole = [str(file) for file in listed if file.suffix == files.PARQUET]
    parts = [_NO_KEYS]
    if whole:
        quoted = ", ".join("'" + path.replace("'", "''") + "'" for path in whole)
        parts.append(f'SELECT id, "row", "time" FROM read_parquet([{quoted}])')  # noqa: S608
    for number, file in enumerate(file for file in listed if file.suffix == files.STREAM):
        table = table_of(file)
        if table is not None:
            connection.register(f"{name}_{number}", table.select(["id", "row", "time"]))
            parts.append(f'SELECT id, "row", "time" FROM {name}_{number}')  # noqa: S608
    connection.execute(f"CREATE VIEW {name} AS {' UNION ALL '.join(parts)}")


def _set_window(
    connection: Any, window: tuple[datetime | None, datetime | None], at_most: int | None
) -> float:
    """Sets since, until and parts, of which a row's hash must be less; the share in percent."""
    since, until = window
    connection.execute("SET VARIABLE since = coalesce(?::TIMESTAMPTZ, '-infinity')", [since])
    connection.execute("SET VARIABLE until = coalesce(?::TIMESTAMPTZ, 'infinity')", [until])
    parts = _PARTS
    if at_most is not None:
        (rows,) = _one(connection, f"SELECT count(*) FROM predictions WHERE {_WITHIN}")  # noqa: S608
        parts = max(1, min(_PARTS, _PARTS * at_most // max(rows, 1)))
    connection.execute("SET VARIABLE parts = ?", [parts])
    return 100 * parts / _PARTS


def _further(connection: Any, grouped: str, relation: str, window: str) -> int:
    """Rows of a relation beyond the first of their id and row; what was written twice is one."""
    # Looked at more closely only where there are several: seldom, and this takes as long again.
    several = f'SELECT id, "row" FROM {grouped} WHERE times > 1'  # noqa: S608
    (groups,) = _one(connection, f"SELECT count(*) FROM ({several})")  # noqa: S608
    if not groups:
        return 0
    rows = f'SELECT DISTINCT id, "row", "time" FROM {relation} WHERE {window}'  # noqa: S608
    counted = f'SELECT count(*) FROM ({rows}) SEMI JOIN ({several}) USING (id, "row")'  # noqa: S608
    return int(_one(connection, counted)[0]) - int(groups)


def _one(connection: Any, query: str) -> tuple[Any, ...]:
    found: tuple[Any, ...] = connection.execute(query).fetchone()
    return found


_NO_KEYS = (
    'SELECT NULL::VARCHAR AS id, NULL::INTEGER AS "row", NULL::TIMESTAMPTZ AS "time" WHERE false'
)
_SINCE = "\"time\" >= getvariable('since')"
_WITHIN = f"{_SINCE} AND \"time\" < getvariable('until')"
_SAMPLED = f"hash(id) % {_PARTS} < getvariable('parts')"

_MATCH = f"""
CREATE TEMP TABLE asked AS
    SELECT id, "row", count(*) AS times, max("time") AS "time"
    FROM predictions WHERE {_WITHIN} AND {_SAMPLED} GROUP BY id, "row";
CREATE TEMP TABLE told AS
    SELECT id, "row", count(*) AS times, min("time") AS "time"
    FROM labels WHERE {_SINCE} AND {_SAMPLED} GROUP BY id, "row";
"""  # noqa: S608

_COUNT = """
WITH delays AS (
    SELECT epoch_us(told."time") - epoch_us(asked."time") AS delay
    FROM told JOIN asked USING (id, "row")
), quantiles AS (
    SELECT count(*) AS labelled, quantile_cont(delay, [0.5, 0.9]) AS delays FROM delays
)
SELECT
    (SELECT count(*) FROM asked),
    labelled,
    (SELECT count(*) FROM told),
    delays[1] / 1e6,
    delays[2] / 1e6
FROM quantiles
"""

_EARLIER = """
WITH unmatched AS (SELECT id, "row" FROM told ANTI JOIN asked USING (id, "row"))
SELECT count(*) FROM unmatched SEMI JOIN predictions USING (id, "row")
"""
