"""``seatrial promote``."""

from __future__ import annotations

import click

from seatrial.cli._moves import move_by_hand, production_of
from seatrial.cli._options import json_option, print_json, project
from seatrial.cli._telling import tell_people
from seatrial.errors import Mistake, UsageError


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
    opened = project()
    production_of(opened, model)
    if version is None:
        staged = opened.registry.channel(model, "staging")
        if staged is None:
            raise UsageError(Mistake(f"nothing of {model} is staged", fix="name a version"))
        version = staged.version
    said = move_by_hand(opened, model, version, "promote", reason, lift=lift_quarantine)
    if as_json:
        print_json({"model": model, "version": version, "said": said})
    else:
        click.echo(said)
    tell_people(opened.workspace)
