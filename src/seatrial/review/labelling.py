"""What do people's labels say of two versions, where their answers to live requests differ?

The requests are drawn once and noted in the ledger; so is every label, by whom, in a transaction
of its own. Whoever goes on, and whenever, goes on from there.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeAlias

import sqlalchemy as sa

from seatrial.errors import Mistake, UsageError
from seatrial.evidence.labelling import Settled, settle
from seatrial.ledger import claims, runs
from seatrial.ledger.store import canonical
from seatrial.ledger.tables import EVENT, STEP
from seatrial.outcome import Finding, Outcome, Verdict
from seatrial.registry.opened import opened
from seatrial.review import items
from seatrial.review.drawing import Differing, Drawn, Place, draw
from seatrial.review.items import Status
from seatrial.review.label_questions import (
    ANSWERED,
    METRIC,
    OF_A_WATCH,
    Asked,
    gone,
    question_of,
)
from seatrial.review.run_decisions import GATE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from seatrial.ledger.store import Transaction
    from seatrial.registry.project import Project
    from seatrial.review.items import Item

Label: TypeAlias = "int | str"


@dataclass(frozen=True, slots=True)
class Given:
    """What a person said of a row: its label, or None when it cannot be judged."""

    label: Label | None
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """The rows that wait for labels or have got them, and what the labels say so far.

    ``alike`` is that of :func:`seatrial.evidence.labelling.settle`. ``given`` holds labels by
    place. ``incomplete`` requests were left out: a column was not logged.
    """

    item: Item
    asked: Asked
    rows: tuple[Differing, ...]
    alike: tuple[int, ...]
    given: Mapping[Place, Given]
    incomplete: int
    so_far: Settled

    @property
    def waiting(self) -> tuple[Place, ...]:
        """The rows without a label, in order; none once the labels have settled it."""
        if self.so_far.done:
            return ()
        return tuple(each.place for each in self.rows if each.place not in self.given)

    @property
    def idle(self) -> int:
        """Labels that do not count yet, because a row before them waits for its own."""
        if self.so_far.done:
            return 0
        return len(self.given) - self.so_far.labels - self.so_far.skipped

    @property
    def people(self) -> tuple[str, ...]:
        """Who gave the labels."""
        return tuple(sorted({each.by for each in self.given.values()}))

    @property
    def why(self) -> str:
        """What the labels of whom say, in one sentence."""
        if not self.people:
            return f"no label was needed: {self.so_far.reason}"
        who = " and ".join(self.people)
        return f"labels of {self.so_far.labels} requests by {who}: {self.so_far.reason}"

    def evidence(self) -> dict[str, Any]:
        """Everything that the verdict is drawn from, so that it can be drawn again."""
        counted = self.rows[: self.so_far.labels + self.so_far.skipped]
        return {
            "review": self.item.id,
            "kind": self.item.kind,
            "model": self.asked.model,
            "version": self.asked.new,
            "against": self.asked.old,
            "rule": asdict(self.asked.rule),
            "trail": self.so_far.trail.to_json(),
            "log_e": dict(self.so_far.log_e),
            "measure": asdict(self.so_far.measure),
            "reason": self.so_far.reason,
            "alike": self.so_far.alike,
            "skipped": self.so_far.skipped,
            "rows": [
                {
                    "id": each.place.id,
                    "row": each.place.row,
                    "label": self.given[each.place].label,
                    "by": self.given[each.place].by,
                    "served": each.served,
                    "other": each.other,
                }
                for each in counted
            ],
        }


def open_sheet(project: Project, item: Item) -> Sheet:
    """The sheet of an item as it stands; requests are drawn when none is left to be labelled.

    :class:`UsageError` when labels cannot answer it; StoreError when the log does not hold what
    the other version reads.
    """
    asked = question_of(project, item)
    sheet = _read(project, item, asked)
    if sheet.so_far.done or sheet.waiting or not _draw(project, sheet):
        return sheet
    return _read(project, item, asked)


def look(project: Project, item: Item) -> Sheet:
    """The sheet of an item as it stands; nothing is drawn, so it may have no rows yet.

    :class:`UsageError` when labels cannot answer it.
    """
    return _read(project, item, question_of(project, item))


def record(project: Project, sheet: Sheet, labels: Mapping[Place, Label | None], by: str) -> Sheet:
    """Note labels, all or none; the sheet with them. Of two labels for one row the first counts.

    :class:`UsageError` when the item has left the queue meanwhile, and when the author of the run
    labels under ``four_eyes``.
    """
    identity, asked = sheet.item.id, sheet.item.asked
    if asked.four_eyes and by == asked.by:
        raise UsageError(_own(sheet.item, by))

    def change(transaction: Transaction) -> None:
        item = items.fetch(transaction.connection, identity)
        if item.status is not Status.OPEN:
            raise UsageError(gone(item))
        known = _given(transaction.connection, identity)
        for place, label in labels.items():
            if place not in known:
                body = {"review": identity, **place._asdict(), "label": label, "by": by}
                transaction.append("review_labelled", body)

    project.ledger.write(change)
    return _read(project, sheet.item, sheet.asked)


def conclude(project: Project, sheet: Sheet) -> Item:
    """Close the item by what the labels have settled; a step that waits has then its verdict.

    Done again, or when the item was closed with what follows from the labels, it changes nothing.
    :class:`UsageError` when the step is being asked again at this moment.
    """
    if not sheet.so_far.done:
        raise ValueError("the labels have not settled it")
    kept = project.registry.blobs.put(canonical(sheet.evidence()).encode())

    def change(transaction: Transaction) -> Item:
        item = items.fetch(transaction.connection, sheet.item.id)
        if item.status is not Status.OPEN:
            return item
        told = {"verdict": sheet.so_far.measure.verdict, "reason": sheet.why, "evidence": kept}
        transaction.append("review_settled", {"review": item.id, **told})
        if item.kind == GATE:
            _settle_step(transaction, sheet, kept)
        # asked about the same watch again, the answer that people gave stands
        status = Status.LABELLED if item.kind in OF_A_WATCH else Status.RESOLVED
        items.close(transaction, item.kind, item.subject, sheet.why, status)
        return items.fetch(transaction.connection, item.id)

    return project.ledger.write(change)


def settled(project: Project, item: Item) -> Mapping[str, Any] | None:
    """The :meth:`Sheet.evidence` by which labels have settled an item; ``None`` if none have.

    Of each row it has what the two versions had said under their names there, ``version`` and
    ``against``. StoreError when the blob is gone or damaged.
    """
    with project.ledger.read() as connection:
        told = _bodies(connection, "review_settled", item.id)
    if not told:
        return None
    kept: Mapping[str, Any] = json.loads(
        project.registry.blobs.get(told[-1]["evidence"], f"item {item.id}")
    )
    return {**kept, "rows": [_counted(kept["kind"], row) for row in kept["rows"]]}


def _counted(kind: str, row: Mapping[str, Any]) -> dict[str, Any]:
    """What was answered live was of a shadow test the old version's, else the new one's."""
    new, old = ("other", "served") if kind == GATE else ("served", "other")
    same = {key: row[key] for key in ("id", "row", "label", "by")}
    return {**same, "version": row[new], "against": row[old]}


def _draw(project: Project, sheet: Sheet) -> bool:
    """Draw from the requests since the last time, and note them; whether there were any."""
    asked, ledger = sheet.asked, project.ledger
    noted = _drawings(project, sheet.item)
    since = datetime.fromisoformat(noted[-1]["until"]) if noted else asked.since
    until = min(asked.until or ledger.clock(), ledger.clock())
    if since >= until:
        return False
    number = asked.other
    version = project.registry.version(asked.model, number)
    other = opened(project.registry, version)
    drawn = draw(
        project.workspace.traffic, asked.model, asked.served, other, since, until, sheet.item.id
    )
    if not drawn.requests:
        return False

    def change(transaction: Transaction) -> None:
        # another process may have been quicker: then its rows count
        if _bodies(transaction.connection, "review_drawn", sheet.item.id) == noted:
            body = {"since": since.isoformat(), "until": until.isoformat(), **_noted(drawn)}
            transaction.append("review_drawn", {"review": sheet.item.id, **body})

    ledger.write(change)
    return True


def _noted(drawn: Drawn) -> dict[str, Any]:
    rows = [[*each.place, each.served, each.other, each.alike] for each in drawn.differing]
    return {"differing": rows, "alike_after": drawn.alike_after, "incomplete": drawn.incomplete}


def _read(project: Project, item: Item, asked: Asked) -> Sheet:
    """The sheet that the events amount to."""
    rows: list[Differing] = []
    alike, incomplete = 0, 0
    for drawn in _drawings(project, item):
        for identity, row, time_us, served, other, before in drawn["differing"]:
            place = Place(identity, row, time_us)
            rows.append(Differing(place, served, other, alike + before))
            alike = 0
        alike += drawn["alike_after"]
        incomplete += drawn["incomplete"]
    with project.ledger.read() as connection:
        given = _given(connection, item.id)
    before_each = (*(each.alike for each in rows), alike)
    d = _differences(asked, rows, given)
    return Sheet(
        item=item,
        asked=asked,
        rows=tuple(rows),
        alike=before_each,
        given=given,
        incomplete=incomplete,
        so_far=settle(f"degradation.{METRIC}", before_each, d, asked.rule),
    )


def _differences(
    asked: Asked, rows: Sequence[Differing], given: Mapping[Place, Given]
) -> list[int | None]:
    """What the labels say up to the first row that waits for its own."""
    found: list[int | None] = []
    for each in rows:
        if each.place not in given:
            break
        label = given[each.place].label
        if label is None:
            found.append(None)
            continue
        served_wrong, other_wrong = each.served != label, each.other != label
        worse = served_wrong - other_wrong
        found.append(worse if asked.served == asked.new else -worse)
    return found


def _given(connection: sa.Connection, identity: str) -> dict[Place, Given]:
    """The labels of an item; the first for each row."""
    found: dict[Place, Given] = {}
    for body in _bodies(connection, "review_labelled", identity):
        place = Place(body["id"], body["row"], body["time_us"])
        found.setdefault(place, Given(body["label"], body["by"]))
    return found


def _drawings(project: Project, item: Item) -> list[Any]:
    with project.ledger.read() as connection:
        return _bodies(connection, "review_drawn", item.id)


def _bodies(connection: sa.Connection, kind: str, identity: str) -> list[Any]:
    """Events of a kind about an item, oldest first."""
    query = sa.select(EVENT.c.body).where(EVENT.c.kind == kind).order_by(EVENT.c.seq)
    bodies = map(json.loads, connection.execute(query).scalars())
    return [body for body in bodies if body["review"] == identity]


def _settle_step(transaction: Transaction, sheet: Sheet, kept: str) -> None:
    """The step's verdict is that of the labels; its run goes on with it, or ends by it."""
    run, step = sheet.item.asked.run, sheet.item.asked.step
    assert run is not None
    assert step is not None
    runs.demand_open(transaction.connection, run)
    outcomes = _outcomes(transaction.connection, run)
    outcome = outcomes.get(step)
    told: Any = sheet.item.asked.evidence["blobs"]
    if outcome is None or outcome.blobs != told or not _unsure(outcome):
        raise UsageError(_asked_again(sheet.item))
    by = " and ".join(sheet.people) or None
    claims.settle(transaction, run, step, _judged(outcome, sheet, kept), by)
    if not any(_unsure(said) for address, said in outcomes.items() if address != step):
        runs.pause(transaction, run, runs.State.WAITING)


