"""``seatrial runs``."""

from __future__ import annotations

import click

from seatrial.cli._options import json_option, minute, not_empty, print_json, print_table, project


@click.command(epilog="Example: seatrial runs 01M842")
@click.argument("run", required=False, callback=not_empty)
@json_option
def runs(run: str | None, *, as_json: bool) -> None:
    """Past runs, or one of them."""
    from seatrial.ledger import runs as stored
    from seatrial.report.document import document

    opened = project()
    if run is None:
        found = stored.latest(opened.ledger)
        keys = ("run", "pipeline", "started", "state", "verdict")
        rows = [(r.id, r.pipeline, r.started, r.state, r.verdict) for r in found]
        if as_json:
            print_json([dict(zip(keys, row, strict=True)) for row in rows])
        else:
            print_table(keys, [(*row[:2], minute(row[2]), *row[3:]) for row in rows])
        return
    told = document(opened, stored.get(opened.ledger, run))
    if as_json:
        print_json(told)
        return
    click.echo(f"run {told['run']} of {told['pipeline']}: {told['verdict'] or told['state']}")
    print_table(
        ("task", "verdict", "reason"),
        [
            (f"{stage['name']}.{task['task']}", task["verdict"] or task["state"], task["reason"])
            for stage in told["stages"]  # type: ignore[attr-defined]
            for task in stage["tasks"]
        ],
    )
