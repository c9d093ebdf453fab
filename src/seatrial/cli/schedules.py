"""``seatrial schedules``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from seatrial.cli._options import json_option, minute, print_json, print_table, project

if TYPE_CHECKING:
    from collections.abc import Mapping

COUNT = 5


@click.command(epilog="Example: seatrial schedules")
@json_option
def schedules(*, as_json: bool) -> None:
    """Show when `seatrial serve` starts which pipeline, and what became of the last times."""
    from seatrial.serve.timetable import timetable

    found = timetable(project(), COUNT)
    for complaint in found.broken.values():
        click.echo(complaint, err=True)
    if as_json:
        print_json(found.scheduled)
        return
    if not found.scheduled:
        click.echo('no pipeline here has a schedule; write such as schedule: "0 2 * * *"')
    for each in found.scheduled:
        _show(each)


def _show(told: Mapping[str, Any]) -> None:
    click.echo(
        f"{told['pipeline']}: {told['schedule']} in {told['timezone']};"
        f" overlap: {told['overlap']}, catch_up: {told['catch_up']}"
    )
    print_table(
        (f"next ({told['timezone']})", "UTC"),
        [(minute(at["local"]), minute(at["utc"])) for at in told["next"]],
    )
    if told["last"]:
        print_table(
            ("last (UTC)", "state", "run", "reason"),
            [(minute(f["time"]), f["state"], f["run"], f["reason"] or "") for f in told["last"]],
        )
