"""``seatrial comment``."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from seatrial.cli._options import json_option, not_empty, print_json, project
from seatrial.errors import Mistake, UsageError

if TYPE_CHECKING:
    from seatrial.ledger.runs import Run
    from seatrial.registry.project import Project


@click.command(epilog="Example: seatrial comment --github 01M842")
@click.argument("run", required=False, callback=not_empty)
@click.option("--github", is_flag=True, help="On a pull request of GitHub.")
@click.option(
    "--from",
    "file",
    type=click.Path(path_type=Path),
    help="A report in Markdown instead of a run of this project; needs --pipeline.",
)
@click.option("--pipeline", metavar="NAME", help="Which pipeline the file of --from is about.")
@click.option("--repository", metavar="OWNER/NAME", help="Instead of $GITHUB_REPOSITORY.")
@click.option("--pull", type=click.IntRange(min=1), help="Instead of the job's pull request.")
@click.option("--api", metavar="ADDRESS", help="Instead of $GITHUB_API_URL.")
@json_option
def comment(
    run: str | None,
    *,
    github: bool,
    file: Path | None,
    pipeline: str | None,
    repository: str | None,
    pull: int | None,
    api: str | None,
    as_json: bool,
) -> None:
    """Write a run's report into one comment on a pull request, which later runs update.

    Without RUN, the newest run of the project. The token is read from $GITHUB_TOKEN.
    """
    from seatrial.report.comment.github import write
    from seatrial.report.comment.place import place, token
    from seatrial.report.comment.wire import Wire

    if not github:
        raise UsageError(Mistake("where is the comment to go?", fix="seatrial comment --github"))
    where = place(os.environ, repository=repository, pull=pull, api=api)
    wire = Wire(place=where, token=token(os.environ))
    name, markdown = _told(run, file, pipeline)
    written = write(wire, name, markdown)
    if as_json:
        print_json(
            {
                "repository": where.repository,
                "pull": where.pull,
                "pipeline": name,
                "comment": written.id,
                "url": written.url,
                "done": written.done,
            }
        )
    else:
        click.echo(f"{where}: comment {written.done}: {written.url}")


def _told(run: str | None, file: Path | None, pipeline: str | None) -> tuple[str, str]:
    """The name of the pipeline, and the report in Markdown."""
    if (file is None) != (pipeline is None):
        what = "--from and --pipeline belong together"
        raise UsageError(Mistake(what, fix="--from report.md --pipeline NAME"))
    if file is None or pipeline is None:
        return _of_run(run)
    if run is not None:
        raise UsageError(Mistake("both a run and --from are given", fix="leave one of them out"))
    from seatrial.report.comment.body import read

    return pipeline, read(file)


def _of_run(run: str | None) -> tuple[str, str]:
    from seatrial.registry.loopback import leads_here
    from seatrial.report.account import account
    from seatrial.report.as_markdown import as_markdown

    opened = project()
    told = account(opened, _wanted(opened, run))
    if told.page is not None and leads_here(told.page):
        told = replace(told, page=None)  # who reads a comment sits at another machine
    return told.run.pipeline, as_markdown(told)


def _wanted(opened: Project, run: str | None) -> Run:
    from seatrial.ledger import runs

    if run is not None:
        return runs.get(opened.ledger, run)
    for newest in runs.latest(opened.ledger, 1):
        return newest
    raise UsageError(
        Mistake("there is no run in this project yet", fix="seatrial run pipeline.yaml")
    )
