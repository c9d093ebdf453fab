"""``seatrial status``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from seatrial.cli._options import json_option, minute, print_json, print_table, project

if TYPE_CHECKING:
    from collections.abc import Iterator

    from seatrial.registry.project import Project


@click.command(epilog="Example: seatrial status")
@json_option
def status(*, as_json: bool) -> None:
    """Who serves, since when, why; what is watched, held, waits or is asked."""
    told = _told(project())
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
    for said in _lines(told):
        click.echo(said)


def _told(opened: Project) -> dict[str, list[dict[str, Any]]]:
    """The document, after what is due in the queue was done."""
    from seatrial.report import status as standing
    from seatrial.review.deadlines import tend
    from seatrial.serve.pipelines import listeners_of

    tend(opened.ledger, opened.workspace.clock())
    return standing.status(opened, listeners_of(opened.workspace.folder))


def _lines(told: dict[str, list[dict[str, Any]]]) -> Iterator[str]:
    """What is not in the table, for people."""
    from seatrial.report.drifted import line

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
        yield f"review until {minute(item['due'])} UTC: {item['question']}"
        yield f"  seatrial reviews {item['id']}"
    for item in told["trouble"]:
        yield (
            f"not told: {item['channel']} does not take messages since {minute(item['since'])} UTC"
            f" ({item['waiting']} wait, {item['given_up']} given up): {item['error']}"
        )
