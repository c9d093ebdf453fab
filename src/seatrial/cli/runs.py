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
    from seatrial.report.run_list import KEYS, run_list

    opened = project()
    if run is None:
        listed = run_list(stored.latest(opened.ledger))
        if as_json:
            print_json(listed)
        else:
            shown = ({**each, "started": minute(str(each["started"]))} for each in listed)
            print_table(KEYS, [[each[key] for key in KEYS] for each in shown])
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
