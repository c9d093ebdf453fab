"""``seatrial rollback``."""

from __future__ import annotations

import click

from seatrial.cli._options import actor, json_option, print_json, project
from seatrial.cli._telling import tell_people


@click.command(epilog="Example: seatrial rollback flights --reason 'complaints from the gate'")
@click.argument("model")
@click.argument("version", type=int, required=False)
@click.option("--reason", required=True, help="Why; it stands in the history.")
@json_option
def rollback(model: str, version: int | None, reason: str, *, as_json: bool) -> None:
    """Move production back to VERSION, else to the version before."""
    from seatrial.review.by_hand import ROLLBACK, move_by_hand, to_go_back_to

    opened = project()
    number = to_go_back_to(opened, model, version)
    moved = move_by_hand(opened, model, number, ROLLBACK, reason, by=actor())
    if as_json:
        print_json(moved.document())
    else:
        click.echo(moved.text)
    tell_people(opened.workspace)
