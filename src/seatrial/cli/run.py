"""``seatrial run``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from seatrial import workspace
from seatrial.cli._options import file_argument, json_option, print_json, set_option
from seatrial.cli._progress import narrator
from seatrial.cli._telling import tell_people
from seatrial.cli._told import tell

if TYPE_CHECKING:
    from pathlib import Path


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
    from seatrial.engines import _drive

    driven = _drive.run(file, changes, wait=wait, say=narrator(to_stderr=as_json))
    if driven.error is not None and context.find_root().params["debug"]:
        raise driven.error
    if as_json:
        print_json(driven.document)
    else:
        tell(driven)
    if driven.document["run"] is not None:
        tell_people(workspace.of_file(file))
    return driven.exit_code
