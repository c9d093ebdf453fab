"""``seatrial schedules``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from seatrial.cli._options import json_option, minute, print_json, print_table, project

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from seatrial.ledger.firings import Firing
    from seatrial.pipeline import Pipeline

COUNT = 5


@click.command(epilog="Example: seatrial schedules")
@json_option
def schedules(*, as_json: bool) -> None:
    """Show when `seatrial serve` starts which pipeline, and what became of the last times."""
    from seatrial.ledger import firings
    from seatrial.pipeline.times import next_times
    from seatrial.serve.pipelines import pipelines_of

    opened = project()
    found = pipelines_of(opened.workspace.folder)
    now = opened.workspace.clock()
    told = [
        _told(
            pipeline,
            next_times(pipeline.schedule, pipeline.timezone, now, COUNT),
            firings.latest(opened.ledger, pipeline.name, COUNT),
        )
        for pipeline in found.pipelines.values()
        if pipeline.schedule is not None
    ]
    for complaint in found.broken.values():
        click.echo(complaint, err=True)
    if as_json:
        print_json(told)
        return
    if not told:
        click.echo('no pipeline here has a schedule; write such as schedule: "0 2 * * *"')
    for each in told:
        _show(each)


def _told(pipeline: Pipeline, times: Sequence[datetime], last: Sequence[Firing]) -> dict[str, Any]:
    from zoneinfo import ZoneInfo

    zone = ZoneInfo(pipeline.timezone)
    return {
        "pipeline": pipeline.name,
        "file": pipeline.file,
        "schedule": pipeline.schedule,
        "timezone": pipeline.timezone,
        "overlap": pipeline.overlap,
        "catch_up": pipeline.catch_up,
        "next": [{"local": at.astimezone(zone).isoformat(), "utc": at.isoformat()} for at in times],
        "last": [
            {"time": f.time.isoformat(), "state": f.state, "run": f.run, "reason": f.reason}
            for f in last
        ],
    }


def _show(told: dict[str, Any]) -> None:
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
