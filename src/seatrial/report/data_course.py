"""How the data of a model went from run to run: what its checks saw, what its versions learned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import msgspec
import sqlalchemy as sa

from seatrial.errors import StoreError
from seatrial.ledger import paths, runs
from seatrial.ledger.tables import STEP
from seatrial.report._number import as_given, number
from seatrial.report.charts.course import Line, course
from seatrial.report.charts.spark import spark
from seatrial.report.headline import minute
from seatrial.report.section import Badge, Code, Link, Note, Section, Spark, Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from seatrial.ledger.runs import Run
    from seatrial.registry.project import Project
    from seatrial.registry.registry import Version
    from seatrial.report.section import Cell, Part

RUNS = 20
"""So many runs are looked back at."""

VERSIONS = 20
COLUMNS = 50
"""So many columns of a dataset have a row, those that moved farthest first."""

_DIGITS = 12
"""So much of a fingerprint tells it from others."""

_CHECK = "check_distribution"
_RANKS = ("fail", "inconclusive")


class _Counted(msgspec.Struct, frozen=True):
    rows: int
    nulls: int = 0
    nans: int = 0

    @property
    def missing_percent(self) -> float | None:
        return 100 * (self.nulls + self.nans) / self.rows if self.rows else None


class _Column(msgspec.Struct, frozen=True):
    column: str
    slice: dict[str, Any] | None
    value: float | None
    limit: float | None
    verdict: str
    current: _Counted

    @property
    def reach(self) -> float | None:
        """How far it moved, in parts of what it may."""
        return self.value / self.limit if self.value is not None and self.limit else None


class _Distribution(msgspec.Struct, frozen=True):
    """What is read of the document that ``data/drift/document.py`` describes."""

    format: Literal["seatrial.distribution"]
    version: Literal[1]
    dataset: str
    rows: int
    verdict: str
    columns: tuple[_Column, ...]
    fingerprint: str = ""

    @property
    def whole(self) -> list[_Column]:
        """Columns over all rows, without those of slices."""
        return [each for each in self.columns if each.slice is None]


@dataclass(frozen=True, slots=True)
class _Look:
    """One check of a run."""

    run: Run
    address: str
    found: _Distribution


def checked(project: Project, model: str) -> Iterator[Section]:
    """A section for each dataset that checks of its newest runs compared with a reference."""
    looks, gone = _looks(project, runs.of_model(project.ledger, model, RUNS))
    datasets: dict[str, list[_Look]] = {}
    for look in looks:
        datasets.setdefault(look.found.dataset, []).append(look)
    for place, (name, of) in enumerate(sorted(datasets.items()), 1):
        parts = tuple(_dataset(of))
        yield Section(anchor=f"dataset-{place}", title=f"{name}, run by run", parts=parts)
    if gone:
        said = f"{gone} older check{'s' * (gone != 1)} cannot be shown any more: what they kept"
        note = Note(f"{said} is gone, or of another release.", gone=True)
        yield Section(anchor="gone", title="Not shown", parts=(note,))


def document(project: Project, model: str) -> dict[str, Any]:
    """The same checks as values, oldest first; ``gone`` counts those that cannot be read."""
    looks, gone = _looks(project, runs.of_model(project.ledger, model, RUNS))
    return {"checks": [_told(look) for look in looks], "gone": gone}


def trained_on(project: Project, model: str) -> Section:
    """What each of its newest versions learned from."""
    versions = project.registry.versions(model)[::-1]
    table = Table(
        heads=("version", "created (UTC)", "dataset", "rows", "fingerprint", "features", "run"),
        rows=tuple(_trained(project, each) for each in versions[:VERSIONS]),
        numbers=frozenset({0, 3, 5}),
        caption="What its versions were trained on, newest first",
        left_out=max(0, len(versions) - VERSIONS),
    )
    return Section(anchor="training", title="Training data", parts=(table,))


def _looks(project: Project, found: Sequence[Run]) -> tuple[list[_Look], int]:
    """What the checks of these runs kept, oldest first, and how many cannot be read."""
    known = {run.id: run for run in found}
    query = (
        sa.select(STEP.c.run, STEP.c.address, STEP.c.outcome)
        .where(STEP.c.run.in_([*known]), STEP.c.address.contains(_CHECK, autoescape=True))
        .order_by(STEP.c.run, STEP.c.position)
    )
    with project.ledger.read() as connection:
        rows = connection.execute(query).all()
    looks: list[_Look] = []
    gone = 0
    for row in rows:
        outcome = runs.decoded(row.outcome)
        digest = None if outcome is None else outcome.blobs.get("distribution")
        if digest is None:
            continue
        try:
            content = project.registry.blobs.get(digest, f"{row.address} of run {row.run}")
            kept = msgspec.json.decode(content, type=_Distribution)
        except (StoreError, msgspec.DecodeError):
            gone += 1
        else:
            looks.append(_Look(known[row.run], row.address, kept))
    return sorted(looks, key=lambda look: (look.run.started, look.run.id)), gone


def _told(look: _Look) -> dict[str, Any]:
    found = look.found
    return {
        "dataset": found.dataset,
        "run": look.run.id,
        "step": look.address,
        "started": look.run.started,
        "rows": found.rows,
        "verdict": found.verdict,
        "fingerprint": found.fingerprint,
        "columns": [
            {
                "name": each.column,
                "value": each.value,
                "limit": each.limit,
                "verdict": each.verdict,
                "missing_percent": each.current.missing_percent,
            }
            for each in found.whole
        ],
    }


def _dataset(looks: Sequence[_Look]) -> Iterator[Part]:
    """How many rows, how much was missing, what moved; then column by column."""
    times = [look.run.started for look in looks]
    if len(looks) > 1:
        rows = Line(name="rows", values=[float(look.found.rows) for look in looks])
        yield course("Rows", "rows", times, [rows])
    yield Table(
        heads=("run", "began (UTC)", "rows", "missing values", "moved", "says", "fingerprint"),
        rows=tuple(map(_run, reversed(looks))),
        numbers=frozenset({2, 3, 4}),
        caption="What each run saw, newest first",
    )
    newest = {each.column: each for each in looks[-1].found.whole}
    ranked = sorted(newest.values(), key=_order)
    courses = {name: _course(looks, name) for name in [each.column for each in ranked[:COLUMNS]]}
    yield Table(
        heads=(
            "column",
            "moved by",
            "limit",
            "stands",
            "over the runs",
            "missing",
            "over the runs",
        ),
        rows=tuple(_column(each, courses[each.column]) for each in ranked[:COLUMNS]),
        numbers=frozenset({1, 2, 5}),
        caption="Its columns in the newest run, those that moved farthest first",
        left_out=max(0, len(ranked) - COLUMNS),
    )


def _order(column: _Column) -> tuple[int, float]:
    rank = _RANKS.index(column.verdict) if column.verdict in _RANKS else len(_RANKS)
    return rank, -(column.reach or 0.0)


def _course(looks: Sequence[_Look], name: str) -> list[_Column | None]:
    """The column in each run; None where that run had no such column."""
    return [next((c for c in look.found.whole if c.column == name), None) for look in looks]


def _run(look: _Look) -> tuple[Cell, ...]:
    found, columns = look.found, look.found.whole
    shares = [share for each in columns if (share := each.current.missing_percent) is not None]
    moved = sum(each.verdict == "fail" for each in columns)
    return (
        Link(look.run.id, f"{paths.of_run(look.run.id)}#distribution"),
        minute(look.run.started),
        str(found.rows),
        f"{number(sum(shares) / len(shares))} %" if shares else "-",
        f"{moved} of {len(columns)}",
        Badge(found.verdict),
        _short(found.fingerprint),
    )


def _column(column: _Column, went: Sequence[_Column | None]) -> tuple[Cell, ...]:
    missing = column.current.missing_percent
    return (
        column.column,
        number(column.value, column.limit),
        "-" if column.limit is None else as_given(column.limit, column.value),
        Badge(column.verdict),
        _spark([each.value if each else None for each in went], f"how far {column.column} moved"),
        "-" if missing is None else f"{number(missing)} %",
        _spark(
            [each.current.missing_percent if each else None for each in went],
            f"how much of {column.column} was missing",
        ),
    )


def _spark(values: Sequence[float | None], said: str) -> Spark:
    """From what to what, in words; the line as a picture."""
    known = [value for value in values if value is not None]
    ends = f", from {number(known[0])} to {number(known[-1])}" if known else ""
    return Spark(f"{said}{ends}", spark(values, f"{said}{ends}"))


def _trained(project: Project, version: Version) -> tuple[Cell, ...]:
    run: Cell = Link(version.run, paths.of_run(version.run)) if version.run else ""
    begin = (str(version.version), minute(version.created))
    try:
        told = project.registry.manifest(version).get("training")
    except StoreError:
        return (*begin, "its manifest is gone", "", "", "", run)
    training: dict[str, Any] = told if isinstance(told, dict) else {}
    rows, features = training.get("rows"), training.get("features")
    return (
        *begin,
        str(training.get("dataset") or "-"),
        "-" if rows is None else str(rows),
        _short(str(training.get("fingerprint") or "")),
        str(len(features)) if isinstance(features, list) else "-",
        run,
    )


def _short(fingerprint: str) -> Cell:
    return Code(fingerprint.removeprefix("sha256:")[:_DIGITS]) if fingerprint else "-"
