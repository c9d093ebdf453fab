"""``seatrial history``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import click

from seatrial.cli._options import json_option, minute, print_json, print_table, project
from seatrial.errors import Mistake, StoreError, UsageError

if TYPE_CHECKING:
    from datetime import datetime

    from seatrial.registry.project import Project

KEYS = ("at", "event", "model", "version", "by", "reason")


@click.command(epilog="Example: seatrial history flights --at 2026-11-05T14:00")
@click.argument("model", required=False)
@click.option("--at", "moment", metavar="TIME", help="Who served then (ISO; UTC unless it says).")
@click.option("--verify", "do_verify", is_flag=True, help="Prove that nothing was edited.")
@click.option("--head", metavar="HASH", help="A head noted earlier; proves that no tail was cut.")
@json_option
def history(
    model: str | None, moment: str | None, head: str | None, *, do_verify: bool, as_json: bool
) -> None:
    """Who was in production when and why, of MODEL or of all; with --at, at one moment."""
    if head is not None and not do_verify:
        raise UsageError(Mistake("--head goes with --verify", fix="add --verify"))
    if do_verify and (model or moment):
        raise UsageError(Mistake("--verify is about the whole ledger", fix="leave the rest out"))
    if head is not None and not re.fullmatch("[0-9a-f]{64}", head):
        raise UsageError(
            Mistake(
                f"{head!r} is no head, which has 64 digits of 0-9 and a-f",
                fix="write the one you noted whole, as `seatrial history --verify` printed it",
            )
        )
    opened = project()
    if do_verify:
        _prove(opened, head, as_json=as_json)
    elif moment is not None:
        _then(opened, model, _time(moment), as_json=as_json)
    else:
        _moves(opened, model, as_json=as_json)


def _moves(opened: Project, model: str | None, *, as_json: bool) -> None:
    from seatrial.review.by_hand import production_of

    if model is not None:
        production_of(opened, model)
    moves = opened.registry.history(model)
    if as_json:
        print_json(moves)
        return
    print_table(KEYS, [[minute(str(m["at"])), *(m[key] for key in KEYS[1:])] for m in moves])


def _then(opened: Project, model: str | None, moment: datetime, *, as_json: bool) -> None:
    """The last move of each model up to a moment."""
    from datetime import datetime

    from seatrial.review.by_hand import production_of

    if model is not None:
        production_of(opened, model)
    if moment > opened.workspace.clock():
        asked = minute(moment.isoformat())
        raise UsageError(
            Mistake(f"{asked} UTC is still to come", fix="ask about a time before now")
        )
    last: dict[str, dict[str, Any]] = {}
    ended: dict[str, str] = {}
    for move in opened.registry.history(model):
        name = str(move["model"])
        if datetime.fromisoformat(str(move["at"])) <= moment:
            last[name] = move
            ended.pop(name, None)  # a clock that went back: what was moved later counts
        else:
            ended.setdefault(name, str(move["at"]))
    told = [{**move, "until": ended.get(name)} for name, move in sorted(last.items())]
    if as_json:
        print_json(told)
        return
    if not told:
        click.echo(f"nothing was in production at {minute(moment.isoformat())} UTC")
    for each in told:
        until = f"until {minute(each['until'])} UTC" if each["until"] else "and still does"
        click.echo(
            f"{each['model']} version {each['version']} served, since {minute(str(each['at']))} UTC"
            f" {until}: {each['event']} by {each['by']}: {each['reason']}"
        )
        if each["evidence"]:
            click.echo(f"  on evidence {each['evidence']}")


def _time(text: str) -> datetime:
    from datetime import UTC, datetime

    try:
        found = datetime.fromisoformat(text)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):  # the latter: in UTC it is no year of four digits
        raise UsageError(
            Mistake(f"{text!r} is no time", fix="write such as --at 2026-11-05T14:00")
        ) from None


def _prove(opened: Project, head: str | None, *, as_json: bool) -> None:
    from seatrial.ledger.verify import verify

    try:
        events, last = verify(opened.ledger, head)
    except StoreError:
        if as_json:
            print_json({"intact": False, "events": None, "head": None})
        raise
    if as_json:
        print_json({"intact": True, "events": events, "head": last})
    else:
        click.echo(f"intact: {events} events, head {last}")
