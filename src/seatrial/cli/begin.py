"""``seatrial begin``."""

from __future__ import annotations

import shlex
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from seatrial import workspace
from seatrial.cli._options import file_argument, json_option, print_json, set_option
from seatrial.cli._progress import narrator
from seatrial.errors import Mistake, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from seatrial.pipeline import Pipeline


def _time(_context: click.Context, _parameter: click.Parameter, text: str | None) -> object:
    if text is None:
        return None
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(
            Mistake(f"{text!r} is no time", where="--scheduled", fix="write 2026-11-26T02:00:00Z")
        ) from None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


@click.command(epilog="Example: seatrial begin pipeline.yaml --engine airflow --once RUN_ID --json")
@file_argument
@set_option
@click.option("--engine", required=True, help="Who performs the steps: airflow, prefect, …")
@click.option("--once", help="The engine's own run: asked again, the same run is meant.")
@click.option("--scheduled", metavar="TIME", callback=_time, help="The scheduled time it is for.")
@click.option("--adopt", is_flag=True, help="Go on with an equal run that waits.")
@click.option(
    "--exported",
    metavar="'DIGEST [FILE]'",
    default="",
    help="What the exported file was made from, and where it is.",
)
@json_option
def begin(
    file: Path,
    changes: tuple[str, ...],
    *,
    engine: str,
    once: str | None,
    scheduled: datetime | None,
    adopt: bool,
    exported: str,
    as_json: bool,
) -> int:
    """Begin a run for an engine that performs its steps one by one."""
    from seatrial import plan as plans
    from seatrial.engines import Work
    from seatrial.engines._for_engine import begin_for_engine
    from seatrial.ledger.overlaps import Asked
    from seatrial.pipeline.read import read_file
    from seatrial.registry.project import open_project

    pipeline = read_file(file, changes)
    where = workspace.of_file(file)
    plan = plans.make(pipeline, where.folder)
    _demand_current(pipeline, engine, exported)
    opened = open_project(where)
    click.get_current_context().call_on_close(opened.ledger.close)
    asked = Asked(policy=pipeline.overlap, engine=engine, once=once, adopt=adopt)
    begun = begin_for_engine(Work(opened, plan, narrator(to_stderr=as_json)), asked, scheduled)
    if as_json:
        until = begun.until.isoformat() if begun.until else None
        told = {"run": begun.run, "state": begun.state, "until": until, "reason": begun.reason}
        print_json({**told, "pipeline": pipeline.name, "exit_code": begun.exit_code})
    else:
        click.echo(f"{begun.state}: run {begun.run}{f' · {begun.reason}' if begun.reason else ''}")
    return begun.exit_code


def _demand_current(pipeline: Pipeline, engine: str, exported: str) -> None:
    """An exported file that knows other steps would leave some out, and the run never ended."""
    from seatrial.engines._outline import outline

    digest, _, place = exported.partition(" ")
    if digest not in {"", outline(pipeline).digest}:
        again = ("seatrial", "export", engine, pipeline.file, "-o")
        raise UsageError(
            Mistake(
                f"{pipeline.file} has other stages, tasks or times than when it was exported",
                where=f"the {engine} file of pipeline {pipeline.name}",
                fix=f"export it anew: {shlex.join([*again, place or 'FILE'])}",
            )
        )
