"""``seatrial step``."""

from __future__ import annotations

import click

from seatrial.cli._options import json_option, not_empty, print_json, project
from seatrial.cli._progress import narrator
from seatrial.errors import Mistake, UsageError


@click.command(epilog="Example: seatrial step 01M842 train_model.train")
@click.argument("run", callback=not_empty)
@click.argument("address", metavar="STAGE.TASK")
@json_option
def step(run: str, address: str, *, as_json: bool) -> int:
    """Perform one step of a run: what every engine calls."""
    from seatrial import plan as plans
    from seatrial.engines import Work
    from seatrial.engines._step import perform
    from seatrial.ledger import runs
    from seatrial.outcome import Verdict, Wait
    from seatrial.pipeline.read import read

    opened = project()
    found = runs.get(opened.ledger, run)
    request = found.request
    pipeline = read(str(request["text"]), str(request["file"]), request["changes"])  # type: ignore[arg-type]
    plan = plans.make(pipeline, opened.workspace.folder)
    wanted = plan.step(address)
    for earlier in runs.steps(opened.ledger, found.id):
        if earlier.address == address:
            break
        if earlier.outcome is None or not earlier.outcome.verdict.lets_through:
            raise UsageError(
                Mistake(
                    f"{earlier.address} comes first, and has not let anything through yet",
                    where=f"run {found.id}",
                    fix=f"seatrial step {found.id} {earlier.address}",
                )
            )
    said = perform(Work(opened, plan, narrator(to_stderr=as_json)), found, wanted)
    if isinstance(said, Wait):
        told: dict[str, object] = {"state": "waiting", "until": said.until, "reason": said.reason}
        code = 4
    else:
        told = {"state": "done", "verdict": said.verdict, "reason": said.reason}
        code = {Verdict.FAIL: 1, Verdict.INCONCLUSIVE: 3}.get(said.verdict, 0)
    if as_json:
        print_json({"run": found.id, "step": address, **told})
    else:
        click.echo(f"{address}: {told.get('verdict', 'waiting')} · {said.reason}")
    return code
