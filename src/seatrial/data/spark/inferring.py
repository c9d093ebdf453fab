"""Which types do the texts of CSV files have? Told by every row.

The forms and the rule are those of ``data/sources/text_types.py``;
here they are counted by Spark, in one job.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.data.sources.text_types import Counts
from seatrial.data.spark.expressions import literal, named

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyspark.sql import DataFrame, SparkSession

_BATCH = 100
"""So many columns are asked for in one query."""

_VIEW = "seatrial_texts"

_DIGITS = "[0-9]+(_[0-9]+)*"
_NUMBER = rf"[+-]?({_DIGITS}[.]?({_DIGITS})?|[.]{_DIGITS})([eE][+-]?{_DIGITS})?"
_INFINITE = "(?i)[+-]?inf(inity)?"
_NAN = "(?i)[+-]?nan"
_WHOLE = " *-?(0|[1-9][0-9]*) *"
_CODE = " *([+-]?0[0-9].*|[+].*|.*_.*)"
_DECIMAL = "[^_]*[.einEIN][^_]*"
_DAY = "[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}"
_TIME = _DAY + r"([T ][0-9]{1,2}:[0-9]{2}(:[0-9]{2}([.][0-9]+)?)?Z?)?"
_EDGES = literal(r"^\s+|\s+$")
_TRUE, _FALSE = ("true", "t", "yes", "y", "1"), ("false", "f", "no", "n", "0")


def typed(session: SparkSession, frame: DataFrame) -> DataFrame:
    """A frame of texts becomes what all of each column's texts are; an empty one is missing."""
    present = frame.selectExpr(*(f"nullif({named(n)}, '') AS {named(n)}" for n in frame.columns))
    present.createOrReplaceTempView(_VIEW)
    types: list[str] = []
    for start in range(0, len(frame.columns), _BATCH):
        types += _types(session, frame.columns[start : start + _BATCH])
    return present.selectExpr(
        *(
            f"{_made(named(n), kind)} AS {named(n)}"
            for n, kind in zip(frame.columns, types, strict=True)
        )
    )


def _types(session: SparkSession, names: Sequence[str]) -> list[str]:
    asked = [count for name in names for count in _counts(named(name))]
    counts = session.sql(f"SELECT {', '.join(asked)} FROM {_VIEW}").collect()[0]  # noqa: S608 - ours
    width = len(asked) // len(names)
    return [Counts(*counts[i : i + width]).type for i in range(0, len(counts), width)]


def _counts(text: str) -> tuple[str, ...]:
    """One expression for each field of :class:`~seatrial.data.sources.text_types.Counts`."""

    def fits(kind: str) -> str:
        return f"{_made(text, kind)} IS NOT NULL"

    return (
        f"count({text})",
        f"count_if({text} NOT IN ('0', '1') AND {fits('BOOLEAN')})",
        f"count_if({_like(text, _WHOLE)} AND {fits('BIGINT')})",
        f"count_if({fits('DOUBLE')})",
        f"count_if({_like(text, _CODE)})",
        f"count_if({_like(text, _DECIMAL)} AND {fits('DOUBLE')})",
        f"count_if({_like(text, _DAY)} AND {fits('DATE')})",
        f"count_if({_like(text, _TIME)} AND {fits('TIMESTAMP')})",
    )


def _made(text: str, kind: str) -> str:
    """A text as a value of duckdb's type ``kind``; NULL when it is none."""
    if kind == "BOOLEAN":
        words = [", ".join(map(literal, some)) for some in (_TRUE, _FALSE)]
        low = f"lower({text})"
        return (
            f"CASE WHEN {low} IN ({words[0]}) THEN TRUE WHEN {low} IN ({words[1]}) THEN FALSE END"
        )
    bare = f"regexp_replace({text}, {_EDGES}, '')"
    if kind == "BIGINT":
        return f"try_cast({bare} AS BIGINT)"
    if kind == "DOUBLE":
        return (
            f"CASE WHEN {_like(bare, _NUMBER)} THEN try_cast(replace({bare}, '_', '') AS DOUBLE) "
            f"WHEN {_like(bare, _INFINITE)} THEN try_cast({bare} AS DOUBLE) "
            f"WHEN {_like(bare, _NAN)} THEN CAST('NaN' AS DOUBLE) END"
        )
    if kind == "DATE":
        return f"try_cast({text} AS DATE)"
    if kind == "TIMESTAMP":
        return f"try_cast(trim(translate({text}, 'TZ', '  ')) AS TIMESTAMP_NTZ)"
    return text


def _like(text: str, pattern: str) -> str:
    """Whether the whole of a text has a form. ``.`` is any character, a line break too."""
    whole = literal(rf"(?s)^(?:{pattern})\z")
    return f"{text} RLIKE {whole}"
