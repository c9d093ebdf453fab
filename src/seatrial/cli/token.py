"""``seatrial token``."""

from __future__ import annotations

import click

from seatrial.cli._nearest import Nearest
from seatrial.cli._token_create import create
from seatrial.cli._token_list import list_
from seatrial.cli._token_revoke import revoke


@click.group(cls=Nearest, epilog="Example: seatrial token create anna --role operator")
def token() -> None:
    """Who may look at the web page, and who may change things there."""


for _command in (create, list_, revoke):
    token.add_command(_command)
