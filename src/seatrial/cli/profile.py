"""``seatrial profile``."""

from __future__ import annotations

from pathlib import Path

import click

from seatrial.cli._options import json_option, print_json


@click.command(
    epilog="Example: seatrial profile data/training_data.csv -o baseline_distribution.json"
)
@click.argument("data", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True)
@json_option
def profile(data: Path, output: Path, *, as_json: bool) -> None:
    """Write the baseline of a dataset; overwrites OUTPUT."""
    from seatrial.data import profile as profiles
    from seatrial.data.dataset import Dataset
    from seatrial.data.table import open_table

    made = profiles.make(open_table(Dataset(data.name.partition(".")[0], data)))
    profiles.write(made, output)
    told = {"file": str(output), "rows": made.rows, "columns": len(made.columns)}
    if as_json:
        print_json(told)
    else:
        click.echo(f"{output}: {made.rows} rows, {len(made.columns)} columns")
