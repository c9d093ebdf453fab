"""``seatrial run``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from seatrial.cli._options import file_argument, json_option, print_json, set_option
from seatrial.cli._progress import narrator

if TYPE_CHECKING:
    from pathlib import Path

    from seatrial.engines._drive import Driven


@click.command(epilog="Example: seatrial run pipeline.yaml --set evaluate_model.unit_tests.runs=80")
@file_argument
@set_option
@click.option("--wait", is_flag=True, help="Stay until waits are over.")
@json_option
@click.pass_context
def run(
    context: click.Context, file: Path, changes: tuple[str, ...], *, wait: bool, as_json: bool
) -> int:
    """Run a pipeline, or resume its unfinished run."""
    from seatrial.engines import _drive  # noqa: PLC0415 - loads the engine

    driven = _drive.run(file, changes, wait=wait, say=narrator(to_stderr=as_json))
    if driven.error is not None and context.find_root().params["debug"]:
        raise driven.error
    if as_json:
        print_json(driven.document)
    else:
        tell(driven)
    return driven.exit_code


def tell(driven: Driven) -> None:
    """What was found, the verdict in one line, and what to do next."""
    told: dict[str, Any] = driven.document
    for stage in told["stages"]:
        for task in stage["tasks"]:
            for finding in task["findings"]:
                _finding(f"{stage['name']}.{task['task']}", finding)
    if driven.error is not None:
        click.echo(str(driven.error), err=True)
    if told["run"] is None:
        return
    click.echo(_summary(driven, told))
    click.echo(f"ledger head {driven.head}")


def _finding(address: str, finding: dict[str, str]) -> None:
    where = f" ({finding['where']})" if finding["where"] else ""
    click.echo(f"  {address}: {finding['what']}{where}")
    if finding["hint"]:
        click.echo(f"    hint: {finding['hint']}")


def _summary(driven: Driven, told: dict[str, Any]) -> str:
    before, after = told["production"]["before"], told["production"]["after"]
    if after is None:
        serving = "nothing is in production"
    elif before == after:
        serving = f"production stays at version {after}"
    else:
        serving = f"production is version {after} (was: {before or 'nothing'})"
    endings = {
        3: "inconclusive, for review",
        4: f"waiting until {_until(told)} UTC; run the same command then, or use --wait",
        5: "stopped; the same command resumes it",
    }
    verdict = told["verdict"] or "no verdict"
    return f"{endings.get(driven.exit_code, verdict)}: {serving}"


def _until(told: dict[str, Any]) -> str:
    times = [t["waiting_until"] for s in told["stages"] for t in s["tasks"] if t["waiting_until"]]
    return min(times)[:16].replace("T", " ") if times else "?"
