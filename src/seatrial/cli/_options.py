"""What several commands share: the project they act on, JSON, who acts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from seatrial import workspace
from seatrial.errors import Mistake, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from seatrial.registry.project import Project

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON on stdout.")
file_argument = click.argument("file", type=click.Path(path_type=Path))
set_option = click.option(
    "--set", "changes", multiple=True, metavar="STAGE.TASK.KEY=YAML", help="Change a parameter."
)


def not_empty(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    """Refuse an empty id: a variable that was never set must not mean the only one there is."""
    if value is None or value.strip():
        return value
    raise UsageError(
        Mistake(
            f"the {parameter.human_readable_name.strip('[]')} is empty",
            where=context.command_path,
            fix="write it, or the beginning of it; was a variable not set?",
        )
    )


def project() -> Project:
    """The project of the nearest folder with a ``.seatrial``, else of this one."""
    from seatrial.registry.project import open_project

    opened = open_project(workspace.nearest_to(Path.cwd()))
    click.get_current_context().call_on_close(opened.ledger.close)
    return opened


def existing_project(fix: str = "go to the folder of the project") -> Project:
    """The same; UsageError where there is none, and none is made."""
    from seatrial.ledger.store import has_ledger

    around = workspace.nearest_to(Path.cwd())
    if not has_ledger(around):
        what = "a version is named, but there is no project here"
        raise UsageError(Mistake(what, where=str(around.folder), fix=fix))
    return project()


def actor() -> str:
    """Who is at the keyboard."""
    from seatrial.review import person

    return person.name()


def print_json(value: object) -> None:
    """One document."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def print_table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Aligned columns; the last one may be long."""
    texts = [list(heads), *([_cell(cell) for cell in row] for row in rows)]
    widths = [max(len(row[i]) for row in texts) for i in range(len(heads) - 1)]
    for row in texts:
        cells = [cell.ljust(width) for cell, width in zip(row[:-1], widths, strict=True)]
        click.echo("  ".join([*cells, row[-1]]).rstrip())


def _cell(value: object) -> str:
    return "-" if value is None else str(value)


def minute(at: str) -> str:
    """An ISO time, to the minute.

    >>> minute("2026-11-23T11:19:45.920795+00:00")
    '2026-11-23 11:19'
    """
    return at[:16].replace("T", " ")
