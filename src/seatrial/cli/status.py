"""``seatrial status``."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import click

from seatrial.cli._options import json_option, minute, print_json, print_table, project
from seatrial.errors import Mistake, StoreError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType

    from seatrial.cli._live import Now
    from seatrial.registry.project import Project
    from seatrial.serve.pulse import Pulse

EVERY_S = 2.0


@click.command(epilog="Example: seatrial status --watch")
@click.option("--watch", is_flag=True, help="A live view on the terminal; q ends it.")
@click.option(
    "--every",
    type=click.FloatRange(min=0.5, max=3600),
    help=f"With --watch: seconds between two looks; {EVERY_S:g} without it.",
)
@json_option
def status(*, watch: bool, every: float | None, as_json: bool) -> None:
    """Who serves, since when, why; what is watched, held, waits or is asked."""
    if watch:
        _demand_terminal(as_json=as_json)
        _follow(project(), EVERY_S if every is None else every)
        return
    if every is not None:
        raise UsageError(Mistake("--every belongs to --watch", fix="seatrial status --watch"))
    opened = project()
    told = _told(opened)
    if as_json:
        print_json(told)
        return
    if not told["models"]:
        click.echo("no model yet; `seatrial run pipeline.yaml` delivers the first")
    else:
        print_table(
            ("model", "production", "staging", "since", "why"),
            [
                (
                    m["name"],
                    m["production"],
                    m["staging"],
                    m["since"] and minute(m["since"]),
                    m["why"],
                )
                for m in told["models"]
            ],
        )
    for said in _lines(told, _page(opened)):
        click.echo(said)


def _page(opened: Project) -> str | None:
    from seatrial.registry.page import page

    return page(opened.ledger, opened.workspace.home)


def _demand_terminal(*, as_json: bool) -> None:
    """A view that is drawn over and over is of no use in a file."""
    if as_json:
        raise UsageError(
            Mistake("--watch is for a terminal, --json for programs", fix="choose one")
        )
    if not sys.stdout.isatty() or os.environ.get("TERM") == "dumb":
        what = "--watch needs a terminal, and this is none"
        raise UsageError(Mistake(what, fix="seatrial status --json"))


def _follow(opened: Project, every_s: float) -> None:
    from seatrial.cli._live import drawn, stopped
    from seatrial.cli._screen import follow
    from seatrial.serve.pulse import Pulse

    pulse, workspace = Pulse(), opened.workspace

    def look() -> RenderableType:
        try:
            return drawn(_now(opened, pulse))
        except StoreError as error:  # it may pass, and who looks wants to see when it does
            return stopped(workspace.clock(), str(workspace.folder), str(error))

    follow(look, every_s)


def _now(opened: Project, pulse: Pulse) -> Now:
    """All that the view shows, read at one time."""
    from seatrial.cli._live import Now
    from seatrial.ledger import runs
    from seatrial.report.document import document
    from seatrial.report.evidence_now import evidence_now
    from seatrial.serve.throughput import between

    told = _told(opened)
    beats, more = pulse.look(opened)
    return Now(
        at=opened.workspace.clock(),
        folder=str(opened.workspace.folder),
        status=told,
        beats=beats,
        more=more,
        traffic=between(beat.looks for beat in beats if beat.looks is not None),
        evidence=evidence_now(opened),
        runs=[document(opened, run) for run in runs.unfinished(opened.ledger)],
        notes=[*_lines({**told, "watches": [], "waiting": [], "reviews": []})],
    )


def _told(opened: Project) -> dict[str, list[dict[str, Any]]]:
    """The document, after what is due in the queue was done."""
    from seatrial.report import status as standing
    from seatrial.review.deadlines import tend
    from seatrial.serve.pipelines import listeners_of

    tend(opened.ledger, opened.workspace.clock())
    return standing.status(opened, listeners_of(opened.workspace.folder))


def _lines(told: dict[str, list[dict[str, Any]]], page: str | None = None) -> Iterator[str]:
    """What is not in the table, for people."""
    from seatrial.report.drifted import line

    if page is not None:
        yield f"the web page is at {page}"
    for item in told["watches"]:
        yield (
            f"watched until {minute(item['until'])} UTC: {item['model']} version {item['version']}"
            f" beside version {item['against']}, {item['labels']} labels so far"
        )
    for item in told["drift"]:
        if said := line(item):
            yield said
    for item in told["remarks"]:
        yield (
            f"gateway {item['address']} on {item['model']} version {item['version']}:"
            f" {item['reason']}"
        )
    for item in told["held"]:
        yield f"{item['what']} since {minute(item['since'])} UTC: {item['reason']}"
    for item in told["waiting"]:
        yield f"waiting: {item['step']} of run {item['run']}: {item['reason']}"
    for item in told["reviews"]:
        yield from _asked(item, page)
    for item in told["trouble"]:
        yield (
            f"not told: {item['channel']} does not take messages since {minute(item['since'])} UTC"
            f" ({item['waiting']} wait, {item['given_up']} given up): {item['error']}"
        )


def _asked(item: dict[str, Any], page: str | None) -> Iterator[str]:
    """A question, and where one answers it."""
    from seatrial.ledger import paths

    yield f"review until {minute(item['due'])} UTC: {item['question']}"
    yield f"  seatrial reviews {item['id']}"
    if page is not None:
        yield f"  {page}{paths.of_review(item['id'])}"
