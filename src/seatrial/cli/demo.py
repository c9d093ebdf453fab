"""``seatrial demo``."""

from __future__ import annotations

import contextlib
import csv
import gzip
import io
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import click

from seatrial.cli._example import copy_example
from seatrial.cli._options import json_option, minute, print_json, print_table
from seatrial.errors import StoreError

SECONDS = 60


@click.command(epilog="Example: seatrial demo")
@json_option
def demo(*, as_json: bool) -> None:
    """Watch the founding pipeline deliver a model, and stop a bad one."""
    # the story is progress: with --json it goes to stderr, as of every command
    with contextlib.redirect_stdout(sys.stderr if as_json else sys.stdout):
        told = _story()
    if as_json:
        print_json(told)


def _story() -> dict[str, object]:
    """The chapters; the folder, the runs in order, and the head of the ledger."""
    began = time.perf_counter()
    project = Path(tempfile.mkdtemp(prefix="seatrial-demo-")) / "flights"
    copy_example(project)
    _chapter(1, "First delivery: flights of January to March")
    runs = [_run(project, expected=0)]
    _chapter(2, "A bad model is stopped: dep_delay recorded in seconds, not minutes")
    _spoil(project / "data" / "training_data.csv.gz")
    click.echo("the distribution check, against the baseline of honest data:")
    runs.append(_run(project, expected=1))
    click.echo("\nthe same faulty data, with a baseline made from it; honest rows judge the model:")
    _profile(project)
    runs.append(_run(project, expected=1))
    _chapter(3, "Who was in production when")
    head = _history(project)
    seconds = time.perf_counter() - began
    click.echo(f"\n{seconds:.0f} s; the files are in {project}")
    click.echo(f"look around: cd {project} && seatrial status")
    return {"folder": str(project), "seconds": round(seconds, 1), "runs": runs, "head": head}


def _chapter(number: int, title: str) -> None:
    click.secho(f"\n{number}. {title}", bold=True)


def _run(project: Path, expected: int) -> dict[str, object]:
    """A real run; the story only goes on when it went as told."""
    from seatrial.cli._progress import narrator
    from seatrial.cli._told import tell
    from seatrial.engines import _drive

    driven = _drive.run(project / "pipeline.yaml", say=narrator(to_stderr=False))
    tell(driven)
    if driven.exit_code != expected:
        raise StoreError(f"the demo expected exit code {expected}, and got {driven.exit_code}")
    return driven.document


def _spoil(file: Path) -> None:
    """Write ``dep_delay`` sixty times as large, as a feed in the wrong unit would."""
    rows: list[dict[str, Any]] = list(
        csv.DictReader(io.StringIO(gzip.decompress(file.read_bytes()).decode()))
    )
    for row in rows:
        if row["dep_delay"]:
            row["dep_delay"] = float(row["dep_delay"]) * SECONDS
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    file.write_bytes(gzip.compress(text.getvalue().encode(), mtime=0))


def _profile(project: Path) -> None:
    from seatrial.data import profile
    from seatrial.data.dataset import Dataset
    from seatrial.data.table import open_table

    table = open_table(Dataset("training_data", project / "data" / "training_data.csv.gz"))
    profile.write(profile.make(table), project / "baseline_distribution.json")


def _history(project: Path) -> str:
    """Print the moves of production, prove the ledger; its head."""
    from seatrial import workspace
    from seatrial.ledger.verify import verify
    from seatrial.registry.project import open_project

    opened = open_project(workspace.at(project))
    click.get_current_context().call_on_close(opened.ledger.close)
    keys = ("at", "event", "model", "version", "by", "reason")
    moves = opened.registry.history()
    print_table(keys, [[minute(str(m["at"])), *(m[key] for key in keys[1:])] for m in moves])
    events, head = verify(opened.ledger)
    click.echo(f"the ledger is intact: {events} events, head {head}")
    return head
