"""``seatrial token list``."""

from __future__ import annotations

from dataclasses import asdict

import click

from seatrial.cli._options import json_option, minute, print_json, print_table, project

HEADS = ("id", "name", "role", "state", "created", "by", "expires", "last used")


@click.command(name="list", epilog="Example: seatrial token list")
@json_option
def list_(*, as_json: bool) -> None:
    """Every token that was made, without what it is; when it was last used, to the hour."""
    from seatrial.registry import tokens

    ledger = project().ledger
    now, found = ledger.clock(), tokens.known(ledger)
    if as_json:
        print_json([{**asdict(token), "state": token.state(now)} for token in found])
    elif not found:
        click.echo("there is no token; `seatrial token create NAME --role operator` makes one")
    else:
        print_table(
            HEADS,
            [
                (
                    *(token.id, token.name, token.role, token.state(now)),
                    *(minute(token.created), token.by),
                    *(at and minute(at) for at in (token.expires, token.last_used)),
                )
                for token in found
            ],
        )
