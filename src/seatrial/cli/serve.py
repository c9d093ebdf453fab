"""``seatrial serve``."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

import click

from seatrial.cli._options import json_option, print_json, project

if TYPE_CHECKING:
    from seatrial.serve.switch import Commit


@click.command(epilog="Example: seatrial serve --port 8080")
@click.option("--host", default="127.0.0.1", show_default=True, help="Where to listen.")
@click.option("--port", default=8080, show_default=True, type=click.IntRange(0, 65535))
@click.option(
    "--workers",
    type=click.IntRange(1, 256),
    help="Gateway workers; the default is one less than there are cores, at least one.",
)
@click.option("--control-host", default="127.0.0.1", show_default=True, help="Of the web page.")
@click.option(
    "--control-port",
    type=click.IntRange(0, 65535),
    help="Of the web page; the default is 8081, or any free one if that is taken.",
)
@click.option(
    "--control-host-name",
    "names",
    multiple=True,
    metavar="NAME[:PORT]",
    help="A name under which browsers reach the page, through a proxy for instance.",
)
@click.option(
    "--control-url",
    metavar="URL",
    help="What links to the page begin with, where that is not its host and port.",
)
@click.option("--no-control", is_flag=True, help="Serve no web page.")
@click.option(
    "--no-schedules", is_flag=True, help="Start nothing by itself: another engine has the schedule."
)
@json_option
def serve(  # noqa: PLR0913 - one parameter an option
    host: str,
    port: int,
    workers: int | None,
    control_host: str,
    control_port: int | None,
    names: tuple[str, ...],
    control_url: str | None,
    *,
    no_control: bool,
    no_schedules: bool,
    as_json: bool,
) -> None:
    """Answer requests with what is in production; shadow, switch, log, keep the schedules.

    Also serves the web page, on a port of its own.
    """
    from seatrial.serve.control import Control
    from seatrial.serve.supervisor import Supervisor

    cores = len(os.sched_getaffinity(0))
    supervisor: Supervisor

    def told(commit: Commit) -> None:
        url = f"{supervisor.address}/v2/models/{commit.model}/infer"
        before = "" if commit.before is None else f" (before: {commit.before})"
        if not as_json:
            with _nobody_may_read():
                click.echo(f"{commit.model} version {commit.version} serves at {url}{before}")

    count = workers or max(1, cores - 1)
    control = None
    if not no_control:
        control = Control(host=control_host, port=control_port, names=names, url=control_url)
    supervisor = Supervisor(
        project(), host, port, count, told, schedules=not no_schedules, control=control
    )
    address = supervisor.address
    if as_json:
        print_json(
            {
                "gateway": supervisor.identity,
                "address": address,
                "control": supervisor.control_address,
                "pid": os.getpid(),
            }
        )
    else:
        click.echo(f"listening on {address} with {count} worker{'s' * (count > 1)}; Ctrl-C ends it")
        if supervisor.control_address is not None:
            with _nobody_may_read():
                click.echo(f"the web page is at {supervisor.link or supervisor.control_address}")
    supervisor.run()


def _nobody_may_read() -> contextlib.suppress:
    """Whoever listened may have gone: that is no reason to stop serving."""
    return contextlib.suppress(OSError)
