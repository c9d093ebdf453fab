"""The opened stores of one project folder."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from seatrial.ledger.blobs import open_blobs
from seatrial.ledger.moved import demand_here
from seatrial.ledger.store import open_ledger
from seatrial.registry.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from seatrial.ledger.store import Ledger
    from seatrial.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Project:
    """Ledger and registry of a workspace, whose clock is the ledger's.

    ``machine_clock`` is that of this machine: by it the rows of the traffic here are dated.
    """

    workspace: Workspace
    ledger: Ledger
    registry: Registry
    machine_clock: Callable[[], datetime]


def open_project(
    workspace: Workspace, *, existing: bool = False, busy_ms: int | None = None
) -> Project:
    """Open the stores of a project; they are made when they do not exist.

    With ``existing`` they are not: :class:`PassingError` while there are none. ``busy_ms`` is that
    of :class:`~seatrial.ledger.store.Ledger`. UsageError when they were moved, and not there.
    """
    demand_here(workspace.home, workspace.database, workspace.blob_store)
    blobs = open_blobs(workspace.home, workspace.blob_store)
    ledger = open_ledger(workspace, existing=existing, busy_ms=busy_ms)
    shared = replace(workspace, clock=ledger.clock)
    return Project(shared, ledger, Registry(ledger, blobs), workspace.clock)
