"""``seatrial promote``."""

from __future__ import annotations

import click

from seatrial.cli._options import actor, json_option, print_json, project
from seatrial.cli._telling import tell_people


@click.command(epilog="Example: seatrial promote flights 3 --reason 'agreed with operations'")
@click.argument("model")
@click.argument("version", type=int, required=False)
@click.option("--reason", required=True, help="Why; it stands in the history.")
@click.option("--lift-quarantine", is_flag=True, help="Even though it was rolled back by itself.")
@json_option
def promote(
    model: str, version: int | None, reason: str, *, lift_quarantine: bool, as_json: bool
) -> None:
    """Move production by hand to VERSION, else to what is staged."""
    from seatrial.review.by_hand import PROMOTE, move_by_hand, to_promote

    opened = project()
    number = to_promote(opened, model, version)
    moved = move_by_hand(opened, model, number, PROMOTE, reason, by=actor(), lift=lift_quarantine)
    if as_json:
        print_json(moved.document())
    else:
        click.echo(moved.text)
    tell_people(opened.workspace)
