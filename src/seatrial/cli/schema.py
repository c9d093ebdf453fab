"""``seatrial schema``."""

from __future__ import annotations

import click

from seatrial.cli._options import json_option, print_json


@click.command(epilog="Example: seatrial schema > pipeline.schema.json")
@click.option("--profile", is_flag=True, help="That of a baseline that `seatrial profile` writes.")
@json_option
def schema(*, profile: bool, as_json: bool) -> None:
    """Print the JSON Schema of the pipeline file, for editors."""
    del as_json  # the schema is JSON either way
    if profile:
        from seatrial.data.profiles import form as profile_form

        print_json(profile_form.schema())
        return
    from seatrial.plan import file_schema

    print_json(file_schema())
