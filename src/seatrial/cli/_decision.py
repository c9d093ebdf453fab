"""Deciding on an item at the keyboard: what `approve` and `reject` share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from seatrial.cli._options import print_json, project
from seatrial.cli._telling import tell_people

if TYPE_CHECKING:
    from seatrial.ledger.store import Ledger

reason_option = click.option("--reason", required=True, help="Why; it stands in the history.")


def decide(choice: str, identity: str, reason: str, *, as_json: bool) -> None:
    """Decide, and say what follows."""
    from seatrial.review import items, person
    from seatrial.review.deadlines import tend
    from seatrial.review.document import document, hasty
    from seatrial.review.effects import EFFECTS

    opened = project()
    tend(opened.ledger, opened.workspace.clock())
    item = items.decide(opened.ledger, identity, choice, person.name(), reason)
    if as_json:
        print_json(document(item))
    else:
        click.echo(f"{item.subject}: {item.settled}")
        if hasty(item):
            click.echo("note: that took less than 10 s, which the list of decisions will show")
        if item.asked.run is not None:
            click.echo(_of_the_run(opened.ledger, item.asked.run))
        elif item.kind not in EFFECTS:
            click.echo(
                "that is kept and told, and moves nothing; to go back to the version before:"
                f" seatrial rollback {item.asked.model} --reason '…'"
            )
    tell_people(opened.workspace)


def _of_the_run(ledger: Ledger, run: str) -> str:
    from seatrial.ledger import runs

    found = runs.get(ledger, run)
    if found.ended:
        return f"run {run} has ended: production stays as it is"
    if found.state is runs.State.REVIEW:
        return f"run {run} waits for another answer: seatrial reviews"
    if found.engine != "embedded":
        return f"run {run} goes on when {found.engine} runs that step again"
    return f"run {run} goes on under `seatrial serve`, or with the command that began it"
