"""``seatrial rollback``."""

from __future__ import annotations

import click

from seatrial.cli._moves import move_by_hand, production_of
from seatrial.cli._options import json_option, print_json, project
from seatrial.cli._telling import tell_people
from seatrial.errors import Mistake, UsageError


@click.command(epilog="Example: seatrial rollback flights --reason 'complaints from the gate'")
@click.argument("model")
@click.argument("version", type=int, required=False)
@click.option("--reason", required=True, help="Why; it stands in the history.")
@json_option
def rollback(model: str, version: int | None, reason: str, *, as_json: bool) -> None:
    """Move production back to VERSION, else to the version before."""
    opened = project()
    production_of(opened, model)
    if version is None:
        version = opened.registry.previous(model)
        if version is None:
            raise UsageError(Mistake(f"{model} has no earlier production version to go back to"))
    elif version not in {move["version"] for move in opened.registry.history(model)}:
        raise UsageError(
            Mistake(
                f"version {version} of {model} was never in production",
                fix=f"to deliver it: seatrial promote {model} {version} --reason …",
            )
        )
    said = move_by_hand(opened, model, version, "rollback", reason)
    if as_json:
        print_json({"model": model, "version": version, "said": said})
    else:
        click.echo(said)
    tell_people(opened.workspace)
