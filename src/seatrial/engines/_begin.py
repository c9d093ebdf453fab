"""Begin a run, or find the unfinished one that this would be."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from seatrial.errors import FormError, Mistake
from seatrial.ledger import runs
from seatrial.ledger.store import canonical
from seatrial.review import person
from seatrial.review.deadlines import tend
from seatrial.tasks import roles_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from seatrial.data.dataset import Dataset
    from seatrial.engines import Work
    from seatrial.ledger.runs import Run
    from seatrial.plan import Plan


def begin(work: Work) -> tuple[Run, bool]:
    """The run, and whether it is one resumed. Ends it with :class:`FormError` on unusable data."""
    plan, project = work.plan, work.project
    # a run whose time for an answer is over has ended, whether or not anybody has noticed
    tend(project.ledger, project.workspace.clock())
    run, resumed = runs.begin(
        project.ledger,
        identity=project.workspace.ids(),
        pipeline=plan.pipeline.name,
        key=_key(plan),
        model=plan.pipeline.model,
        request={
            "file": plan.pipeline.file,
            "text": plan.pipeline.text,
            "changes": list(plan.pipeline.changes),
            "by": person.name(),
        },
        steps=[step.address for step in plan.steps],
    )
    mistakes = list(dict.fromkeys(_unusable(work)))
    if mistakes:
        serving = project.registry.channel(run.model, "production")
        runs.end(
            project.ledger,
            run.id,
            runs.State.FINISHED,
            None,
            serving.version if serving else None,
            [str(mistake) for mistake in mistakes],
        )
        raise FormError(*mistakes)
    return run, resumed


def _key(plan: Plan) -> str:
    """Digest of the file, its settings, and the content of everything that it reads."""
    contents: dict[str, str] = {}
    for step in plan.steps:
        for read in step.task.inputs(step.scope):
            path = read if isinstance(read, Path) else step.scope.dataset(read.dataset).path
            contents[str(path)] = _content(path)
    key = [plan.pipeline.digest, list(plan.pipeline.changes), contents]
    return hashlib.sha256(canonical(key).encode()).hexdigest()


def _content(path: Path) -> str:
    if path.is_dir():
        files = sorted(f for f in path.rglob("*") if f.is_file() and "__pycache__" not in f.parts)
        return canonical({str(f.relative_to(path)): _digest(f) for f in files})
    return _digest(path) if path.is_file() else "missing"


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _unusable(work: Work) -> Iterator[Mistake]:
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
            try:
                if read.labelled:
                    roles_of(work.plan.pipeline, work.open_table(dataset))
                else:
                    work.open_rows(dataset)
            except FormError as error:
                yield from error.mistakes
