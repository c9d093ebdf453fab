"""One worker: goes on with runs of the ledger until none is left. ``worker.py FOLDER SEED``.

Each has a home of its own, as on a machine of its own. It keeps away from runs that another one
performs now, while there are others.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from seatrial import workspace
from seatrial.engines._resume import resume
from seatrial.ledger import runs
from seatrial.ledger.tables import STEP
from seatrial.registry.project import open_project

if TYPE_CHECKING:
    from seatrial.registry.project import Project


def main(folder: Path, seed: int) -> None:
    """Work."""
    project = open_project(workspace.at(folder))
    chance = random.Random(seed)  # noqa: S311 - the same order each time
    while left := [run.id for run in runs.unfinished(project.ledger)]:
        others = _of_others(project)
        resume(project, chance.choice([run for run in left if run not in others] or left))
    project.ledger.close()


def _of_others(project: Project) -> set[str]:
    """Runs of which a machine that is not this one performs a step now."""
    query = sa.select(STEP.c.run).where(
        STEP.c.state == "running",
        STEP.c.host != workspace.machine(project.workspace.home),
        STEP.c.lease_until > project.ledger.clock().isoformat(),
    )
    with project.ledger.read() as connection:
        return set(connection.execute(query).scalars())


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
