"""Slices of the evaluation rows: the words of the file, what they demand, what was found."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from seatrial.errors import FileError, Mistake
from seatrial.outcome import Finding, Measure, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from seatrial.evaluation.labelled import Labelled
    from seatrial.evaluation.slices.declared import Slice
    from seatrial.evaluation.slices.judged import OnSlice
    from seatrial.evaluation.slices.partition import Partition
    from seatrial.evaluation.slices.search import Worst
    from seatrial.metrics import Predictions
    from seatrial.tasks import Context, Scope

End = float | str | None
Value = str | int | float | bool | tuple[End, End] | None
Word = str | dict[str, tuple[Value, ...]]
"""What one entry of ``slices:`` may be."""


@dataclass(frozen=True, slots=True)
class Sliced:
    """Measures and findings of the slices, a clause about them, and the document as a blob."""

    measures: tuple[Measure, ...]
    findings: tuple[Finding, ...]
    said: str
    blob: str


def check_slices(scope: Scope, words: Sequence[Word]) -> Iterator[Mistake]:
    """Mistakes in ``slices:`` that can be told without the rows."""
    from seatrial.evaluation.slices.declared import misstated  # noqa: PLC0415 - needs numpy

    for number, word in enumerate(words):
        for what in misstated([word]):
            where = str(scope.entry.where("slices", number))
            yield Mistake(what, where, fix="write as in `slices: [origin, {month: [6, 7]}]`")


def sliced(
    context: Context,
    words: Sequence[Word],
    rows: Labelled,
    answers: Predictions,
    *,
    other: Predictions | None,
    limit: float | None,
    search: bool,
) -> Sliced:
    """The metric of ``rows`` on each slice that the words mean, and on the worst that is found.

    ``other`` is what production answers. FileError for a column that is not there, or a value
    that it cannot hold.
    """
    from seatrial.evaluation.slices import document, judged, told  # noqa: PLC0415 - for the judging
    from seatrial.evaluation.slices.search import worst  # noqa: PLC0415

    seed, table = context.scope.pipeline.seed, context.table(rows.dataset)
    on = judged.on_slices(
        rows, answers, _named(context, words, rows.dataset), limit, seed=seed, other=other
    )
    found = worst(rows, answers, _partitions(context, rows), limit, seed=seed) if search else None
    kept = document.document(rows, table.fingerprint, limit, on, found)
    measures = [each.measure for each in on]
    measures += [each.degradation for each in on if each.degradation is not None]
    return Sliced(
        measures=(*measures, *([found.measure] if found else [])),
        findings=tuple(told.findings(rows.dataset, rows.rows, on, found)),
        said=_said(rows, on, found, limit),
        blob=context.blobs.put(document.written(kept)),
    )


def _named(context: Context, words: Sequence[Word], dataset: str) -> tuple[Slice, ...]:
    from seatrial.evaluation.slices import columns, declared  # noqa: PLC0415 - for the judging

    table, where = context.table(dataset), str(context.scope.entry.where("slices"))
    names = declared.columns_of(words)
    unfit = [replace(mistake, where=where) for mistake in columns.unfit(table, names)]
    if unfit:
        raise FileError(*unfit)
    return declared.slices(words, columns.from_table(table, names), where=where)


def _partitions(context: Context, rows: Labelled) -> list[Partition]:
    """Of each feature, as the model reads it."""
    from seatrial.evaluation.slices import columns, partition  # noqa: PLC0415 - for the judging

    table = context.table(rows.dataset)
    booleans = [name for name in rows.features if table[name].kind == "boolean"]
    found = columns.from_features(rows.features, booleans)
    return [partition.divided(column) for column in found.values()]


def _said(rows: Labelled, on: Sequence[OnSlice], found: Worst | None, limit: float | None) -> str:
    """What the slices say, in a clause or two; empty when there are none."""
    from seatrial.evaluation.slices import told  # noqa: PLC0415 - for the judging

    said = []
    worst_first = told.ranked(on)
    if worst_first:
        first = worst_first[0]
        many = f"worst of {len(worst_first)} slices" if len(worst_first) > 1 else "the slice"
        said.append(f"{many}, {first.slice.name}: {told.numbers(first.measure)}")
    if found is None:
        return "; ".join(said)
    if found.measure.verdict is Verdict.FAIL:
        return "; ".join(said)  # what fails is said with the verdict
    if found.beyond_chance:
        said.append(f"worse than the rest beyond chance: {found.slice.name}")
    elif limit is not None:
        said.append(
            f"none of {found.searched} slices searched is certainly"
            f" {'below' if rows.metric.greater_is_better else 'above'} {limit:g}"
        )
    return "; ".join(said)
