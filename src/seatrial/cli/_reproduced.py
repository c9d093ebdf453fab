"""Is a version what its training gives again? Everything that is found out, before it is told."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from seatrial import extend, models
from seatrial.cli._retrained import making, retrained
from seatrial.data.opening import local, open_rows
from seatrial.data.roles import features
from seatrial.environment.capture import capture
from seatrial.environment.code import revision, uncommitted
from seatrial.errors import FileError, FormError, Mistake, StoreError
from seatrial.evaluation import noise, reproduction
from seatrial.evaluation.causes import causes, named
from seatrial.evaluation.labelled import predictions
from seatrial.evaluation.origin import pipeline_of, rows_for
from seatrial.evaluation.reproduction import Sameness
from seatrial.inference.tolerance import Tolerance
from seatrial.pipeline.parameters import typed
from seatrial.plan import task_class
from seatrial.registry.opened import files_of, opened, signature_of
from seatrial.tasks import VALIDATED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from seatrial.cli._retrained import Retrained
    from seatrial.data.table import Table
    from seatrial.evaluation.causes import Change
    from seatrial.evaluation.reproduction import Compared, Quality
    from seatrial.inference.opening import Answers
    from seatrial.plan import Plan
    from seatrial.registry.project import Project
    from seatrial.registry.registry import Version


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What came of it.

    ``files`` says of each file of the model whether its bytes are the same. ``trained_here`` is
    not so for a ready file that was brought. ``notes`` are sentences that explain no difference.
    """

    version: Version
    sameness: Sameness
    reason: str
    dataset: str
    trained_here: bool
    seconds: float | None = None
    files: Mapping[str, bool] = field(default_factory=dict)
    rows: tuple[Compared, ...] = ()
    quality: Quality | None = None
    changed: tuple[Change, ...] = ()
    unknown: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def reproduced(project: Project, version: Version, say: Callable[[str], None]) -> Found:
    """Look at what must be as it was, train again, compare.

    StoreError when it cannot be found out: a blob is damaged, the rows are gone, the training
    cannot be done any more.
    """
    project.registry.verify(version)
    manifest: dict[str, Any] = project.registry.manifest(version)
    training: dict[str, Any] = manifest["training"]
    plan = making(project, version, pipeline_of(project.registry, version))
    table = _rows(plan, version)
    source = training.get("source")
    found = Found(
        version=version,
        sameness=Sameness.DIFFERENT,
        reason="",
        dataset=table.dataset.name,
        trained_here=not (isinstance(source, dict) and "artifact" in source),
        notes=(*_hyperparameters_today(plan, training), *_dirty_then(training)),
    )
    if table.fingerprint != training["fingerprint"]:
        rows = {"fingerprint": table.fingerprint, "rows": table.rows}
        reason = _other_rows(found, training, table)
        return _with_causes(replace(found, reason=reason), manifest, _today(plan, rows))
    say(f"training {version} again on {table.rows} rows of {found.dataset}")
    began = time.perf_counter()
    with ExitStack() as stack:
        try:
            again = stack.enter_context(retrained(plan, version, manifest))
        except StoreError as error:
            raise _explained(error, version, manifest, plan) from error
        found = replace(found, seconds=round(time.perf_counter() - began, 1))
        if again.version is None:
            reason = f"trained again it makes no version: {again.refused}"
            return _with_causes(replace(found, reason=reason), manifest, _today(plan))
        found = _with_causes(found, manifest, again.registry.manifest(again.version))
        return _compared(project, plan, again, table, found)


def _rows(plan: Plan, version: Version) -> Table:
    """The rows that it was trained on, as far as they are still there."""
    train = plan.steps[0]
    try:
        return local(open_rows(train.scope.dataset(str(getattr(train.task, "data", "")))))
    except FormError as error:
        first, *others = error.mistakes
        what = f"the rows that {version} was trained on cannot be read:\n{first.what}"
        raise StoreError(replace(first, what=what), *others) from error


def _other_rows(found: Found, training: Mapping[str, Any], table: Table) -> str:
    """Why it was not trained: on other rows that would prove nothing."""
    then, now = training["rows"], table.rows
    how = f"{then} rows then, {now} now" if then != now else f"{now} rows, other values"
    return (
        f"{found.dataset} has other rows than version {found.version.version} was trained on"
        f" ({how}), so training again would prove nothing"
    )


