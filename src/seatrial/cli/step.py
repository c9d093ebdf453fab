"""``seatrial step``."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from seatrial.cli._options import json_option, not_empty, print_json, project
from seatrial.cli._progress import narrator
from seatrial.cli._telling import tell_people

if TYPE_CHECKING:
    from seatrial.engines._one_step import Performed


@click.command(epilog="Example: seatrial step 01M842 train_model.train")
@click.argument("run", callback=not_empty)
@click.argument("address", metavar="STAGE.TASK")
@json_option
def step(run: str, address: str, *, as_json: bool) -> int:
    """Perform one step of a run: what every engine calls."""
    from seatrial.engines._one_step import exit_code, one_step

    opened = project()
    performed = one_step(opened, run, address, narrator(to_stderr=as_json))
    code = exit_code(performed)
    told = document(performed)
    if as_json:
        print_json({**told, "exit_code": code})
    else:
        click.echo(f"{address}: {told['verdict'] or told['state']} · {told['reason']}")
    if performed.run.ended or performed.run.state == "review":
        tell_people(opened.workspace)
    return code


def document(performed: Performed) -> dict[str, object]:
    """What is printed as JSON: every key is always there."""
    from seatrial.outcome import Wait

    said, run = performed.said, performed.run
    told: dict[str, object] = {
        "run": run.id,
        "step": performed.address,
        "state": "not_reached",
        "verdict": None,
        "reason": performed.why,
        "until": None,
        "measures": [],
        "findings": [],
        "run_state": run.state,
        "run_verdict": run.verdict,
    }
    if isinstance(said, Wait):
        return {**told, "state": "waiting", "until": said.until.isoformat(), "reason": said.reason}
    if said is not None:
        told |= {"state": "done", "verdict": said.verdict, "reason": said.reason}
        told["measures"] = [asdict(measure) for measure in said.measures]
        told["findings"] = [asdict(finding) for finding in said.findings]
    return told
