"""Who calls the steps of a plan, and when.

Every step goes through ``engines._step.perform``, so that claims, retries and records are the same
under all engines. To add one, write ``engines/NAME.py`` with ``class Name``: one that drives runs
inside this process has ``run`` (:class:`Engine`); one that writes a file for an engine elsewhere
has ``export`` (:class:`Exporter`), and that file calls ``seatrial begin`` and ``seatrial step``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from seatrial.data import Rows
    from seatrial.data.dataset import Dataset
    from seatrial.data.table import Table
    from seatrial.engines._call import Call
    from seatrial.engines._outline import Outline
    from seatrial.ledger.runs import Run
    from seatrial.plan import Plan
    from seatrial.registry.project import Project


@dataclass(frozen=True, slots=True)
class Work:
    """A run to be driven: where, what, and whom to tell."""

    project: Project
    plan: Plan
    say: Callable[[str], None]
    _opened: dict[Dataset, Rows] = field(default_factory=dict)

    def open_rows(self, dataset: Dataset) -> Rows:
        """Open a dataset for counting, once for this process."""
        from seatrial.data.opening import open_rows  # noqa: PLC0415 - loads duckdb

        if dataset not in self._opened:
            self._opened[dataset] = open_rows(dataset)
        return self._opened[dataset]

    def open_table(self, dataset: Dataset) -> Table:
        """Open a dataset whose rows are read here, once for this process."""
        from seatrial.data.opening import local  # noqa: PLC0415 - loads duckdb

        return local(self.open_rows(dataset))


class Engine(Protocol):
    """Drives runs."""

    def run(self, work: Work, run: Run, *, wait: bool) -> Run:
        """Perform the steps of a run until it ends, waits, or something is in the way."""


class Exporter(Protocol):
    """Writes the file by which an engine elsewhere runs a pipeline.

    One whose file brings seatrial along says ``installs_seatrial = True``: it is not asked for.
    """

    def export(self, outline: Outline, call: Call) -> str:
        """The text of the file, without its seal (``engines._exported``)."""
