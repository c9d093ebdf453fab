"""What follows when the labels of people have settled a question."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.outcome import Verdict
from seatrial.registry import watches
from seatrial.registry.registry import PRODUCTION
from seatrial.review import labelling
from seatrial.review.label_questions import OF_A_WATCH
from seatrial.watch.act import act, brakes_of
from seatrial.watch.decide import harmed

if TYPE_CHECKING:
    from seatrial.registry.project import Project
    from seatrial.review.labelling import Sheet


def conclude(project: Project, sheet: Sheet) -> list[str]:
    """Do what the verdict of a settled sheet means; what followed from it, in a sentence each.

    Done again, it changes nothing.
    """
    failed = sheet.so_far.measure.verdict is Verdict.FAIL
    of_a_watch = sheet.item.kind in OF_A_WATCH
    # first the rollback, which closes the question: killed in between, it is asked for again
    followed = _roll_back(project, sheet) if failed and of_a_watch else ""
    labelling.conclude(project, sheet)
    if of_a_watch:
        return [followed or f"version {sheet.asked.new} stays"]
    word = "ends" if failed else "goes on"
    run = sheet.item.asked.run
    return [f"run {run} {word} under `seatrial serve`, or with the command that began it"]


def _roll_back(project: Project, sheet: Sheet) -> str:
    """Back to the version before, unless what forbids it to a watch forbids it here."""
    model, version = sheet.asked.model, sheet.asked.new
    watch = watches.latest(project.ledger, model, version)
    assert watch is not None
    serving = project.registry.channel(model, PRODUCTION)
    if serving is None or serving.version != version:
        return f"version {version} is not in production any more"
    action = harmed(version, sheet.why, "labels", brakes_of(project, model))
    done = act(project, watch, action, sheet.evidence())
    if done is None or done.to is None:
        return "production was not moved: `seatrial reviews` and `seatrial history` say why"
    return f"production went back from version {version} to version {done.to}"
