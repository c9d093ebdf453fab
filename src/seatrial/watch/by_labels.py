"""What follows when the labels of people have settled a question."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.ledger import runs
from seatrial.outcome import Verdict
from seatrial.registry import watches
from seatrial.registry.registry import PRODUCTION
from seatrial.review import labelling
from seatrial.review.label_questions import OF_A_WATCH
from seatrial.watch.act import act, brakes_of
from seatrial.watch.decide import harmed

if TYPE_CHECKING:
    from seatrial.registry.project import Project
    from seatrial.registry.registry import Channel
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
        return [followed or _stands(project, sheet)]
    run = sheet.item.asked.run
    if run is not None and runs.get(project.ledger, run).ended is not None:
        return [f"run {run} has ended already"]
    word = "ends" if failed else "goes on"
    return [f"run {run} {word} under `seatrial serve`, or with the command that began it"]


def _stands(project: Project, sheet: Sheet) -> str:
    """What the labels had nothing against stays, unless production was moved meanwhile."""
    version = sheet.asked.new
    serving = project.registry.channel(sheet.asked.model, PRODUCTION)
    if serving is not None and serving.version == version:
        return f"version {version} stays"
    return _moved(version, serving)


def _moved(version: int, serving: Channel | None) -> str:
    other = "" if serving is None else f": version {serving.version} is"
    return f"version {version} is not in production any more{other}"


def _roll_back(project: Project, sheet: Sheet) -> str:
    """Back to the version before, unless what forbids it to a watch forbids it here."""
    model, version = sheet.asked.model, sheet.asked.new
    watch = watches.latest(project.ledger, model, version)
    assert watch is not None
    serving = project.registry.channel(model, PRODUCTION)
    if serving is None or serving.version != version:
        return _moved(version, serving)
    action = harmed(version, sheet.why, "labels", brakes_of(project, model))
    done = act(project, watch, action, sheet.evidence())
    if done is None or done.to is None:
        return "production was not moved: `seatrial reviews` and `seatrial history` say why"
    return f"production went back from version {version} to version {done.to}"
