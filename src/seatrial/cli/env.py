"""``seatrial env``."""

from __future__ import annotations

import click

from seatrial.cli._env_capture import capture
from seatrial.cli._env_compare import compare
from seatrial.cli._env_verify import verify
from seatrial.cli._nearest import Nearest


@click.group(cls=Nearest, epilog="Example: seatrial env verify flights_late@production")
def env() -> None:
    """What a machine answers with: capture it, compare it, prove a model on it."""


for _command in (capture, compare, verify):
    env.add_command(_command)
