"""``seatrial rollback``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from seatrial.cli._options import actor, json_option, print_json, project
from seatrial.cli._telling import tell_people

if TYPE_CHECKING:
    from seatrial.report.about_model import Term


@click.command(epilog="Example: seatrial rollback flights --reason 'complaints from the gate'")
@click.argument("model")
@click.argument("version", type=int, required=False)
@click.option("--reason", required=True, help="Why; it stands in the history.")
@json_option
def rollback(model: str, version: int | None, reason: str, *, as_json: bool) -> None:
    """Move production back to VERSION, else to the version before."""
    from seatrial.report.about_model import rolled_back, terms_of
    from seatrial.review.by_hand import ROLLBACK, move_by_hand, to_go_back_to

    opened = project()
    number = to_go_back_to(opened, model, version)
    ended = rolled_back(terms_of(opened, model), number)
    moved = move_by_hand(opened, model, number, ROLLBACK, reason, by=actor())
    if as_json:
        print_json(moved.document())
    else:
        click.echo(moved.text)
        _note(ended)
    tell_people(opened.workspace)


def _note(ended: Term | None) -> None:
    """What the version that came back had left production for, where that was a rollback."""
    if ended is not None:
        from seatrial.environment.printable import printable
        from seatrial.review.items import minute

        when = minute(ended.at)
        click.echo(
            f"note: it was itself rolled back on {when} UTC by {printable(ended.by)}:"
            f" {printable(ended.reason)}",
            err=True,
        )
