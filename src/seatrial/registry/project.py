"""The opened stores of one project folder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from seatrial.ledger.blobs import open_blobs
from seatrial.ledger.store import open_ledger
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
    ledger = open_ledger(workspace, existing=existing, busy_ms=busy_ms)
    blobs = open_blobs(workspace.home, workspace.blob_store)
    return Project(workspace, ledger, Registry(ledger, blobs))
