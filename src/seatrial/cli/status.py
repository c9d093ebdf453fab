"""``seatrial status``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from seatrial.cli._options import json_option, minute, print_json, print_table, project

if TYPE_CHECKING:
    from seatrial.registry.project import Project


@click.command(epilog="Example: seatrial status")
@json_option
def status(*, as_json: bool) -> None:
    """Who serves, since when, why; what waits."""
    told = _status(project())
    if as_json:
        print_json(told)
        return
    if not told["models"]:
        click.echo("no model yet; `seatrial run pipeline.yaml` delivers the first")
    else:
        print_table(
            ("model", "production", "staging", "since", "why"),
            [
                (
                    m["name"],
                    m["production"],
                    m["staging"],
                    m["since"] and minute(m["since"]),
                    m["why"],
                )
                for m in told["models"]
            ],
        )
    for kind in ("waiting", "reviews"):
        for item in told[kind]:
            click.echo(f"{kind}: {item['step']} of run {item['run']}: {item['reason']}")


def _status(opened: Project) -> dict[str, list[dict[str, Any]]]:
    from seatrial.ledger import runs
    from seatrial.ledger.runs import State
    from seatrial.outcome import Verdict

    models: dict[str, dict[str, Any]] = {}
    for channel in opened.registry.channels():
        empty = dict.fromkeys(("production", "staging", "since", "why"))
        model = models.setdefault(channel.model, {"name": channel.model, **empty})
        model[channel.channel] = channel.version
        if channel.channel == "production":
            model.update(since=channel.since, why=channel.reason)
    waiting: list[dict[str, Any]] = []
    reviews: list[dict[str, Any]] = []
    for run in runs.latest(opened.ledger):
        if run.ended:
            continue
        for step in runs.steps(opened.ledger, run.id):
            item = {"run": run.id, "step": step.address, "until": step.due, "reason": step.reason}
            unsure = step.outcome and step.outcome.verdict is Verdict.INCONCLUSIVE
            if run.state is State.REVIEW and unsure:
                reviews.append(item)
            elif step.state != "done" and step.reason:
                waiting.append(item)
    return {"models": list(models.values()), "waiting": waiting, "reviews": reviews}
