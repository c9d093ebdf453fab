"""``seatrial profile``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from seatrial.cli._dataset import dataset_of
from seatrial.cli._options import json_option, print_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from seatrial.data.profiles.profile import Profile

_SHOWN = 20
"""So many columns are told of one by one."""


@click.command(
    epilog="Example: seatrial profile data/training_data.csv -o baseline_distribution.json"
)
@click.argument("data", nargs=-1, required=True)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    help="The file to write; it is overwritten.",
)
@click.option(
    "--by",
    multiple=True,
    metavar="COLUMN",
    help="Also the rows of each of the 20 most frequent values of this column; repeatable.",
)
@click.option(
    "--schema",
    type=click.Path(path_type=Path),
    help="Also write a draft of a schema for `check_schema` into this file.",
)
@json_option
def profile(
    data: tuple[str, ...], output: Path, by: tuple[str, ...], schema: Path | None, *, as_json: bool
) -> None:
    """Write the baseline of a dataset, from one file or several; overwrites OUTPUT."""
    from seatrial.data.profiles import profile as profiles

    made = _made(data, tuple(dict.fromkeys(by)))
    profiles.write(made, output)
    if schema is not None:
        _draft(made, schema)
    notes = {column.name: column.note for column in made.columns if column.note}
    if as_json:
        print_json(
            {
                "file": str(output),
                "rows": made.rows,
                "columns": len(made.columns),
                "notes": notes,
                "slices": [
                    {"column": part.column, "value": part.value, "rows": part.rows}
                    for part in made.slices
                ],
                "schema": None if schema is None else str(schema),
            }
        )
        return
    many = f"{len(made.slices)} slice{'s' * (len(made.slices) != 1)}"
    slices = f", {many} by {', '.join(made.sliced_by)}" if made.slices else ""
    rows = f"{made.rows} row{'s' * (made.rows != 1)}"
    columns = f"{len(made.columns)} column{'s' * (len(made.columns) != 1)}"
    click.echo(f"{output}: {rows}, {columns}{slices}")
    for name in [*notes][:_SHOWN]:
        click.echo(f"  {name}: {notes[name]}")
    if len(notes) > _SHOWN:
        click.echo(f"  … and {len(notes) - _SHOWN} more columns with a note")
    if schema is not None:
        click.echo(f"{schema}: a draft of their schema; read it before you rely on it")


def _made(names: Sequence[str], by: Sequence[str]) -> Profile:
    """The profile of the first, and of all others counted alike and added."""
    from seatrial.data.opening import open_rows
    from seatrial.data.profiles import profile as profiles
    from seatrial.data.profiles.adding import add, count_alike

    first, *others = map(dataset_of, names)
    made = profiles.make(open_rows(first), by)
    for other in others:
        made = add(made, count_alike(open_rows(other), made))
    return made


def _draft(made: Profile, file: Path) -> None:
    from seatrial.data import whole_file
    from seatrial.data.schema.draft import draft

    whole_file.replace(file, draft(made).encode(), "the draft of the schema")
