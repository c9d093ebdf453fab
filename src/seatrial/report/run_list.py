"""Runs as a list: what ``runs --json`` prints, and what the API of the web page answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from seatrial.ledger.runs import Run

KEYS = ("run", "pipeline", "started", "state", "verdict")


def run_list(runs: Iterable[Run]) -> list[dict[str, object]]:
    """A line for each run, with the keys of :data:`KEYS`; ``started`` is ISO, UTC."""
    rows = ((each.id, each.pipeline, each.started, each.state, each.verdict) for each in runs)
    return [dict(zip(KEYS, row, strict=True)) for row in rows]
