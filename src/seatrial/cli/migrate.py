"""``seatrial migrate``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from seatrial import workspace
from seatrial.cli._options import json_option, print_json
from seatrial.cli._progress import narrator
from seatrial.errors import Mistake, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from seatrial.registry.moving.move import Destination, Told
    from seatrial.workspace import Workspace

MEBIBYTE = 2**20


@click.command(epilog="Example: seatrial migrate --database postgresql://ann@db/flights")
@click.option("--database", metavar="URL", help="Where the ledger goes: else SEATRIAL_DATABASE.")
@click.option("--blobs", metavar="URL", help="Where the blobs go: else SEATRIAL_BLOBS.")
@json_option
def migrate(database: str | None, blobs: str | None, *, as_json: bool) -> None:
    """Move the project to a database and a store that several machines share."""
    from seatrial.registry.moving.move import Destination, move
    from seatrial.registry.project import open_project
    from seatrial.serve.alone import alone

    _demand_addresses(database, blobs)
    around = workspace.nearest_to(Path.cwd())
    to = Destination(database or around.database, blobs or around.blob_store)
    opened = open_project(_as_it_stands(around, to))
    try:
        with alone(opened):
            told = move(opened, to, narrator(to_stderr=as_json))
    finally:
        opened.ledger.close()
    if as_json:
        print_json(document(told))
        return
    for line in _lines(told, opened.workspace):
        click.echo(line)


def _demand_addresses(database: str | None, blobs: str | None) -> None:
    """Before anything is read: what is wrong with an option is told of the option."""
    from seatrial.ledger.blob_stores.opening import checked
    from seatrial.ledger.databases.address import read

    if database:
        read(database, where="--database")
    if blobs:
        checked(blobs, where="--blobs")


def _as_it_stands(around: Workspace, to: Destination) -> Workspace:
    """Where the project is now: what was moved before is there already."""
    from seatrial.ledger.moved import moved
    from seatrial.ledger.store import has_ledger

    if to.database is None and to.blobs is None:
        raise UsageError(
            Mistake(
                "neither a database nor a store of blobs is named",
                fix="--database postgresql://USER@HOST/NAME, --blobs s3://BUCKET/NAME, or both",
            )
        )
    at_home = around.ledger.exists() and moved(around.home).database is None
    # of the blobs those are read that are here, and else those in the store
    now = replace(around, database=None if at_home else to.database, blob_store=to.blobs)
    if not has_ledger(now):
        what = "there is no project here that could be moved"
        raise UsageError(Mistake(what, where=str(around.home), fix="go to the project's folder"))
    return now


def document(told: Told) -> dict[str, object]:
    """What is printed as JSON: every key is always there."""
    copied, carried, now = told.copied, told.carried, told.now
    return {
        "database": now.database,
        "blobs": now.blobs,
        "events": told.events,
        "head": told.head,
        "rows": copied.rows if copied else 0,
        "since": copied.since if copied else 0,
        "blobs_put": carried.put if carried else 0,
        "blobs_there": carried.there if carried else 0,
        "blobs_left": carried.left if carried else 0,
        "blobs_verified": told.blobs,
        "bytes": carried.bytes if carried else 0,
    }


def _lines(told: Told, around: Workspace) -> Iterator[str]:
    from seatrial.ledger.moved import export

    copied, carried, now = told.copied, told.carried, told.now
    if copied is not None and copied.since:
        yield f"the ledger is there already, and has gone on by {copied.since} events"
    elif copied is not None:
        yield f"copied {copied.events} events and {copied.rows} rows of the tables"
    if carried is not None:
        size = f"{carried.bytes / MEBIBYTE:.1f} MiB"
        yield f"copied {carried.put} blobs ({size}); {carried.there} were there"
        if carried.left:
            yield f"left {carried.left} damaged files that nothing needs"
    if copied is None and carried is None:
        yield "nothing was left to be moved"
    yield f"verified: {told.events} events, head {told.head}; {told.blobs} blobs"
    if now.database is None and now.blobs is None:
        return  # it never was in this home
    yield "from now on, on every machine:"
    if now.database is not None:
        yield f"  {export(workspace.DATABASE, now.database)}"
    if now.blobs is not None:
        yield f"  {export(workspace.BLOBS, now.blobs)}"
    if now.database is not None and now.blobs is None:
        yield "the blobs are still in this home, where no other machine finds them: --blobs"
    yield f"the old files stay in {around.home}; they are not the project any more"
