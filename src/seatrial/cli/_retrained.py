"""Train a version again, as it was trained, in a process of its own and in a scratch home.

The tasks of its run, ``train`` and ``register``, do it: what made the version makes the second
one, whatever it is made from. The project's own ledger and blobs are not written to.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from seatrial import extend, workspace
from seatrial.engines import Work
from seatrial.engines._step import perform
from seatrial.environment.machine.variables import A_PATH, VARIABLES
from seatrial.errors import Mistake, SeatrialError, StoreError
from seatrial.inference import foreign
from seatrial.ledger import beginnings, runs
from seatrial.ledger.beginnings import Beginning
from seatrial.outcome import Outcome, Verdict
from seatrial.pipeline.parameters import typed
from seatrial.pipeline.read import read
from seatrial.plan import Plan, PlannedStep, task_class
from seatrial.registry.project import open_project
from seatrial.tasks import Scope

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from seatrial.pipeline import Pipeline, TaskEntry
    from seatrial.registry.project import Project
    from seatrial.registry.registry import Registry, Version
    from seatrial.tasks import Task

_ORDER = "order.json"
_SAID = "said.json"


@dataclass(frozen=True, slots=True)
class Retrained:
    """The second version, in a registry that is gone afterwards.

    Without one, ``refused`` says why the training or its registration did not pass.
    """

    registry: Registry
    version: Version | None
    refused: str


def making(project: Project, version: Version, pipeline: Pipeline) -> Plan:
    """The two steps of its run that made a version; StoreError when they are not known."""
    if pipeline.mistakes:
        raise StoreError(_misunderstood(pipeline.mistakes[0]))
    entries = {entry.address: entry for entry in pipeline.tasks}
    register = _registering(project, version, entries)
    addresses = [*entries]
    before = addresses[: addresses.index(register)] if register else []
    train = next((each for each in reversed(before) if entries[each].word == "train"), None)
    if register is None or train is None:
        raise StoreError(Mistake(f"no task of its run is known that trained {version}"))
    return _plan(pipeline, project.workspace.folder, (train, register))


@contextmanager
def retrained(plan: Plan, version: Version, manifest: Mapping[str, Any]) -> Iterator[Retrained]:
    """Train again what :func:`making` found, with the values that the manifest records.

    StoreError when it cannot be done. What the training prints goes to standard error.
    """
    with tempfile.TemporaryDirectory(prefix="seatrial-reproduce-") as scratch:
        home = Path(scratch)
        order = {
            "folder": str(plan.folder.absolute()),
            "file": plan.pipeline.file,
            "text": plan.pipeline.text,
            "changes": list(plan.pipeline.changes),
            "steps": [step.address for step in plan.steps],
            "model": version.model,
            "training": manifest["training"],
        }
        (home / _ORDER).write_text(json.dumps(order), encoding="utf-8")
        variables = manifest.get("environment", {}).get("variables")
        said = _in_child(home, plan.folder, version, variables)
        opened = open_project(workspace.Workspace(plan.folder, home))
        try:
            again = opened.registry.version(version.model, 1) if said["registered"] else None
            yield Retrained(opened.registry, again, str(said["reason"]))
        finally:
            opened.ledger.close()


def main(arguments: Sequence[str]) -> int:
    """The child: do it in the home that is named, and leave there what came of it."""
    home = Path(arguments[0])
    order = json.loads((home / _ORDER).read_text(encoding="utf-8"))
    said: dict[str, object] = {"registered": False, "reason": "", "mistakes": []}
    try:
        outcome = _performed(order, home)
        said |= {"registered": outcome.verdict is Verdict.PASS, "reason": outcome.reason}
    except SeatrialError as error:
        said["mistakes"] = [asdict(mistake) for mistake in error.mistakes]
    (home / _SAID).write_text(json.dumps(said), encoding="utf-8")
    return 0


def _in_child(
    home: Path, folder: Path, version: Version, variables: Mapping[str, str] | None
) -> dict[str, Any]:
    """What the child said. It ends with us, however we end, and its home with it."""
    # of a path nothing was recorded but that it was one
    recorded = {name: value for name, value in (variables or {}).items() if value != A_PATH}
    kept = [name for name in os.environ if variables is None or name not in VARIABLES]
    done = foreign.run(
        # -P: a file of the project must not stand for a module of ours
        [sys.executable, "-P", "-m", "seatrial.cli._retrained", str(home)],
        foreign.Limits(),
        folder=folder,
        # what it leaves of temporary files goes with its home
        environment={**{name: os.environ[name] for name in kept}, **recorded, "TMPDIR": str(home)},
        scratch=home,
        shown=sys.__stderr__,  # standard output is for the answer
    )
    if not (home / _SAID).exists():
        status = done.status or 0
        how = f"ended with {status}; what it printed stands above"
        if status < 0:
            how = f"was killed by signal {-status}; was there too little memory?"
        raise StoreError(Mistake(f"{version} could not be trained again: its process {how}"))
    said: dict[str, Any] = json.loads((home / _SAID).read_text(encoding="utf-8"))
    if said["mistakes"]:
        first, *others = [Mistake(**mistake) for mistake in said["mistakes"]]
        what = f"{version} cannot be trained again:\n{first.what}"
        raise StoreError(replace(first, what=what), *others)
    return said


def _performed(order: Mapping[str, Any], home: Path) -> Outcome:
    """Both steps, one after the other; what the last of them said."""
    training = order["training"]
    pipeline = read(order["text"], order["file"], order["changes"])
    pipeline = replace(pipeline, settings={**pipeline.settings, "seed": training["seed"]})
    folder = Path(order["folder"])
    plan = _plan(pipeline, folder, order["steps"], training)
    project = open_project(workspace.Workspace(folder, home))
    try:
        run, _ = beginnings.begin(
            project.ledger,
            Beginning(
                identity=project.workspace.ids(),
                pipeline=pipeline.name,
                key=pipeline.digest,
                model=order["model"],
                request={},
                steps=order["steps"],
            ),
        )
        work = Work(project, plan, _say)
        said = Outcome(verdict=Verdict.SKIP, reason="nothing was done")
        for step in plan.steps:
            done = perform(work, run, step)
            assert isinstance(done, Outcome)  # neither of them waits
            said = done
            if said.verdict is not Verdict.PASS:
                break
        return said
    finally:
        project.ledger.close()


def _registering(
    project: Project, version: Version, entries: Mapping[str, TaskEntry]
) -> str | None:
    """The address of the step that made the version; the last of its kind where none says so."""
    words = [each for each, entry in entries.items() if entry.word == "register"]
    for step in runs.steps(project.ledger, str(version.run)):
        facts = step.outcome.facts if step.outcome else {}
        if step.address in words and facts.get("version") == version.version:
            return step.address
    return words[-1] if words else None


def _plan(
    pipeline: Pipeline,
    folder: Path,
    addresses: Sequence[str],
    training: Mapping[str, Any] | None = None,
) -> Plan:
    """These steps alone, so that nothing else of the file has to be there any more."""
    entries = {entry.address: entry for entry in pipeline.tasks}
    tasks = {each: _typed(entries[each]) for each in addresses}
    if training is not None:
        tasks = {each: _as_recorded(task, training) for each, task in tasks.items()}
    stages = {entry.address: stage.name for stage in pipeline.stages for entry in stage.tasks}
    return Plan(
        pipeline,
        folder,
        tuple(
            PlannedStep(each, task, Scope(pipeline, entries[each], stages[each], folder, tasks))
            for each, task in tasks.items()
        ),
    )


def _typed(entry: TaskEntry) -> Task:
    assert entry.word in extend.names("tasks")  # else the reader has told
    mistakes, task = typed(task_class(entry.word), entry.word, entry.parameters, entry.where)
    if task is None:
        raise StoreError(_misunderstood(mistakes[0]))
    return task


def _as_recorded(task: Task, training: Mapping[str, Any]) -> Task:
    """The rows are known to be the same, so no check has to say so; one seed is enough."""
    recorded = {
        "data": training["dataset"],
        "hyperparameters": training.get("hyperparameters", {}),
        "seeds": 1,
    }
    fields = {field.name for field in msgspec.structs.fields(task)}
    if "data" not in fields:
        return task
    known = {name: value for name, value in recorded.items() if name in fields}
    return msgspec.structs.replace(task, **known)


def _misunderstood(mistake: Mistake) -> Mistake:
    what = f"the pipeline file of that run is no longer understood:\n{mistake.what}"
    return replace(mistake, what=what)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201 - the child's progress


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
