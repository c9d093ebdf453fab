"""``seatrial label``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from seatrial.cli._options import json_option, not_empty, print_json, project
from seatrial.errors import Mistake, StoreError, nearest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from seatrial.registry.project import Project
    from seatrial.review.drawing import Place
    from seatrial.review.labelling import Label, Sheet

    Features = Mapping[Place, Mapping[str, float | str | None]]

SKIP, QUIT = "s", "q"


@click.command(epilog="Example: seatrial label 01M842")
@click.argument("identity", metavar="ID", callback=not_empty)
@click.option(
    "--labels",
    "file",
    type=click.Path(path_type=Path),
    metavar="FILE.csv",
    help="Take the labels from a file (id,row,label).",
)
@json_option
def label(identity: str, file: Path | None, *, as_json: bool) -> int:
    """Settle a question of `seatrial reviews` by labels: only where the two versions differ.

    Shows one logged request after the other and asks for its class. With --json it prints them
    instead; --labels takes the answers from a file.
    """
    from seatrial.review import items, label_file, labelling, person
    from seatrial.review.deadlines import tend

    opened = project()
    tend(opened.ledger, opened.workspace.clock())
    sheet = labelling.open_sheet(opened, items.get(opened.ledger, identity))
    if file is not None:
        labels = label_file.read(file, sheet)
        sheet = labelling.record(opened, sheet, labels, person.name())
    elif not as_json:
        sheet = _ask(opened, sheet)
    follows = _conclude(opened, sheet) if sheet.so_far.done else []
    if as_json:
        print_json(_document(sheet, follows, _features(opened, sheet)))
    else:
        for line in (*_known(sheet), *follows):
            click.echo(line)
    return 0 if as_json and file is None and not sheet.so_far.done else _exit_code(sheet)


def _ask(opened: Project, sheet: Sheet) -> Sheet:
    """Row after row, until it is settled, nothing is left, or the person has had enough."""
    from seatrial.review import labelling, person

    if not sheet.waiting:
        return sheet
    features = _features(opened, sheet)
    click.echo(sheet.item.asked.question)
    click.echo("What is true of each request? What the two versions say of it is not shown.")
    while sheet.waiting:
        place = sheet.waiting[0]
        click.echo(f"\n{_progress(sheet)}")
        _show(features[place])
        try:
            said = _answer(sheet.asked.classes)
        except click.Abort:  # Ctrl-C, or the end of input
            said = QUIT
        if said == QUIT:
            break
        chosen = None if said == SKIP else _chosen(said, sheet.asked.classes)
        sheet = labelling.record(opened, sheet, {place: chosen}, person.name())
    click.echo()
    return sheet


def _features(opened: Project, sheet: Sheet) -> Features:
    """What was asked in the rows that wait; :class:`StoreError` when the log has lost one."""
    from seatrial.review.drawing import features_of

    asked = sheet.asked
    found = features_of(opened.workspace.traffic, asked.model, asked.served, sheet.waiting)
    lost = [place for place in sheet.waiting if place not in found]
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


def _progress(sheet: Sheet) -> str:
    row = len(sheet.rows) - len(sheet.waiting) + 1
    more = sheet.so_far.more_labels
    known = more is not None and more <= len(sheet.waiting)
    forecast = f"about {more} labels settle it" if known else "these may not settle it"
    return f"row {row} of at most {len(sheet.rows)} · {forecast}"


def _show(features: Mapping[str, float | str | None]) -> None:
    width = max(map(len, features), default=0)
    for name, value in features.items():
        shown = "-" if value is None else f"{value:g}" if isinstance(value, float) else value
        click.echo(f"  {name.ljust(width)}  {shown}")


def _answer(classes: Sequence[Label]) -> str:
    """What the person typed, once it can be understood."""
    choices = [
        f"{number} {each}" if _numbered(classes) else str(each)
        for number, each in enumerate(classes, start=1)
    ]
    click.echo(" · ".join([*choices, f"{SKIP} skip, cannot be judged", f"{QUIT} quit"]))
    while True:
        said = str(click.prompt("label", prompt_suffix=": ")).strip()
        if said in {SKIP, QUIT} or _chosen(said, classes) is not None:
            return said
        near = nearest(said, map(str, classes))
        click.echo(f"{said!r} is none of these" + (f"; nearest: {near}" if near else ""))


def _chosen(said: str, classes: Sequence[Label]) -> Label | None:
    """The class that a person means, by word or by number."""
    from seatrial.review.label_file import class_of

    if _numbered(classes) and said.isdecimal() and 1 <= int(said) <= len(classes):
        return classes[int(said) - 1]
    return class_of(said, classes)


def _numbered(classes: Sequence[Label]) -> bool:
    """Whether a number may stand for a class: not where classes are numbers themselves."""
    return not any(str(each).lstrip("-").isdecimal() for each in classes)


def _conclude(opened: Project, sheet: Sheet) -> list[str]:
    """Do what the verdict means; what followed from it."""
    from seatrial.outcome import Verdict
    from seatrial.review import labelling
    from seatrial.review.label_questions import OF_A_WATCH

    failed = sheet.so_far.measure.verdict is Verdict.FAIL
    of_a_watch = sheet.item.kind in OF_A_WATCH
    # first the rollback, which closes the question: killed in between, it is asked for again
    followed = _roll_back(opened, sheet) if failed and of_a_watch else ""
    labelling.conclude(opened, sheet)
    if of_a_watch:
        return [followed or f"version {sheet.asked.new} stays"]
    word = "ends" if failed else "goes on"
    run = sheet.item.asked.run
    return [f"run {run} {word} under `seatrial serve`, or with the command that began it"]


def _roll_back(opened: Project, sheet: Sheet) -> str:
    """Back to the version before, unless what forbids it to a watch forbids it here."""
    from seatrial.registry import watches
    from seatrial.registry.registry import PRODUCTION
    from seatrial.watch.act import act, brakes_of
    from seatrial.watch.decide import harmed

    model, version = sheet.asked.model, sheet.asked.new
    watch = watches.latest(opened.ledger, model, version)
    assert watch is not None
    serving = opened.registry.channel(model, PRODUCTION)
    if serving is None or serving.version != version:
        return f"version {version} is not in production any more"
    action = harmed(version, sheet.why, "labels", brakes_of(opened, model))
    done = act(opened, watch, action, sheet.evidence())
    if done is None or done.to is None:
        return "production was not moved: `seatrial reviews` and `seatrial history` say why"
    return f"production went back from version {version} to version {done.to}"


def _known(sheet: Sheet) -> list[str]:
    """What is known now, in a sentence, and what is left to do."""
    said, identity = sheet.so_far, sheet.item.id
    if said.done:
        return [f"{said.measure.verdict}: {sheet.why}"]
    asked = sheet.asked
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
    if sheet.waiting:
        lines.append(f"nothing is lost; go on with: seatrial label {identity}")
    else:
        lines.append(
            f"nothing is left to be labelled; more requests, or: seatrial reviews {identity}"
        )
    return lines


def _document(sheet: Sheet, follows: Sequence[str], features: Features) -> dict[str, Any]:
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
            {"id": place.id, "row": place.row, "features": features[place]}
            for place in sheet.waiting
        ],
    }


def _exit_code(sheet: Sheet) -> int:
    """As of a run: passed, failed, or still in review."""
    from seatrial.outcome import Verdict

    return {Verdict.PASS: 0, Verdict.FAIL: 1}.get(sheet.so_far.measure.verdict, 3)