def _judged(outcome: Outcome, sheet: Sheet, kept: str) -> Outcome:
    """What was measured stays; what only labels could say is said now."""
    measure = sheet.so_far.measure
    others = [each for each in outcome.measures if each.name != measure.name]
    judged = [
        replace(each, verdict=Verdict.SKIP) if each.name in ANSWERED and _unsure(each) else each
        for each in others
    ]
    found = Finding(what=sheet.why, where=str(sheet.item.asked.step), hint=f"item {sheet.item.id}")
    return replace(
        outcome,
        verdict=measure.verdict,
        reason=f"{sheet.why}; was: {outcome.reason}",
        measures=(*judged, measure),
        findings=(found,),
        blobs={**outcome.blobs, "labels": kept},
    )


def _outcomes(connection: sa.Connection, run: str) -> dict[str, Outcome]:
    rows = connection.execute(sa.select(STEP.c.address, STEP.c.outcome).where(STEP.c.run == run))
    said = {row.address: runs.decoded(row.outcome) for row in rows}
    return {address: outcome for address, outcome in said.items() if outcome is not None}


def _unsure(said: Any) -> bool:
    return bool(said.verdict is Verdict.INCONCLUSIVE)


def _asked_again(item: Item) -> Mistake:
    return Mistake(
        f"{item.asked.step} is being asked again: the labels were for what it said before",
        where=f"run {item.asked.run}",
        fix=f"look again once it has answered: seatrial reviews {item.id}",
    )


def _own(item: Item, by: str) -> Mistake:
    return Mistake(
        f"{by} began run {item.asked.run} and cannot label for it: review.four_eyes is true",
        where=f"item {item.id}",
        fix=f"somebody else labels: seatrial label {item.id}",
    )
