"""The words of the pipeline file: one file each, found by its name.

To add a task, write ``tasks/check_freshness.py`` with ``class CheckFreshness(Task)``: its fields
are the parameters (their types and defaults are what the file may say), ``run`` gives the
verdict. Another package does the same through the entry point group ``seatrial.tasks``.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Protocol, runtime_checkable

import msgspec

from seatrial.data import dataset as datasets
from seatrial.errors import FormError, Mistake, nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from seatrial.data import Rows
    from seatrial.data.dataset import Dataset
    from seatrial.data.roles import Roles
    from seatrial.data.table import Table
    from seatrial.ledger.blobs import Blobs
    from seatrial.ledger.runs import Run
    from seatrial.metrics import Metric
    from seatrial.outcome import Outcome, Wait
    from seatrial.pipeline import Pipeline, TaskEntry
    from seatrial.registry.registry import Registry
    from seatrial.workspace import Workspace

VALIDATED = "validated_"


@dataclass(frozen=True, slots=True)
class Input:
    """A dataset that a task reads; a ``labelled`` one must have a usable target."""

    dataset: str
    labelled: bool = False


class Task(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Parameters of a word, and what it does with them."""

    checks_dataset: ClassVar[bool] = False
    """Whether a pass lets later tasks say ``validated_`` before the name in ``dataset``."""
    judges_on_dataset: ClassVar[bool] = False
    """Whether it judges a model on the rows of ``dataset``, which are worn out by such uses."""

    def inputs(self, scope: Scope) -> Iterable[Input | Path]:
        """Datasets and files that the task reads: a run is the same run while these are."""
        del scope
        return ()

    def check(self, scope: Scope) -> Iterable[Mistake]:
        """What is wrong beyond the types of the parameters, told without reading rows."""
        del scope
        return ()

    def demands(self, scope: Scope) -> Iterable[str]:
        """One line each: what the task will demand, and what it can prove with the rows at hand."""
        del scope
        return ()

    def run(self, context: Context) -> Outcome | Wait:
        """Do it. Raise only when it could not be found out."""
        raise TypeError(f"{type(self).__name__} has no run(context): {context.once} cannot be done")


@runtime_checkable
class Reusable(Protocol):
    """A task whose earlier outcome stands for an equal step (only ``train`` and ``register``)."""

    def key(self, context: Context) -> str:
        """Digest of all that decides the outcome: code, parameters, data, seed."""

    def renew(self, context: Context, outcome: Outcome) -> Outcome | None:
        """Let the earlier outcome count for this run, or ``None`` when it is no longer whole."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What a task can know before anything runs."""

    pipeline: Pipeline
    entry: TaskEntry
    stage: str
    folder: Path
    tasks: Mapping[str, Task]
    """Every task of the file by address, in order."""

    def mistake(self, what: str, key: str, *, nearest: str = "", fix: str = "") -> Mistake:
        """A mistake in one of the task's parameters, with its place."""
        return Mistake(what, where=str(self.entry.where(key)), nearest=nearest, fix=fix)

    def earlier(self) -> Iterator[tuple[str, Task]]:
        """The tasks before this one."""
        for address, task in self.tasks.items():
            if address == self.entry.address:
                return
            yield address, task

    def follows(self, word: str) -> bool:
        """Whether a task of that word stands before this one, even one with mistakes in it."""
        before = itertools.takewhile(
            lambda entry: entry.address != self.entry.address, self.pipeline.tasks
        )
        return any(entry.word == word for entry in before)

    def same_stage(self) -> Iterator[tuple[str, Task]]:
        """The tasks of this one's stage."""
        for address, task in self.tasks.items():
            if address.partition(".")[0] == self.stage:
                yield address, task

    def dataset(self, name: str) -> Dataset:
        """Where a dataset lies; ``validated_x`` is the dataset ``x``."""
        return datasets.find(name.removeprefix(VALIDATED), self.folder, self.pipeline.datasets)

    def short(self, path: Path) -> str:
        """A path as the user would write it: relative to the project folder when inside it."""
        return str(path.relative_to(self.folder) if path.is_relative_to(self.folder) else path)

    def place(self, dataset: Dataset) -> str:
        """A dataset as a command would be given it, where this one was said."""
        if dataset.path is not None:
            return str(Path(self.pipeline.file).parent / self.short(dataset.path))
        return dataset.address or dataset.name

    def path(self, name: str) -> Path:
        """A file that the pipeline file names, relative to its folder."""
        return self.folder / name


