"""``seatrial demo``."""

from __future__ import annotations

import contextlib
import csv
import gzip
import io
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from seatrial import workspace
from seatrial.cli._example import copy_example, example_folder
from seatrial.cli._options import json_option, minute, print_json, print_table
from seatrial.errors import StoreError

if TYPE_CHECKING:
    from seatrial.cli._real_water import Traffic

SECONDS = 60
SHADOW_S = 15.0
SHADOW_PERCENT = 50
LOAD_S = 1.0


@click.command(epilog="Example: seatrial demo")
@json_option
def demo(*, as_json: bool) -> None:
    """Watch a model being delivered, bad ones stopped, and one that comes back by itself."""
    # the story has a project of its own: nothing of it may land where another keeps its state
    for name in (workspace.MOVED, workspace.DATABASE, workspace.BLOBS):
        os.environ.pop(name, None)
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
    delivered, *others = _on_real_water(project)
    runs += [delivered, *others]
    _chapter(6, "Who was in production when")
    head = _history(project)
    report = _report(project, str(delivered["run"]))
    seconds = time.perf_counter() - began
    click.echo(f"how the version of chapter 3 was judged, as one page: {report}")
    click.echo(f"\n{seconds:.0f} s; the files are in {project}")
    click.echo(f"look around: cd {project} && seatrial serve, and open the web page that it names")
    return {
        "folder": str(project),
        "seconds": round(seconds, 1),
        "runs": runs,
        "head": head,
        "report": str(report),
    }


def _on_real_water(project: Path) -> list[dict[str, object]]:
    """Chapters 3 to 5: a version is tried on live traffic, delivered, and followed; one is not."""
    from seatrial.cli._comes_back import await_the_watch, shorten_the_watch
    from seatrial.cli._real_water import asking, serving

    _chapter(3, "On real water: a version that also learned from May, beside production in June")
    _learn_from_may(project)
    _profile(project)
    shorten_the_watch(project)
    click.echo(f"(seconds instead of 48 hours: {SHADOW_S:g} s at {SHADOW_PERCENT} %)")
    june = project / "later" / "month_06.csv.gz"
    with serving(project) as at, asking(at.port, [june]) as traffic:
        click.echo(f"the web page of all this, while it lasts: {at.page}")
        told = _run(
            project,
            0,
            f"evaluate_model.shadow_tests.traffic_percentage={SHADOW_PERCENT}",
            f"evaluate_model.shadow_tests.duration_hours={SHADOW_S / 3600}",
            wait=True,
        )
        delivered = time.monotonic()
        time.sleep(LOAD_S)
        _chapter(4, "Delivery under load")
        _told_of_load(traffic, traffic.since(delivered), told["production"])
        click.echo("and it was followed, beside the version before (seconds instead of 48 hours):")
        await_the_watch(project)
        return [told, *_comes_back(project, traffic)]


def _comes_back(project: Path, traffic: Traffic) -> list[dict[str, object]]:
    """Chapter 5: what the evaluation could not see, the labels of real requests do."""
    from seatrial.cli._comes_back import await_rollback, back_fill, skip_what_is_in_the_way

    _chapter(
        5, "It comes back by itself: gusts were noted afterwards, for the flights that came late"
    )
    for name in ("training_data", "validation_data"):
        back_fill(project / "data" / f"{name}.csv.gz")
    _profile(project)
    click.echo("the project's own tests know that who leaves an hour late arrives late:")
    stopped = _run(project, 1, wait=True)
    skip_what_is_in_the_way(project)
    click.echo(
        "\n(in a hurry: those tests, and the shadow test, which would have seen it, were taken out)"
    )
    told = _run(project, 0, wait=True)
    model: Any = told["model"]
    await_rollback(project, traffic, model["version"])
    return [stopped, told]


def _told_of_load(traffic: Traffic, after: set[int], production: Any) -> None:
    """What the clients saw; the story stops when it is not what was promised."""
    answered, lost = len(traffic.answered), len(traffic.failed)
    click.echo(f"{answered} requests answered meanwhile, {lost} lost; {traffic.labels} labels sent")
    if lost or after != {production["after"]}:
        raise StoreError(f"the demo lost requests: {traffic.failed[:1]}; answered by {after}")
    click.echo(
        f"every request sent after the promotion had returned was answered by version"
        f" {production['after']}"
    )


def _learn_from_may(project: Path) -> None:
    """January to March once more, honest, and May behind it."""
    honest = example_folder() / "data" / "training_data.csv.gz"
    head, *rows = gzip.decompress(honest.read_bytes()).splitlines(keepends=True)
    may = gzip.decompress((project / "later" / "month_05.csv.gz").read_bytes())
    learned = [head, *rows, *may.splitlines(keepends=True)[1:]]
    target = project / "data" / "training_data.csv.gz"
    target.write_bytes(gzip.compress(b"".join(learned), mtime=0))


def _chapter(number: int, title: str) -> None:
    click.secho(f"\n{number}. {title}", bold=True)


def _run(project: Path, expected: int, *changes: str, wait: bool = False) -> dict[str, object]:
    """A real run; the story only goes on when it went as told."""
    from seatrial.cli._progress import narrator
    from seatrial.cli._told import tell
    from seatrial.engines import _drive

    say = narrator(to_stderr=False)
    driven = _drive.run(project / "pipeline.yaml", changes, wait=wait, say=say)
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
    from seatrial.data.dataset import Dataset
    from seatrial.data.profiles import profile
    from seatrial.data.table import open_table

    table = open_table(Dataset("training_data", project / "data" / "training_data.csv.gz"))
    profile.write(profile.make(table), project / "baseline_distribution.json")


def _history(project: Path) -> str:
    """Print the moves of production, prove the ledger; its head."""
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


def _report(project: Path, run: str) -> Path:
    """A run as a page, drawn from the ledger alone; its file."""
    from seatrial.ledger import runs
    from seatrial.registry.project import open_project
    from seatrial.report.as_html import as_html
    from seatrial.report.sections import sources

    opened = open_project(workspace.at(project))
    with contextlib.closing(opened.ledger):
        page = as_html(sources(opened, runs.get(opened.ledger, run)))
    file = project / "report.html"
    file.write_text(page, encoding="utf-8")
    return file
