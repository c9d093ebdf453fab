"""Deciding on an item at the keyboard: what `approve` and `reject` share."""

from __future__ import annotations

import click

from seatrial.cli._options import actor, print_json, project
from seatrial.cli._telling import tell_people

reason_option = click.option("--reason", required=True, help="Why; it stands in the history.")


def decide(choice: str, identity: str, reason: str, *, as_json: bool) -> None:
    """Decide, and say what follows."""
    from seatrial.review import items
    from seatrial.review.deadlines import tend
    from seatrial.review.document import document
    from seatrial.review.follows import follows

    opened = project()
    tend(opened.ledger, opened.workspace.clock())
    item = items.decide(opened.ledger, identity, choice, actor(), reason)
    if as_json:
        print_json(document(item))
    else:
        click.echo(f"{item.subject}: {item.settled}")
        for line in follows(opened.ledger, item):
            click.echo(line)
    tell_people(opened.workspace)
