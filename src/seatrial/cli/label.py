"""``seatrial label``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from seatrial.cli._options import json_option, not_empty, print_json, project
from seatrial.errors import nearest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from seatrial.registry.project import Project
    from seatrial.review.labelling import Label, Sheet

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
    from seatrial.review import items, label_document, label_file, labelling, person
    from seatrial.review.deadlines import tend
    from seatrial.watch import by_labels

    opened = project()
    tend(opened.ledger, opened.workspace.clock())
    sheet = labelling.open_sheet(opened, items.get(opened.ledger, identity))
    if file is not None:
        labels = label_file.read(file, sheet)
        sheet = labelling.record(opened, sheet, labels, person.name())
    elif not as_json:
        sheet = _ask(opened, sheet)
    follows = by_labels.conclude(opened, sheet) if sheet.so_far.done else []
    if as_json:
        shown = label_document.features(opened, sheet)
        print_json(label_document.document(sheet, follows, shown))
    else:
        for line in (*label_document.known(sheet), *follows):
            click.echo(line)
    return 0 if as_json and file is None and not sheet.so_far.done else _exit_code(sheet)


def _ask(opened: Project, sheet: Sheet) -> Sheet:
    """Row after row, until it is settled, nothing is left, or the person has had enough."""
    from seatrial.review import labelling, person
    from seatrial.review.label_document import features, progress

    if not sheet.waiting:
        return sheet
    asked = features(opened, sheet)
    click.echo(sheet.item.asked.question)
    click.echo("What is true of each request? What the two versions say of it is not shown.")
    while sheet.waiting:
        place = sheet.waiting[0]
        click.echo(f"\n{progress(sheet)}")
        _show(asked[place])
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


def _exit_code(sheet: Sheet) -> int:
    """As of a run: passed, failed, or still in review."""
    from seatrial.outcome import Verdict

    return {Verdict.PASS: 0, Verdict.FAIL: 1}.get(sheet.so_far.measure.verdict, 3)
