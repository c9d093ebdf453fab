"""The opened stores of one project folder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from seatrial.errors import Mistake, PassingError
from seatrial.ledger.blobs import Blobs
from seatrial.ledger.store import Ledger
from seatrial.registry.registry import Registry

if TYPE_CHECKING:
    from seatrial.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Project:
    """Ledger and registry of a workspace."""

    workspace: Workspace
    ledger: Ledger
    registry: Registry


def open_project(
    workspace: Workspace, *, existing: bool = False, busy_ms: int | None = None
) -> Project:
    """Open the stores of a project; they are made when they do not exist.

    With ``existing`` they are not: :class:`PassingError` while there are none. ``busy_ms`` is that
    of :class:`~seatrial.ledger.store.Ledger`.
    """
    if existing and not workspace.ledger.exists():
        raise PassingError(Mistake("there is no ledger", where=str(workspace.ledger)))
    ledger = Ledger(workspace.ledger, workspace.clock, busy_ms)
    return Project(workspace, ledger, Registry(ledger, Blobs(workspace.blobs)))
