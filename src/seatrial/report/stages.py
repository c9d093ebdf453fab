"""How far has a run come? Its stages and tasks, in order, each with how it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seatrial.report.headline import minute
from seatrial.report.section import Badge, Stage, Stages, Step

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from seatrial.report.account import Account


def stages(account: Account) -> Stages:
    """Every task of the file."""
    here = next((address for address, task in account.tasks if _is_here(task)), None)
    return Stages(
        tuple(
            Stage(
                stage["name"],
                Badge(_stands(stage)),
                tuple(_step(stage["name"], task, here) for task in stage["tasks"]),
            )
            for stage in account.document["stages"]
        )
    )


def standing(task: Mapping[str, Any]) -> str:
    """The verdict of a task in its word; else its state.

    >>> standing({"verdict": None, "state": "not_reached"})
    'not reached'
    """
    return str(task["verdict"] or task["state"]).replace("_", " ")


def _is_here(task: Mapping[str, Any]) -> bool:
    """Whether the run stands at this task: it waits there, or its verdict ended the stage."""
    return task["state"] == "waiting" or task["verdict"] in {"fail", "inconclusive"}


def _stands(stage: Mapping[str, Any]) -> str:
    """A stage without a verdict is under way once a task of it has been reached."""
    tasks: Sequence[Mapping[str, Any]] = stage["tasks"]
    if stage["verdict"]:
        return str(stage["verdict"])
    return "not reached" if all(each["state"] == "not_reached" for each in tasks) else "waiting"


def _step(stage: str, task: Mapping[str, Any], here: str | None) -> Step:
    until = task["waiting_until"]
    said = [task["reason"] or "", f"until {minute(until)} UTC" if until else ""]
    return Step(
        name=task["task"],
        badge=Badge(standing(task)),
        said="; ".join(filter(None, said)),
        current=here == f"{stage}.{task['task']}",
    )
