"""How the traffic of what serves stands to its training data, in words and as a document."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from seatrial.registry import drifts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seatrial.registry.drifts import Hour
    from seatrial.registry.project import Project

UNKNOWN = "it was registered without a profile of its training data; train it anew to be told"


def drift_of(project: Project, model: str, version: int) -> dict[str, Any]:
    """What the newest day of traffic said of a version in production; every key present."""
    newest = drifts.latest(project.ledger, model, version)
    told: dict[str, Any] = {
        "model": model,
        "version": version,
        **dict.fromkeys(("verdict", "since", "until", "hours", "rows", "measure", "unit")),
        "moved": [],
        "alone": [],
        "columns": [],
        "unlogged": [],
        "note": "",
    }
    if newest is not None:
        return {**told, **_of_hour(newest)}
    if drifts.profile_of(project.registry, model, version) is None:
        told["note"] = UNKNOWN
    return told


def _of_hour(newest: Hour) -> dict[str, Any]:
    day, body = newest.day, newest.body
    return {
        **{key: day[key] for key in ("verdict", "hours", "rows", "moved", "alone", "columns")},
        **{key: body[key] for key in ("measure", "unit", "unlogged", "note")},
        "since": newest.since,
        "until": newest.end.isoformat(),
    }


def line(told: Mapping[str, Any]) -> str:
    """One line for people; empty when no hour was judged yet.

    >>> moved = {"name": "dep_delay", "value": 0.31, "limit": 0.1}
    >>> print(line({"model": "late", "version": 3, "verdict": "fail", "moved": ["dep_delay"],
    ...     "columns": [moved], "unit": "nats", "since": "2026-11-24T13:00:00+00:00", "hours": 24,
    ...     "rows": 12430, "until": "2026-11-25T13:00:00+00:00", "note": "", "unlogged": []}))
    traffic of late version 3 moved: dep_delay 0.31 nats (limit 0.1), since 2026-11-24T13Z \
(24 h to 2026-11-25T13Z, 12 430 rows)
    """
    about = f"traffic of {told['model']} version {told['version']}"
    if told["verdict"] is None:
        return f"{about} is not compared: {told['note']}" if told["note"] else ""
    until = datetime.fromisoformat(told["until"])
    of = f"({told['hours']} h to {until:%Y-%m-%dT%HZ}, {_count(told['rows'])})"
    return f"{about}{_said(told)} {of}{_rest(told)}"


def _said(told: Mapping[str, Any]) -> str:
    columns, unit = told["columns"], told["unit"] or ""
    match told["verdict"]:
        case "fail":
            moved = [each for each in columns if each["name"] in told["moved"]]
            since = datetime.fromisoformat(told["since"])
            said = drifts.columns_said(moved, len(told["moved"]), unit)
            return f" moved: {said}, since {since:%Y-%m-%dT%HZ}"
        case "pass":
            return ": like training"
        case "skip":
            return ": nothing to compare"
    farthest = drifts.columns_said(columns[:1], 1, unit)
    if told["alone"]:
        return f" moved within a single hour; the farthest, {farthest}"
    return f": too few rows, or too near the limit, to say; the farthest, {farthest}"


def _rest(told: Mapping[str, Any]) -> str:
    parts = [told["note"]] if told["note"] else []
    if told["unlogged"]:
        parts.append(f"not logged: {', '.join(told['unlogged'])}")
    return f"; {'; '.join(parts)}" if parts else ""


def _count(rows: int) -> str:
    grouped = f"{rows:,}".replace(",", " ")
    return f"{grouped} row{'s' * (rows != 1)}"
