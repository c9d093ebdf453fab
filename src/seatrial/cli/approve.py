"""``seatrial approve``."""

from __future__ import annotations

import click

from seatrial.cli._decision import decide, reason_option
from seatrial.cli._options import json_option, not_empty


@click.command(epilog="Example: seatrial approve 01M842 --reason 'checked 30 rows by hand'")
@click.argument("identity", metavar="ID", callback=not_empty)
@reason_option
@json_option
def approve(identity: str, reason: str, *, as_json: bool) -> None:
    """Say yes to a question of `seatrial reviews`: a run that waits for it goes on."""
    decide("approve", identity, reason, as_json=as_json)
