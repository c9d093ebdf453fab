"""What every report of a run is made from, read from the ledger at one time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from seatrial.ledger import paths
from seatrial.pipeline.read import read
from seatrial.registry.page import page
from seatrial.report.asked import asked_about
from seatrial.report.document import document

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from seatrial.ledger.runs import Run
    from seatrial.registry.project import Project
    from seatrial.report.asked import Asked


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A run as it stands: the record, its document (design §3), what people were asked of it.

    ``seed`` is ``None`` where this release does not understand the file of the run; ``page`` is the
    address of its page, ``None`` while no gateway says where that is.
    """

    run: Run
    document: Mapping[str, Any]
    asked: tuple[Asked, ...]
    seed: int | None
    page: str | None = None

    @property
    def tasks(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Every task of the file with its address ``STAGE.TASK``, in order."""
        for stage in self.document["stages"]:
            for task in stage["tasks"]:
                yield f"{stage['name']}.{task['task']}", task

    @property
    def changes(self) -> Sequence[str]:
        """The ``--set`` that it began with."""
        return cast("Sequence[str]", self.run.request["changes"])


def account(project: Project, run: Run) -> Account:
    """The account of a run."""
    place = page(project.ledger, project.workspace.home)
    return Account(
        run=run,
        document=document(project, run),
        asked=asked_about(project.ledger, run.id),
        seed=_seed(run),
        page=None if place is None else place + paths.of_run(run.id),
    )


def _seed(run: Run) -> int | None:
    """Another release may have begun the run, and read files otherwise."""
    pipeline = read(str(run.request["text"]), str(run.request["file"]))
    return None if pipeline.mistakes else pipeline.seed
