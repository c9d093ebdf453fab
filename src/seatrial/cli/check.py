"""``seatrial check``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from seatrial import workspace
from seatrial.cli._options import file_argument, json_option, print_json, set_option
from seatrial.errors import SeatrialError

if TYPE_CHECKING:
    from pathlib import Path


@click.command(epilog="Example: seatrial check pipeline.yaml")
@file_argument
@set_option
@json_option
def check(file: Path, changes: tuple[str, ...], *, as_json: bool) -> int:
    """Tell every mistake in a pipeline file at once, without reading rows."""
    from seatrial import plan
    from seatrial.pipeline.read import read_file

    try:
        made = plan.make(read_file(file, changes), workspace.of_file(file).folder)
    except SeatrialError as error:
        if not as_json:
            raise
        keys = ("what", "where", "nearest", "fix")
        told = [{key: getattr(mistake, key) for key in keys} for mistake in error.mistakes]
        print_json({"file": str(file), "mistakes": told})
        return error.exit_code
    if as_json:
        print_json({"file": str(file), "mistakes": []})
    else:
        stages, tasks = len(made.pipeline.stages), len(made.steps)
        said = f"{stages} stage{'s' * (stages != 1)}, {tasks} task{'s' * (tasks != 1)}"
        click.echo(f"{file}: {said}, no mistakes")
    return 0
