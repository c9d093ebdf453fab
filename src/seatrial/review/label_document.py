"""A sheet of labels as a document, and in sentences: what every view of it is made from."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from seatrial.errors import Mistake, StoreError
from seatrial.review.drawing import features_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import TypeAlias

    from seatrial.registry.project import Project
    from seatrial.review.drawing import Place
    from seatrial.review.labelling import Label, Sheet

    Features: TypeAlias = Mapping[Place, Mapping[str, float | str | None]]


def document(sheet: Sheet, follows: Sequence[str], features: Features) -> dict[str, Any]:
    """What ``label --json`` prints: nothing of it says which version gave which answer.

    ``follows`` is what came of a settled sheet, ``features`` those of the rows that wait.
    """
    said = sheet.so_far
    return {
        "review": sheet.item.id,
        "kind": sheet.item.kind,
        "model": sheet.asked.model,
        "version": sheet.asked.new,
        "against": sheet.asked.old,
        "verdict": said.measure.verdict,
        "reason": said.reason,
        "follows": list(follows),
        "measure": asdict(said.measure),
        "labels": said.labels,
        "alike": said.alike,
        "skipped": said.skipped,
        "more_labels": said.more_labels,
        "classes": list(sheet.asked.classes),
        "rows": [
            {
                "id": place.id,
                "row": place.row,
                "features": features[place],
                "answers": answers(sheet, place),
            }
            for place in sheet.waiting
        ],
    }


def answers(sheet: Sheet, place: Place) -> list[Label | None]:
    """Both answers to a row in the order of the classes, so that nobody sees whose is which.

    None stands last, for an answer that is no class.
    """
    order = {label: number for number, label in enumerate(sheet.asked.classes)}
    found = next(each for each in sheet.rows if each.place == place)
    known = [each for each in (found.served, found.other) if each is not None]
    known.sort(key=lambda label: order.get(label, len(order)))
    return [*known, *[None] * (2 - len(known))]


def features(project: Project, sheet: Sheet, most: int | None = None) -> Features:
    """What was asked in the rows that wait, or in the first ``most`` of them.

    :class:`StoreError` when the log has lost one.
    """
    asked, wanted = sheet.asked, sheet.waiting[:most]
    found = features_of(project.workspace.traffic, asked.model, asked.served, wanted)
    lost = [place for place in wanted if place not in found]
    if lost:
        raise StoreError(
            Mistake(
                f"the traffic log no longer holds request {lost[0].id!r}"
                + (f" and {len(lost) - 1} more" if len(lost) > 1 else ""),
                where=f"item {sheet.item.id}",
                fix="traffic is kept for a time only (serving.keep_days); decide by what is known:"
                f" {sheet.so_far.reason}",
            )
        )
    return found


def progress(sheet: Sheet) -> str:
    """Which row is asked about, and how many labels are likely to settle it."""
    row = len(sheet.rows) - len(sheet.waiting) + 1
    more = sheet.so_far.more_labels
    known = more is not None and more <= len(sheet.waiting)
    forecast = f"about {more} labels settle it" if known else "these may not settle it"
    return f"row {row} of at most {len(sheet.rows)} · {forecast}"


def known(sheet: Sheet) -> list[str]:
    """What is known now, in a sentence each, and what is left to do."""
    lines = so_far(sheet)
    if sheet.so_far.done:
        return lines
    identity = sheet.item.id
    if sheet.waiting:
        return [*lines, f"nothing is lost; go on with: seatrial label {identity}"]
    more = f"nothing is left to be labelled; more requests, or: seatrial reviews {identity}"
    return [*lines, more]


def so_far(sheet: Sheet) -> list[str]:
    """What is known now, in a sentence each."""
    said, asked = sheet.so_far, sheet.asked
    if said.done:
        return [f"{said.measure.verdict}: {sheet.why}"]
    nothing = (
        f"no request without a label that version {asked.served} answered since"
        f" {asked.since:%Y-%m-%d %H:%M} UTC is in the traffic log"
    )
    drawn = sheet.rows or said.requests
    lines = [f"not settled: {said.reason}" if drawn else nothing]
    if sheet.incomplete:
        lines.append(f"{sheet.incomplete} requests were left out: a column was not logged")
    if sheet.idle:
        first = sheet.waiting[0]
        count = f"{sheet.idle} label{' does' if sheet.idle == 1 else 's do'}"
        lines.append(
            f"{count} not count yet: request {first.id!r} (row {first.row}) stands before, and who"
            " picks what is labelled picks the verdict"
        )
    return lines