def _hyperparameters_today(plan: Plan, training: Mapping[str, Any]) -> Iterator[str]:
    """What their file says otherwise today: what was recorded is used, so it explains nothing."""
    train = plan.steps[0]
    file = getattr(train.task, "hyperparameters", None)
    if not isinstance(file, str):
        return
    try:
        today = models.read_hyperparameters(train.scope.path(file))
    except FileError as error:
        yield f"{error.mistakes[0].what} ({file}); its recorded values count"
        return
    changed = [*named("", training.get("hyperparameters", {}), today)]
    if changed:
        told = "; ".join(f"{each.what} {each.then} then, {each.now} now" for each in changed)
        yield f"{file} has changed ({told}); its recorded values count"


def _dirty_then(training: Mapping[str, Any]) -> Iterator[str]:
    """That the revision does not say which code it was, then."""
    code = training.get("code") or {}
    if code.get("dirty"):
        yield f"when it was trained, {uncommitted(code)}"


def _today(plan: Plan, training: Mapping[str, object] | None = None) -> dict[str, Any]:
    """What would stand in a manifest today, as far as it is known without training."""
    # Our own variables are not those of the training's process.
    here = {key: value for key, value in capture().items() if key != "variables"}
    return {"training": {"code": revision(plan.folder), **(training or {})}, "environment": here}


def _with_causes(found: Found, then: Mapping[str, Any], now: Mapping[str, Any]) -> Found:
    why = causes(then, now)
    return replace(found, changed=why.changed, unknown=why.unknown)


def _explained(
    error: StoreError, version: Version, manifest: Mapping[str, Any], plan: Plan
) -> StoreError:
    """The error, and what has changed since it could be trained: that may be why."""
    changed = causes(manifest, _today(plan)).changed
    if not changed:
        return error
    told = "; ".join(f"{each.what} was {each.then} and is {each.now}" for each in changed)
    return StoreError(*error.mistakes, Mistake(f"since {version} was trained, {told}"))


def _compared(project: Project, plan: Plan, again: Retrained, table: Table, found: Found) -> Found:
    """Both models' bytes, and their answers to the golden rows and to those trained on."""
    assert again.version is not None
    version = found.version
    files = reproduction.same_files(
        files_of(project.registry, version), files_of(again.registry, again.version)
    )
    found = replace(found, files=files)
    signature = signature_of(project.registry, version)
    if signature != signature_of(again.registry, again.version):
        return replace(found, reason="trained again it reads other columns, or has other classes")
    first, second = opened(project.registry, version), opened(again.registry, again.version)
    columns = [
        replace(table[each.name], kind="number" if each.datatype == "FP32" else "string")
        for each in signature.inputs
    ]
    asked = features(table, columns)
    golden = project.registry.file(version, "golden.json")
    at_once = Tolerance.of_manifest(project.registry.manifest(version)).rows_at_once
    rows = (
        reproduction.against_golden(second, golden, at_once),
        reproduction.compared("training rows", first.predict(asked), second.predict(asked)),
    )
    sameness = reproduction.judged(files, rows)
    reason = reproduction.said(sameness, files, rows)
    found = replace(found, sameness=sameness, reason=reason, rows=rows)
    if sameness is Sameness.DIFFERENT:
        return _with_quality(project, plan, (first, second), found)
    return found


def _with_quality(
    project: Project, plan: Plan, both: tuple[Answers, Answers], found: Found
) -> Found:
    """Does it matter? Both on the rows that judged the version, where these are still there."""
    judging = _judging(plan)
    if judging is None:
        return replace(found, notes=(*found.notes, "no test of its run judged it on rows"))
    name, metric = judging
    registry, version = project.registry, found.version
    try:
        dataset = plan.steps[0].scope.dataset(name)
        rows = rows_for(registry, plan.pipeline, dataset, [version], metric)
        then, again = (predictions(model, rows, str(version)) for model in both)
        others = noise.answers_of_others(registry, version, rows)
        quality = reproduction.quality(rows, then, again, others, seed=plan.pipeline.seed)
    except (FileError, FormError, StoreError) as error:
        what = error.mistakes[0].what.splitlines()[0]
        return replace(found, notes=(*found.notes, f"it is not known which is better: {what}"))
    return replace(found, quality=quality)


def _judging(plan: Plan) -> tuple[str, str | None] | None:
    """The dataset of the first test that judges on one, and the metric that it names."""
    for entry in plan.pipeline.tasks:
        if entry.word in extend.names("tasks") and task_class(entry.word).judges_on_dataset:
            _, task = typed(task_class(entry.word), entry.word, entry.parameters, entry.where)
            if task is not None:
                dataset = str(getattr(task, "dataset", "")).removeprefix(VALIDATED)
                return dataset, getattr(task, "metric", None)
    return None
