"""Begin a run, or find the unfinished one that this would be."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from seatrial.engines._close import end
from seatrial.engines._release import installed
from seatrial.errors import FormError, Mistake
from seatrial.ledger import beginnings, replaced, runs
from seatrial.ledger.beginnings import Beginning
from seatrial.ledger.blobs import PREFIX
from seatrial.ledger.overlaps import Held
from seatrial.ledger.store import canonical
from seatrial.registry.placed import demand_place
from seatrial.review import person
from seatrial.review.deadlines import tend
from seatrial.tasks import roles_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from seatrial.data.dataset import Dataset
    from seatrial.engines import Work
    from seatrial.ledger.firings import Turn
    from seatrial.ledger.overlaps import Asked
    from seatrial.ledger.replaced import Replaced
    from seatrial.ledger.runs import Run

_MISSING = "missing"


def begin(work: Work, turn: Turn | None = None) -> tuple[Run, bool]:
    """The run, and whether it is one resumed. Ends it with :class:`FormError` on unusable data.

    ``turn`` is the scheduled time that it is for: :class:`SupersededError` when that has its run.
    """
    unopened: dict[Dataset, FormError] = {}
    beginning = replace(_beginning(work, unopened, {}), turn=turn)
    return _usable(work, beginnings.begin(work.project.ledger, beginning), unopened)


def begin_for(work: Work, asked: Asked, turn: Turn | None = None) -> tuple[Run, bool] | Held:
    """The same for a run of an engine, which one that is under way may hold up."""
    unopened: dict[Dataset, FormError] = {}
    driver = {"engine": asked.engine, "once": asked.once}
    beginning = replace(_beginning(work, unopened, driver), turn=turn)
    begun = beginnings.begin_for(work.project.ledger, beginning, asked)
    return begun if isinstance(begun, Held) else _usable(work, begun, unopened)


def _beginning(
    work: Work, unopened: dict[Dataset, FormError], driver: Mapping[str, str | None]
) -> Beginning:
    plan, project = work.plan, work.project
    demand_place(project.ledger, project.registry.blobs.store)
    # a run whose time for an answer is over has ended, whether or not anybody has noticed
    tend(project.ledger, project.workspace.clock())
    return Beginning(
        identity=project.workspace.ids(),
        pipeline=plan.pipeline.name,
        key=_key(work, unopened),
        model=plan.pipeline.model,
        request={
            "file": plan.pipeline.file,
            "text": plan.pipeline.text,
            "changes": list(plan.pipeline.changes),
            "by": person.name(),
            "seatrial": installed(),
            "engine": "embedded",
            **driver,
        },
        steps=[step.address for step in plan.steps],
    )


def _usable(
    work: Work, begun: tuple[Run, bool], unopened: Mapping[Dataset, FormError]
) -> tuple[Run, bool]:
    """The run; one whose data cannot be used ends at once."""
    run, _ = begun
    mistakes = list(dict.fromkeys(_unusable(work, unopened)))
    if mistakes:
        end(work, run, None, [str(mistake) for mistake in mistakes])
        raise FormError(*mistakes)
    return begun


def _key(work: Work, unopened: dict[Dataset, FormError]) -> str:
    """Digest of the file, its settings, and the content of everything that it reads.

    An unfinished run that replaced a file which it reads keeps the key that it began with.
    What cannot be opened is noted in ``unopened``, to be told once the run has begun.
    """
    contents = _contents(work, unopened)
    ledger, name = work.project.ledger, work.plan.pipeline.name
    for run in runs.unfinished(ledger):
        if run.pipeline == name and (changes := replaced.of_run(ledger, run.id)):
            begun = _digest_over(work, _before(contents, changes))
            if begun == run.key:
                return begun
    return _digest_over(work, contents)


def _digest_over(work: Work, contents: Mapping[str, str]) -> str:
    key = [work.plan.pipeline.digest, list(work.plan.pipeline.changes), contents]
    return hashlib.sha256(canonical(key).encode()).hexdigest()


def _before(contents: Mapping[str, str], changes: Sequence[Replaced]) -> Mapping[str, str]:
    """The contents as they were before a run replaced some of them."""
    found = dict(contents)
    for change in reversed(changes):
        if found.get(change.file) == change.after.removeprefix(PREFIX):
            found[change.file] = (change.before or _MISSING).removeprefix(PREFIX)
    return found


def _contents(work: Work, unopened: dict[Dataset, FormError]) -> dict[str, str]:
    contents: dict[str, str] = {}
    for step in work.plan.steps:
        for read in step.task.inputs(step.scope):
            if isinstance(read, Path):
                contents[_below(work, read)] = _content(read)
            else:
                dataset = step.scope.dataset(read.dataset)
                contents[_which(work, dataset)] = _rows(work, dataset, unopened)
    return contents


def _below(work: Work, path: Path) -> str:
    """A path as seen from the project folder: a copy of it on another machine is the same."""
    folder = work.plan.folder
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else str(path)


def _which(work: Work, dataset: Dataset) -> str:
    """Where rows are, and who counts them: of the same rows every engine has its own digest."""
    place = dataset.place if dataset.path is None else _below(work, dataset.path)
    if dataset.query:
        place = f"{place}: {dataset.query}"
    if dataset.engine == "duckdb":
        return place
    return f"{place} on {dataset.remote or dataset.master or dataset.engine}"


def _rows(work: Work, dataset: Dataset, unopened: dict[Dataset, FormError]) -> str:
    """The content of a dataset, wherever it is: the steps open it anyway, and it is opened once."""
    if dataset not in unopened:
        try:
            return work.open_rows(dataset).fingerprint.removeprefix(PREFIX)
        except FormError as error:
            unopened[dataset] = error
    return f"unusable: {unopened[dataset]}"


def _content(path: Path) -> str:
    if path.is_dir():
        files = sorted(f for f in path.rglob("*") if f.is_file() and "__pycache__" not in f.parts)
        return canonical({str(f.relative_to(path)): _digest(f) for f in files})
    return _digest(path) if path.is_file() else _MISSING


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _unusable(work: Work, unopened: Mapping[Dataset, FormError]) -> Iterator[Mistake]:
    """What opening and typing the datasets reveals, of all of them together."""
    seen: set[tuple[Dataset, bool]] = set()
    for step in work.plan.steps:
        for read in step.task.inputs(step.scope):
            if isinstance(read, Path):
                continue
            dataset = step.scope.dataset(read.dataset)
            if (dataset, read.labelled) in seen:
                continue
            seen.add((dataset, read.labelled))
            if dataset in unopened:
                yield from unopened[dataset].mistakes
                continue
            try:
                if read.labelled:
                    roles_of(work.plan.pipeline, work.open_table(dataset))
                else:
                    work.open_rows(dataset)
            except FormError as error:
                yield from error.mistakes
