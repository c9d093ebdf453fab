"""Were evaluation rows observed before the end of training, so that the model knew their future?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from seatrial.data.column import quoted
from seatrial.data.leakage.alike import as_moment
from seatrial.errors import FormError, Mistake, nearest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from seatrial.data.table import Table

EXAMPLES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Early:
    """So many evaluation ``rows``, ``of`` those with a time, are not after ``newest``.

    That is the newest time of training, as text. ``examples`` are rows, counted from 1, and
    their times.
    """

    rows: int
    of: int
    newest: str
    examples: tuple[tuple[int, str], ...]


def early_rows(training: Table, evaluation: Table) -> Early | None:
    """Evaluation rows at or before the newest training row; ``None`` unless both declare ``time``.

    Rows without a time (or an infinite one) are left out. Raises FormError when a declared column
    is missing or holds no times, or when one side has times and the other numbers.
    """
    sides = [(training, training.dataset.time), (evaluation, evaluation.dataset.time)]
    if any(name is None for _, name in sides):
        return None
    mistakes = [*_mistakes([(table, str(name)) for table, name in sides])]
    if mistakes:
        raise FormError(*mistakes)
    (_, ours), (_, theirs) = sides
    newest, shown = _newest(training, str(ours))
    moment, text = _moment(evaluation, str(theirs))
    asked = f"count(*) FILTER ({moment} <= ?), count({moment})"
    rows, of = evaluation.sql(f"SELECT {asked} FROM rows", newest)[0]  # noqa: S608
    numbered = f"SELECT row_number() OVER () AS n, {moment} AS m, {text} AS t FROM rows"  # noqa: S608
    examples = evaluation.sql(
        f"SELECT n, t FROM ({numbered}) WHERE m <= ? ORDER BY n LIMIT {EXAMPLES}",  # noqa: S608
        newest,
    )
    return Early(rows=rows, of=of, newest=shown, examples=tuple(examples))


def _newest(table: Table, name: str) -> tuple[float, str]:
    moment, text = _moment(table, name)
    newest, shown = table.sql(f"SELECT max({moment}), arg_max({text}, {moment}) FROM rows")[0]  # noqa: S608
    return newest, shown


def _moment(table: Table, name: str) -> tuple[str, str]:
    """The time as a number that has an order, and as text."""
    return as_moment(table[name]) or "NULL", f"CAST({quoted(name)} AS VARCHAR)"


def _mistakes(sides: list[tuple[Table, str]]) -> Iterator[Mistake]:
    known = True
    for table, name in sides:
        place = table.dataset.place
        about = f"dataset {table.dataset.name!r}: the time {name!r}"
        if name not in table:
            known = False
            near = nearest(name, [column.name for column in table.columns])
            what = f"dataset {table.dataset.name!r} has no column {name!r}, its declared time"
            yield Mistake(what, where=place, nearest=near, fix="correct `time:` under `datasets:`")
        elif as_moment(table[name]) is None:
            known = False
            what = f"{about} is of type {table[name].type[:40]}, which has no order in time"
            yield Mistake(what, where=place, fix="write dates such as 2026-03-01, or numbers")
        elif not table.sql(f"SELECT count({_moment(table, name)[0]}) FROM rows")[0][0]:  # noqa: S608
            yield Mistake(f"{about} has no value in any row", where=place, fix="fill it in")
    kinds = [table[name].kind for table, name in sides] if known else []
    if len(set(kinds)) > 1:
        (ours, one), (theirs, other) = sides
        yield Mistake(
            f"the time {other!r} of {theirs.dataset.name!r} is a {kinds[1]}, {one!r} of"
            f" {ours.dataset.name!r} is a {kinds[0]}: they cannot be compared",
            where=theirs.dataset.place,
            fix="write both as dates, or both as numbers",
        )
