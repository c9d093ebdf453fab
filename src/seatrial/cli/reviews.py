"""``seatrial reviews``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from seatrial.cli._options import (
    json_option,
    minute,
    not_empty,
    print_json,
    print_table,
    project,
)
from seatrial.errors import Mistake, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from seatrial.registry.project import Project
    from seatrial.review.items import Item

DIGITS = 4
"""Of a measure, as it is shown."""


@click.command(epilog="Example: seatrial reviews 01M842")
@click.argument("identity", metavar="[ID]", required=False, callback=not_empty)
@click.option("--all", "with_decided", is_flag=True, help="Also what was decided: how, by whom.")
@json_option
def reviews(identity: str | None, *, with_decided: bool, as_json: bool) -> None:
    """What people are asked, or one question with its evidence."""
    from seatrial.review import items
    from seatrial.review.deadlines import tend
    from seatrial.review.document import document, history

    opened = project()
    ledger, now = opened.ledger, opened.workspace.clock()
    tend(ledger, now)
    if identity is not None:
        if with_decided:
            raise UsageError(Mistake("--all is for the list, not for one item", fix="leave it out"))
        item = items.get(ledger, identity)
        if as_json:
            print_json({**document(item), "history": history(ledger, item)})
        else:
            _show(opened, item, now)
        return
    with ledger.read() as connection:
        found = items.everything(connection) if with_decided else items.waiting(connection)
    if as_json:
        print_json([document(item) for item in found])
    elif with_decided:
        _list_all(found)
    else:
        _list(found, now)


def _list(found: Sequence[Item], now: datetime) -> None:
    if not found:
        click.echo("nobody is asked anything; `seatrial reviews --all` shows what was decided")
        return
    from seatrial.review.time_left import left

    print_table(
        ("id", "kind", "recommended", "due in", "default", "question"),
        [
            (
                item.id,
                item.kind,
                item.asked.recommended,
                left(item, now),
                item.asked.on_timeout,
                item.asked.question,
            )
            for item in found
        ],
    )


def _list_all(found: Sequence[Item]) -> None:
    from seatrial.review.document import HASTY_S, hasty
    from seatrial.review.time_left import spell

    if not found:
        click.echo("nobody was ever asked anything")
        return
    print_table(
        ("id", "kind", "subject", "status", "by", "took", "why"),
        [
            (
                item.id,
                item.kind,
                item.subject,
                item.status,
                item.by,
                None if item.seconds is None else spell(item.seconds),
                f"{item.reason or ''}{f' (in less than {HASTY_S:g} s!)' if hasty(item) else ''}",
            )
            for item in found
        ],
    )


def _show(opened: Project, item: Item, now: datetime) -> None:
    from seatrial.ledger import paths
    from seatrial.registry.page import page
    from seatrial.review.document import history
    from seatrial.review.items import Status
    from seatrial.review.label_questions import labels_settle
    from seatrial.review.meaning import means
    from seatrial.review.time_left import left

    asked = item.asked
    click.echo(f"{item.id} · {item.kind} · {item.subject} · {item.status}")
    click.echo(asked.question)
    _evidence(item)
    click.echo(f"recommended: {asked.recommended}")
    click.echo(f"would settle it: {asked.resolves}")
    if item.status is Status.OPEN:
        click.echo(f"due in {left(item, now)} ({minute(item.due)} UTC), else: {asked.on_timeout}")
    for event in history(opened.ledger, item):
        said = ": ".join(str(event[key]) for key in ("by", "reason") if event[key])
        click.echo(f"  {minute(str(event['at']))} {event['event']} {said}".rstrip())
    where = page(opened.ledger, opened.workspace.home)
    if where is not None:
        click.echo(f"on the page: {where}{paths.of_review(item.id)}")
    if item.status is Status.OPEN:
        if labels_settle(opened, item):
            click.echo(f"to settle it by a few labels: seatrial label {item.id}")
        for choice in asked.options:
            click.echo(f"to decide: seatrial {choice} {item.id} --reason '…'")
            click.echo(f"  {means(item, choice)}")


def _evidence(item: Item) -> None:
    from seatrial.review.document import facts, measures

    keys = ("name", "value", "low", "high", "limit", "n", "verdict")
    rows = [[_number(measure.get(key)) for key in keys] for measure in measures(item)]
    if rows:
        print_table(keys, rows)
    for key, value in facts(item):
        click.echo(f"{key}: {value}")


def _number(value: object) -> object:
    return f"{value:.{DIGITS}g}" if isinstance(value, float) else value
