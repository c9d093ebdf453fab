"""``seatrial reject``."""

from __future__ import annotations

import click

from seatrial.cli._decision import decide, reason_option
from seatrial.cli._options import json_option, not_empty


@click.command(epilog="Example: seatrial reject 01M842 --reason 'too few rows of new carriers'")
@click.argument("identity", metavar="ID", callback=not_empty)
@reason_option
@json_option
def reject(identity: str, reason: str, *, as_json: bool) -> None:
    """Say no to a question of `seatrial reviews`: a run that waits for it ends."""
    decide("reject", identity, reason, as_json=as_json)
