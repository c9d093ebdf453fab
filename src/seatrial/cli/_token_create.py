"""``seatrial token create``."""

from __future__ import annotations

from dataclasses import asdict

import click

from seatrial.cli._options import actor, json_option, minute, print_json, project


@click.command(epilog="Example: seatrial token create anna --role operator --days 90")
@click.argument("name")
@click.option(
    "--role",
    type=click.Choice(["viewer", "operator"]),
    required=True,
    help="A viewer looks; an operator also decides, labels and moves versions.",
)
@click.option("--days", type=int, help="How long it is valid; without, until it is revoked.")
@json_option
def create(name: str, role: str, days: int | None, *, as_json: bool) -> None:
    """Make a token, which is shown once; NAME stands in the history beside what it does."""
    from seatrial.registry import tokens

    ledger = project().ledger
    made, text = tokens.create(ledger, name, tokens.Role(role), actor(), days)
    if as_json:
        print_json({**asdict(made), "token": text})
        return
    until = "until it is revoked" if made.expires is None else f"until {minute(made.expires)} UTC"
    click.echo(text)
    click.echo(
        f"that is the token of {made.name} ({made.role}), valid {until}; keep it now: it is not"
        " shown again",
        err=True,
    )
    click.echo(f"to end it: seatrial token revoke {made.id}", err=True)
