"""``seatrial history``."""

from __future__ import annotations

import click

from seatrial.cli._options import json_option, minute, print_json, print_table, project
from seatrial.errors import Mistake, StoreError, UsageError


@click.command(epilog="Example: seatrial history --verify --head 5f88103603eb…")
@click.option("--verify", "do_verify", is_flag=True, help="Prove that nothing was edited.")
@click.option("--head", metavar="HASH", help="A head noted earlier; proves that no tail was cut.")
@json_option
def history(head: str | None, *, do_verify: bool, as_json: bool) -> None:
    """Who was in production when, and why."""
    if head and not do_verify:
        raise UsageError(Mistake("--head goes with --verify", fix="add --verify"))
    opened = project()
    if do_verify:
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
        return
    moves = opened.registry.history()
    if as_json:
        print_json(moves)
        return
    keys = ("at", "event", "model", "version", "by", "reason")
    print_table(keys, [[minute(str(m["at"])), *(m[key] for key in keys[1:])] for m in moves])
