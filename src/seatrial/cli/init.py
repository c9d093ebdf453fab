"""``seatrial init``."""

from __future__ import annotations

from pathlib import Path

import click

from seatrial.cli._example import copy_example
from seatrial.cli._options import json_option, print_json


@click.command(epilog="Example: seatrial init flights && cd flights && seatrial run pipeline.yaml")
@click.argument("folder", type=click.Path(path_type=Path), default=Path())
@json_option
def init(folder: Path, *, as_json: bool) -> None:
    """Make a runnable project from the flights example."""
    copy_example(folder)
    if as_json:
        print_json({"folder": str(folder), "file": str(folder / "pipeline.yaml")})
        return
    click.echo(f"made {folder}: pipeline.yaml, its data and settings")
    there = "" if folder.resolve() == Path.cwd() else f"cd {folder} && "
    click.echo(f"next: {there}seatrial run pipeline.yaml")