@dataclass(frozen=True, slots=True)
class Context:
    """What a task is given when it runs; everything that changes the world comes in here."""

    scope: Scope
    run: Run
    workspace: Workspace
    registry: Registry
    outcomes: Mapping[str, Outcome]
    """What the earlier tasks of this run said, by address."""
    open_rows: Callable[[Dataset], Rows]
    """Opens a dataset for counting; within one process each is opened once."""
    open_table: Callable[[Dataset], Table]
    """Opens a dataset whose rows are read here; within one process each is opened once."""
    say: Callable[[str], None]
    """Shows a line of progress."""

    @property
    def blobs(self) -> Blobs:
        """Where evidence and models are kept."""
        return self.registry.blobs

    @property
    def once(self) -> str:
        """The key under which this step's effects happen at most once."""
        return f"{self.run.id}/{self.scope.entry.address}"

    def rows(self, name: str) -> Rows:
        """A dataset, opened for counting."""
        return self.open_rows(self.scope.dataset(name))

    def table(self, name: str) -> Table:
        """A dataset, opened to be read row by row."""
        return self.open_table(self.scope.dataset(name))

    def fact(self, name: str) -> object:
        """The newest fact of that name among the earlier outcomes, or ``None``."""
        for outcome in reversed([*self.outcomes.values()]):
            if name in outcome.facts:
                return outcome.facts[name]
        return None


def primary_metric(pipeline: Pipeline, own: str | None = None) -> Metric | None:
    """The metric that is named (on the task or at top level); ``None``: the problem's default."""
    from seatrial import metrics  # noqa: PLC0415 - numpy is needed only when one is named

    name = own or pipeline.metric
    return metrics.get(name) if name else None


def roles_of(pipeline: Pipeline, table: Table, own_metric: str | None = None) -> Roles:
    """The roles of a dataset's columns, by the words of the pipeline file."""
    from seatrial.data.roles import roles  # noqa: PLC0415 - needs numpy

    metric = primary_metric(pipeline, own_metric)
    return roles(table, pipeline.problem, metric.problem if metric else None)


def check_dataset(scope: Scope, name: str, key: str) -> Iterator[Mistake]:
    """Mistakes about a dataset that a parameter names: unknown, or not yet validated."""
    plain = name.removeprefix(VALIDATED)
    if name != plain and plain not in set(_checked(scope)):
        yield scope.mistake(
            f"{name} is used before a check of {plain}",
            key,
            fix=f"check it in an earlier task: `- check_schema: {{dataset: {plain}}}`",
        )
    try:
        path = scope.dataset(name).path
    except FormError as error:
        for mistake in error.mistakes:
            yield scope.mistake(mistake.what, key, nearest=mistake.nearest, fix=mistake.fix)
        return
    # A pattern, a database or an address is looked at when it is opened.
    if path is not None and not path.exists() and not datasets.is_pattern(path):
        yield scope.mistake(
            f"dataset {plain}: there is no file {scope.short(path)}",
            key,
            nearest=nearest(path.name, [f.name for f in path.parent.glob("*")]),
            fix=f"put the file there, or correct `datasets: {plain}: {{path: …}}`",
        )


def _checked(scope: Scope) -> Iterator[str]:
    for _, task in scope.earlier():
        if task.checks_dataset:
            yield str(getattr(task, "dataset", ""))
