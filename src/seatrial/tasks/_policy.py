"""The rollback policy of a stage, as its ``rollback_plan`` states it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from seatrial.tasks import Scope, Task

FORM = re.compile(r"\s*degradation\s*>\s*([0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?)\s*")


def number(threshold: str) -> float | None:
    """The NUMBER of ``degradation > NUMBER``; ``None`` when it does not read so.

    >>> number("degradation > 0.05")
    0.05
    """
    match = FORM.fullmatch(threshold)
    return float(match[1]) if match else None


def rollback_margin(scope: Scope) -> float | None:
    """The margin of the first rollback plan in the file."""
    for task in scope.tasks.values():
        margin = _margin(task)
        if margin is not None:
            return margin
    return None


def stage_policy(scope: Scope) -> dict[str, object] | None:
    """The policy that is installed with a promotion of this stage."""
    for _, task in scope.same_stage():
        margin = _margin(task)
        if margin is not None:
            return {"previous_version": "retained", "degradation_margin": margin}
    return None


def _margin(task: Task) -> float | None:
    threshold = getattr(task, "auto_rollback_threshold", None)
    return number(threshold) if isinstance(threshold, str) else None
