"""``seatrial report``."""

from __future__ import annotations

from pathlib import Path

import click

from seatrial.cli._options import json_option, not_empty, print_json, project


@click.command(epilog="Example: seatrial report 01M842 -o report.html")
@click.argument("run", callback=not_empty)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="Where to; its ending says the form."
)
@json_option
def report(run: str, *, output: Path | None, as_json: bool) -> None:
    """One run as a report: Markdown on stdout, or a file.

    It may end in .html (one page, which loads nothing), .md, .xml (JUnit) or .json.
    """
    from seatrial.data import whole_file
    from seatrial.ledger import runs
    from seatrial.report.as_markdown import as_markdown
    from seatrial.report.forms import form_of
    from seatrial.report.sections import sources

    written = form_of(output) if output is not None else None
    opened = project()
    made_of = sources(opened, runs.get(opened.ledger, run))
    told = made_of.account
    if output is not None and written is not None:
        whole_file.replace(output, written(made_of).encode(), "the report")
    if as_json:
        print_json({"document": told.document, "markdown": as_markdown(told)})
    elif output is None:
        click.echo(as_markdown(told), nl=False)
    else:
        click.echo(f"{output}: run {told.run.id} of {told.run.pipeline}")
