"""How a project stands now: who serves, since when, why; what is watched, held, waits or is asked.

The document of ``seatrial status --json``, for the command line, the web page and its API.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec
import sqlalchemy as sa

from seatrial.ledger.tables import REVIEW, RUN, STEP
from seatrial.notify.courier.troubles import trouble
from seatrial.registry import brakes, gateways, standing, watches
from seatrial.report.drifted import drift_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from seatrial.registry.project import Project

Document = dict[str, list[dict[str, Any]]]


def status(project: Project, listeners: Collection[str]) -> Document:
    """The document; every key is present, times are ISO, UTC.

    ``listeners`` are the names of the channels that the folder's pipeline files have now: those
    that no file names any more have no trouble. Questions whose time is over are left out; who
    may write does what is due with them first (``review.deadlines.tend``).
    """
    models = _models(project)
    return {
        "models": models,
        "watches": _watches(project),
        "drift": _drift(project, models),
        "remarks": [*_remarks(project)],
        "held": [*_held(project)],
        "waiting": _waiting(project),
        "reviews": [*_reviews(project)],
        "trouble": [asdict(e) for e in trouble(project.ledger) if e.channel in listeners],
    }


def _models(project: Project) -> list[dict[str, Any]]:
    models: dict[str, dict[str, Any]] = {}
    for channel in project.registry.channels():
        empty = dict.fromkeys(("production", "staging", "since", "why"))
        model = models.setdefault(channel.model, {"name": channel.model, **empty})
        model[channel.channel] = channel.version
        if channel.channel == "production":
            model.update(since=channel.since, why=channel.reason)
    return list(models.values())


def _watches(project: Project) -> list[dict[str, Any]]:
    """What is being followed, and how many labels were counted so far."""
    return [
        {
            "model": watch.model,
            "version": watch.version,
            "against": watch.against,
            "since": watch.opened,
            "until": watch.until,
            "labels": sum(
                (kept["following"] or {}).get("counts", {}).get("matched", 0)
                for kept in watches.trails(project.ledger, watch.id).values()
            ),
        }
        for watch in watches.under_way(project.ledger)
    ]


def _drift(project: Project, models: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """How the traffic of each version in production stands to what it was trained on."""
    serving = [(m["name"], m["production"]) for m in models if m["production"] is not None]
    return [drift_of(project, name, version) for name, version in serving]


def _remarks(project: Project) -> Iterator[dict[str, Any]]:
    """Why a live gateway does not serve a version, or where its machine differs though it does."""
    pointed = sorted({(each.model, each.version) for each in project.registry.channels()})
    for model, version in pointed:
        said = standing.of(project.ledger, project.workspace.home, model, version, gateways.READY)
        address = {each.id: each.address for each in said.live}
        for each in (*said.nacks, *said.remarked):
            yield {
                "gateway": each.gateway,
                "address": address[each.gateway],
                "model": model,
                "version": version,
                "reason": each.reason,
            }


def _held(project: Project) -> Iterator[dict[str, Any]]:
    """What is not promoted by itself: models that are frozen, versions in quarantine."""
    for each in brakes.all_frozen(project.ledger):
        about: dict[str, Any] = {"what": f"{each.model} is frozen", "model": each.model}
        yield {**about, "version": None, "since": each.since, "reason": each.reason}
    for found in brakes.all_quarantined(project.ledger):
        what = f"{found.model} version {found.version} is in quarantine"
        about = {"what": what, "model": found.model, "version": found.version}
        yield {**about, "since": found.since, "reason": found.reason}


def _waiting(project: Project) -> list[dict[str, Any]]:
    """Steps of runs that have not ended, those of the newest run first."""
    query = (
        sa.select(STEP.c.run, STEP.c.address, STEP.c.due, STEP.c.reason)
        .join(RUN, RUN.c.id == STEP.c.run)
        .where(RUN.c.ended.is_(None), STEP.c.state != "done", STEP.c.reason.is_not(None))
        .order_by(RUN.c.started.desc(), RUN.c.id.desc(), STEP.c.position)
    )
    with project.ledger.read() as connection:
        rows = connection.execute(query).all()
    return [
        {"run": row.run, "step": row.address, "until": row.due, "reason": row.reason}
        for row in rows
        if row.reason
    ]


class _Body(msgspec.Struct):
    """What of a stored question is told; it has more."""

    model: str | None
    run: str | None
    step: str | None
    question: str
    recommended: str
    on_timeout: str
    evidence: Mapping[str, Any]


def _reviews(project: Project) -> Iterator[dict[str, Any]]:
    """What people are asked, the one that is due first first."""
    now = project.workspace.clock()
    query = sa.select(REVIEW).where(REVIEW.c.status == "open").order_by(REVIEW.c.due, REVIEW.c.id)
    with project.ledger.read() as connection:
        rows = connection.execute(query).all()
    for row in rows:
        if datetime.fromisoformat(row.due) <= now:
            continue
        asked = msgspec.json.decode(row.body, type=_Body)
        yield {
            "id": row.id,
            "kind": row.kind,
            "subject": row.subject,
            "question": asked.question,
            "recommended": asked.recommended,
            "due": row.due,
            "on_timeout": asked.on_timeout,
            "model": asked.model,
            "run": asked.run,
            "step": asked.step,
            "reason": asked.evidence.get("reason"),
        }
