"""The demo's fifth chapter: a version that passes offline, does harm live, and is rolled back."""

from __future__ import annotations

import csv
import gzip
import io
import json
import time
from contextlib import closing
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from seatrial.errors import Mistake, StoreError

if TYPE_CHECKING:
    from pathlib import Path

    from seatrial.cli._real_water import Traffic
    from seatrial.registry.project import Project

MODEL = "flights_late"
GUST, STORM = "wind_gust", "60.0"
BACK_S = 90.0
"""How long the story waits for the watch; it takes a few seconds, on a busy machine more."""

WATCH = "watch: {hours: 0.003}\n"
IN_THE_WAY = (
    "          tests: tests/ # Our own, with pytest\n",
    "          cases: tests/cases.csv\n",
    "      - shadow_tests:\n          traffic_percentage: 5\n          duration_hours: 48\n",
)
"""What would have seen it: the project's own tests and cases, and the shadow test."""


def shorten_the_watch(project: Path) -> None:
    """Seconds instead of 48 hours."""
    file = project / "pipeline.yaml"
    file.write_text(file.read_text() + WATCH)


def skip_what_is_in_the_way(project: Path) -> None:
    """As somebody in a hurry would."""
    file = project / "pipeline.yaml"
    text = file.read_text()
    for each in IN_THE_WAY:
        text = text.replace(each, "")
    file.write_text(text)


def back_fill(file: Path) -> None:
    """Note a storm for every late flight, as somebody who explains delays afterwards would."""
    text = gzip.decompress(file.read_bytes()).decode()
    rows: list[dict[str, Any]] = list(csv.DictReader(io.StringIO(text)))
    for row in rows:
        if row["late"] == "1":
            row[GUST] = STORM
    told = io.StringIO()
    writer = csv.DictWriter(told, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    file.write_bytes(gzip.compress(told.getvalue().encode(), mtime=0))


def await_the_watch(project: Path) -> None:
    """See the version that was delivered pass its watch; the story stops when it does not."""
    found = _wait_for(project, _ended)
    click.echo(f"version {found['version']}: {found['reason']}")


def await_rollback(project: Path, traffic: Traffic, bad: int) -> None:
    """See production go back, and tell how many labels and how many milliseconds that took."""
    move = _wait_for(project, lambda opened: _rollback(opened, bad))
    decided_s = datetime.fromisoformat(str(move["at"])).timestamp()
    ends = time.monotonic() + BACK_S
    while (first_s := traffic.first_after(decided_s, int(str(move["version"])))) is None:
        if time.monotonic() > ends:
            raise StoreError(Mistake("the demo saw no answer by the version before"))
        time.sleep(0.01)
    click.echo(f"rolled back by the watch: {move['reason']}")
    labels = move["labels"]
    click.echo(
        f"{labels} labelled requests were enough; {1000 * (first_s - decided_s):.0f} ms after the"
        f" decision version {move['version']} answered again"
    )
    click.echo(f"version {bad} is in quarantine; nothing is promoted by itself for 24 hours")


def _ended(opened: Project) -> dict[str, Any] | None:
    from seatrial.registry import watches

    watch = watches.latest(opened.ledger, MODEL)
    if watch is None or watch.closed is None:
        return None
    if watch.state is not watches.State.PASSED:
        raise StoreError(Mistake(f"the demo expected a pass, and the watch said: {watch.reason}"))
    return {"version": watch.version, "reason": watch.reason}


def _rollback(opened: Project, bad: int) -> dict[str, Any] | None:
    from seatrial.registry import watches

    watch = watches.latest(opened.ledger, MODEL, bad)
    if watch is None or watch.state is not watches.State.FAILED:
        return None
    move = opened.registry.history(MODEL)[-1]
    evidence: Any = json.loads(opened.registry.blobs.get(str(move["evidence"])))
    return {**move, "labels": evidence["judged"]["quality"]["measure"]["n"]}


def _wait_for(project: Path, look: Any) -> Any:
    from seatrial import workspace
    from seatrial.registry.project import open_project

    opened = open_project(workspace.at(project))
    ends = time.monotonic() + BACK_S
    with closing(opened.ledger):
        while (found := look(opened)) is None:
            if time.monotonic() > ends:
                raise StoreError(
                    Mistake(
                        f"the demo waited {BACK_S:g} s for the watch",
                        where=str(project / "serve.log"),
                        fix="read its log; on a very busy machine try again",
                    )
                )
            time.sleep(0.05)
    return found
