"""``seatrial status``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from seatrial.cli._options import json_option, minute, print_json, print_table, project
from seatrial.cli._traffic import drift_of, line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from seatrial.registry.project import Project


@click.command(epilog="Example: seatrial status")
@json_option
def status(*, as_json: bool) -> None:
    """Who serves, since when, why; what is watched, held, waits or is asked."""
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
    for said in _lines(told):
        click.echo(said)


def _lines(told: dict[str, list[dict[str, Any]]]) -> Iterator[str]:
    """What is not in the table, for people."""
    for item in told["watches"]:
        yield (
            f"watched until {minute(item['until'])} UTC: {item['model']} version {item['version']}"
            f" beside version {item['against']}, {item['labels']} labels so far"
        )
    for item in told["drift"]:
        if said := line(item):
            yield said
    for item in told["remarks"]:
        yield (
            f"gateway {item['address']} on {item['model']} version {item['version']}:"
            f" {item['reason']}"
        )
    for item in told["held"]:
        yield f"{item['what']} since {minute(item['since'])} UTC: {item['reason']}"
    for item in told["waiting"]:
        yield f"waiting: {item['step']} of run {item['run']}: {item['reason']}"
    for item in told["reviews"]:
        yield f"review until {minute(item['due'])} UTC: {item['question']}"
        yield f"  seatrial reviews {item['id']}"
    for item in told["trouble"]:
        yield (
            f"not told: {item['channel']} does not take messages since {minute(item['since'])} UTC"
            f" ({item['waiting']} wait, {item['given_up']} given up): {item['error']}"
        )


def _status(opened: Project) -> dict[str, list[dict[str, Any]]]:
    models: dict[str, dict[str, Any]] = {}
    for channel in opened.registry.channels():
        empty = dict.fromkeys(("production", "staging", "since", "why"))
        model = models.setdefault(channel.model, {"name": channel.model, **empty})
        model[channel.channel] = channel.version
        if channel.channel == "production":
            model.update(since=channel.since, why=channel.reason)
    return {
        "models": list(models.values()),
        "watches": _watches(opened),
        "drift": _drift(opened, models.values()),
        "remarks": [*_remarks(opened)],
        "held": [*_held(opened)],
        "waiting": _waiting(opened),
        "reviews": _reviews(opened),
        "trouble": _trouble(opened),
    }


def _watches(opened: Project) -> list[dict[str, Any]]:
    """What is being followed, and how many labels were counted so far."""
    from seatrial.registry import watches

    return [
        {
            "model": watch.model,
            "version": watch.version,
            "against": watch.against,
            "since": watch.opened,
            "until": watch.until,
            "labels": sum(
                (kept["following"] or {}).get("counts", {}).get("matched", 0)
                for kept in watches.trails(opened.ledger, watch.id).values()
            ),
        }
        for watch in watches.under_way(opened.ledger)
    ]


def _remarks(opened: Project) -> Iterator[dict[str, Any]]:
    """Why a live gateway does not serve a version, or where its machine differs though it does."""
    from seatrial.registry import gateways, standing

    pointed = sorted({(each.model, each.version) for each in opened.registry.channels()})
    for model, version in pointed:
        said = standing.of(opened.ledger, opened.workspace.home, model, version, gateways.READY)
        address = {each.id: each.address for each in said.live}
        for each in (*said.nacks, *said.remarked):
            yield {
                "gateway": each.gateway,
                "address": address[each.gateway],
                "model": model,
                "version": version,
                "reason": each.reason,
            }


def _drift(opened: Project, models: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """How the traffic of each version in production stands to what it was trained on."""
    serving = [(m["name"], m["production"]) for m in models if m["production"] is not None]
    return [drift_of(opened, name, version) for name, version in serving]


def _held(opened: Project) -> Iterator[dict[str, Any]]:
    """What is not promoted by itself: models that are frozen, versions in quarantine."""
    from seatrial.registry import brakes

    for each in brakes.all_frozen(opened.ledger):
        about: dict[str, Any] = {"what": f"{each.model} is frozen", "model": each.model}
        yield {**about, "version": None, "since": each.since, "reason": each.reason}
    for found in brakes.all_quarantined(opened.ledger):
        what = f"{found.model} version {found.version} is in quarantine"
        about = {"what": what, "model": found.model, "version": found.version}
        yield {**about, "since": found.since, "reason": found.reason}


def _waiting(opened: Project) -> list[dict[str, Any]]:
    from seatrial.ledger import runs

    return [
        {"run": run.id, "step": step.address, "until": step.due, "reason": step.reason}
        for run in runs.unfinished(opened.ledger)
        for step in runs.steps(opened.ledger, run.id)
        if step.state != "done" and step.reason
    ]


def _reviews(opened: Project) -> list[dict[str, Any]]:
    """What people are asked; whose time is over has left the queue."""
    from seatrial.review.deadlines import tend
    from seatrial.review.items import waiting

    tend(opened.ledger, opened.workspace.clock())
    with opened.ledger.read() as connection:
        found = waiting(connection)
    return [
        {
            "id": item.id,
            "kind": item.kind,
            "subject": item.subject,
            "question": item.asked.question,
            "recommended": item.asked.recommended,
            "due": item.due,
            "on_timeout": item.asked.on_timeout,
            "model": item.asked.model,
            "run": item.asked.run,
            "step": item.asked.step,
            "reason": item.asked.evidence.get("reason"),
        }
        for item in found
    ]


def _trouble(opened: Project) -> list[dict[str, Any]]:
    """Channels of the folder's files that do not take what they are told."""
    from dataclasses import asdict

    from seatrial.notify import channels_of
    from seatrial.notify.courier.troubles import trouble
    from seatrial.serve.pipelines import pipelines_of

    found = trouble(opened.ledger)
    if not found:
        return []
    pipelines = pipelines_of(opened.workspace.folder).pipelines.values()
    named = {listener.name for pipeline in pipelines for listener in channels_of(pipeline)}
    return [asdict(each) for each in found if each.channel in named]
