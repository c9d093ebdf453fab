"""A run in a few lines: what was found, the verdict, what to do next."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import click

from seatrial.cli._options import minute
from seatrial.ledger import paths

if TYPE_CHECKING:
    from seatrial.engines._drive import Driven
    from seatrial.review.items import Item


def tell(driven: Driven) -> None:
    """What was found, the verdict in one line, and what to do next."""
    told: dict[str, Any] = driven.document
    for stage in told["stages"]:
        for task in stage["tasks"]:
            _findings(f"{stage['name']}.{task['task']}", task["findings"])
    if driven.error is not None:
        click.echo(str(driven.error), err=True)
    if told["run"] is None:
        return
    if told["state"] == "finished" and told["verdict"] == "inconclusive":
        for error in told["errors"]:
            click.echo(error)
    click.echo(_summary(driven, told))
    for item in driven.asked:
        _asked(item, driven.page)
    if driven.page is not None:
        click.echo(f"its page: {driven.page}{paths.of_run(told['run'])}")
    click.echo(f"ledger head {driven.head}")


def _findings(address: str, findings: list[dict[str, str]]) -> None:
    """What a task found, and what to do; one hint for several only after the last of them."""
    hints = pairwise([*(finding["hint"] for finding in findings), ""])
    for finding, (hint, following) in zip(findings, hints, strict=True):
        where = f" ({finding['where']})" if finding["where"] else ""
        click.echo(f"  {address}: {finding['what']}{where}")
        if hint and hint != following:
            click.echo(f"    hint: {hint}")


def _asked(item: Item, page: str | None) -> None:
    """Who must decide until when, and how."""
    click.echo(f"review {item.id} until {minute(item.due)} UTC, else: {item.asked.on_timeout}")
    for choice in item.asked.options:
        click.echo(f"  seatrial {choice} {item.id} --reason '…'")
    click.echo(f"  its evidence: seatrial reviews {item.id}")
    if page is not None:
        click.echo(f"  on the page: {page}{paths.of_review(item.id)}")


def _summary(driven: Driven, told: dict[str, Any]) -> str:
    before, after = told["production"]["before"], told["production"]["after"]
    if after is None:
        serving = "nothing is in production"
    elif before == after:
        serving = f"production stays at version {after}"
    else:
        serving = f"production is version {after} (was: {before or 'nothing'})"
    endings = {
        3: "inconclusive, for review" if driven.asked else "inconclusive; the run has ended",
        4: f"waiting until {_until(told)} UTC; run the same command then, or use --wait",
        5: "stopped; the same command resumes it",
    }
    verdict = told["verdict"] or "no verdict"
    return f"{endings.get(driven.exit_code, verdict)}: {serving}"


def _until(told: dict[str, Any]) -> str:
    times = [t["waiting_until"] for s in told["stages"] for t in s["tasks"] if t["waiting_until"]]
    return min(times)[:16].replace("T", " ") if times else "?"
