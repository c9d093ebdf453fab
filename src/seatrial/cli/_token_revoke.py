"""``seatrial token revoke``."""

from __future__ import annotations

from dataclasses import asdict

import click

from seatrial.cli._options import actor, json_option, not_empty, print_json, project


@click.command(epilog="Example: seatrial token revoke k3vq7m2a")
@click.argument("identity", metavar="ID", callback=not_empty)
@json_option
def revoke(identity: str, *, as_json: bool) -> None:
    """End a token, and every session of a browser that was begun with it, at once."""
    from seatrial.registry import tokens

    ended = tokens.revoke(project().ledger, identity, actor())
    if as_json:
        print_json(asdict(ended))
    else:
        click.echo(f"the token {ended.id} of {ended.name} ({ended.role}) is revoked")
