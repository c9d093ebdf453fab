"""``seatrial schema``."""

from __future__ import annotations

import click

from seatrial.cli._options import json_option, print_json


@click.command(epilog="Example: seatrial schema > pipeline.schema.json")
@json_option
def schema(*, as_json: bool) -> None:
    """Print the JSON Schema of the pipeline file, for editors."""
    del as_json  # the schema is JSON either way
    from seatrial.plan import file_schema

    print_json(file_schema())
