"""``seatrial init``."""

from __future__ import annotations

from pathlib import Path

import click

from seatrial.cli._example import copy_example


@click.command(epilog="Example: seatrial init flights && cd flights && seatrial run pipeline.yaml")
@click.argument("folder", type=click.Path(path_type=Path), default=Path())
def init(folder: Path) -> None:
    """Make a runnable project from the flights example."""
    copy_example(folder)
    click.echo(f"made {folder}: pipeline.yaml, its data and settings")
    click.echo(f"next: cd {folder} && seatrial run pipeline.yaml")
