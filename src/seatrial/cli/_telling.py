"""What a command decided is told when it ends, where no ``seatrial serve`` is at work to do so."""

from __future__ import annotations

from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from seatrial.workspace import Workspace

WITHIN_S = 10.0
"""A channel that takes longer is told by the next command, or by ``seatrial serve``."""


def tell_people(workspace: Workspace) -> None:
    """Send what waits, once, to the channels that the folder's pipeline files name."""
    from seatrial.serve.pipelines import pipelines_of

    pipelines = pipelines_of(workspace.folder).pipelines.values()
    if not any(pipeline.notify.channels for pipeline in pipelines):
        return
    from seatrial.notify.courier import deliver
    from seatrial.registry.page import page
    from seatrial.registry.project import open_project

    project = open_project(workspace)
    with closing(project.ledger):
        where = partial(page, project.ledger, workspace.home)
        deliver(workspace, project.ledger, pipelines, WITHIN_S, where)
