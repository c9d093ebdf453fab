"""``seatrial cancel``."""

from __future__ import annotations

import click

from seatrial.cli._options import actor, json_option, not_empty, print_json, project


@click.command(epilog="Example: seatrial cancel 01M842")
@click.argument("run", callback=not_empty)
@json_option
def cancel(run: str, *, as_json: bool) -> None:
    """End a run that has not ended; production stays as it is."""
    from seatrial.ledger import runs

    opened = project()
    found = runs.get(opened.ledger, run)
    runs.cancel(opened.ledger, found.id, actor())
    if as_json:
        print_json({"run": found.id, "state": "finished"})
    else:
        click.echo(f"run {found.id} is cancelled")
