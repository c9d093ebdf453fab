"""``seatrial env verify``."""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from seatrial.cli._env_side import NO_PROJECT, is_version
from seatrial.cli._options import existing_project, json_option, not_empty, print_json
from seatrial.errors import Mistake, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from seatrial.environment.proof.proving import Proven


@click.command(epilog="Example: seatrial env verify flights_late@production")
@click.argument("target", callback=not_empty)
@click.option(
    "--plain",
    is_flag=True,
    help="As a program asks that sets none of onnxruntime's options.",
)
@click.option(
    "--rows-at-once",
    type=click.IntRange(min=0),
    help="So many rows are asked together, 0: all; else as the version is served.",
)
@click.option(
    "--trust-pickle",
    is_flag=True,
    help="Run the code of a pickled model in a bundle; a version of the project is trusted.",
)
@json_option
def verify(
    target: str, *, plain: bool, rows_at_once: int | None, trust_pickle: bool, as_json: bool
) -> int:
    """Prove a version on this machine by its golden rows.

    TARGET is MODEL@production, or a folder or archive that `seatrial bundle` wrote. Exit 0: yes;
    1: no; 2: there is no such thing; 5: it could not be found out.
    """
    from seatrial.environment.proof.proving import prove
    from seatrial.environment.proof.verdict import lines

    asked = partial(prove, plain=plain, rows_at_once=rows_at_once)
    if is_version(target):
        proven = _of_version(target, asked)
    else:
        _demand_something(target)
        proven = asked(Path(target), trust_pickle=trust_pickle)
    if as_json:
        print_json(proven.to_json())
    else:
        for line in lines(proven):
            click.echo(line)
    return proven.exit_code


def _demand_something(target: str) -> None:
    """UsageError when nothing of that name is there; what cannot be read is told by the proof."""
    try:
        Path(target).stat()
    except FileNotFoundError as error:
        what = f"there is no such bundle, and {target!r} does not name a version"
        fix = "name what `seatrial bundle` wrote, or a version such as MODEL@production"
        raise UsageError(Mistake(what, fix=fix)) from error
    except OSError:
        return


def _of_version(text: str, asked: Callable[..., Proven]) -> Proven:
    """Of a version of this project: bundled for as long as it takes."""
    from seatrial.cli._version import version_of
    from seatrial.registry.opened import bundled

    project = existing_project(NO_PROJECT)
    with tempfile.TemporaryDirectory(prefix="seatrial-verify-") as folder:
        place = Path(folder, "bundle")
        bundled(project.registry, version_of(project, text), place)
        return asked(place, trust_pickle=True)
