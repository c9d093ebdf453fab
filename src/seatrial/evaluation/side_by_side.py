"""Two versions on the same rows of a dataset: better or not, where, how fast, and what to doubt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, cast

from seatrial import metrics
from seatrial.data import dataset as datasets
from seatrial.data.opening import local, open_rows
from seatrial.errors import Mistake, UsageError
from seatrial.evaluation.comparison import beside
from seatrial.evaluation.labelled import demand_classes
from seatrial.evaluation.origin import judging_dataset, pipeline_of, rows_for
from seatrial.evaluation.slices import columns, declared
from seatrial.evaluation.speed.limits import Speed
from seatrial.evaluation.speed.measuring import measure
from seatrial.outcome import Finding, Verdict
from seatrial.registry.opened import signature_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from seatrial.data.dataset import Dataset
    from seatrial.evaluation.comparison import Comparison
    from seatrial.evaluation.labelled import Labelled
    from seatrial.evaluation.slices.declared import Slice
    from seatrial.metrics import Metric
    from seatrial.outcome import Measure
    from seatrial.pipeline import Pipeline
    from seatrial.registry.project import Project
    from seatrial.registry.registry import Version

_ROLES = ("target", "key")


@dataclass(frozen=True, slots=True, kw_only=True)
class SideBySide:
    """What was found. ``speed`` holds times in the units of their names, without limits."""

    first: Version
    second: Version
    dataset: Dataset
    rows: Labelled
    found: Comparison
    speed: tuple[Measure, ...]
    findings: tuple[Finding, ...]

    def document(self) -> dict[str, object]:
        """What ``compare --json`` prints."""
        return {
            "first": _named(self.first),
            "second": _named(self.second),
            "dataset": self.dataset.name,
            "place": self.dataset.place,
            "rows": self.rows.rows,
            **asdict(self.found),
            "speed": [asdict(each) for each in self.speed],
            "findings": [asdict(each) for each in self.findings],
        }


def side_by_side(
    project: Project,
    first: Version,
    second: Version,
    *,
    given: Callable[[], Dataset] | None = None,
    words: Sequence[str] = (),
    slices: Sequence[str] = (),
    margin: float | None = None,
    speed: bool = True,
) -> SideBySide:
    """Compare two versions on the rows that usually judge the first, or on ``given``.

    ``words`` are metrics beside the primary one, ``slices`` columns on whose values both are
    compared too, ``margin`` is how much worse the first may be by the primary metric. With
    ``speed`` both are timed, which takes seconds. :class:`UsageError` for what does not fit.
    """
    more = [metrics.get(word) for word in words]  # a misspelt one is told before anything is read
    pipeline, versions = pipeline_of(project.registry, first), (first, second)
    dataset = _dataset(project, pipeline, given)
    rows = rows_for(project.registry, pipeline, dataset, versions)
    _demand_fitting(rows, more, len(signature_of(project.registry, first).classes))
    found = beside(
        project.registry,
        first,
        second,
        rows,
        metrics=more,
        slices=_slices(dataset, slices),
        margin=margin,
        seed=pipeline.seed,
    )
    timed, remarks = _timed(project, versions, rows, pipeline.seed) if speed else ((), ())
    return SideBySide(
        first=first,
        second=second,
        dataset=dataset,
        rows=rows,
        found=found,
        speed=timed,
        findings=(*_known(project, versions, dataset), *remarks),
    )


def _dataset(project: Project, pipeline: Pipeline, given: Callable[[], Dataset] | None) -> Dataset:
    """The rows to compare on; a file of its own is read as the rows that usually judge are."""
    declared, usual = pipeline.datasets, judging_dataset(pipeline)
    if given is None:
        return datasets.find(usual, project.workspace.folder, declared)
    found, entry = given(), declared.get(usual)
    if found.target is not None or found.name in declared or not isinstance(entry, Mapping):
        return found
    there = {column.name for column in open_rows(found).columns}
    target, key = (name if (name := entry.get(role)) in there else None for role in _ROLES)
    return replace(found, target=target, key=key or found.key)


def _demand_fitting(rows: Labelled, metrics: Sequence[Metric], classes: int) -> None:
    """Every metric that was asked for is of the same problem."""
    for metric in metrics:
        if metric.problem != rows.metric.problem:
            what = (
                f"{metric.name} is for {metric.problem}, {rows.dataset} has {rows.metric.problem}"
            )
            raise UsageError(Mistake(what, where="--metric"))
        demand_classes(metric, classes, rows.dataset, "--metric")


def _slices(dataset: Dataset, names: Sequence[str]) -> tuple[Slice, ...]:
    if not names:
        return ()
    table = local(open_rows(dataset))
    return declared.slices(names, columns.from_table(table, names), where="--slices")


def _timed(
    project: Project, versions: tuple[Version, Version], rows: Labelled, seed: int
) -> tuple[tuple[Measure, ...], tuple[Finding, ...]]:
    """Times beside each other; without limits, so without verdicts."""
    measured, findings = measure(project.registry, *versions, rows, Speed(), seed=seed)
    told = (
        replace(
            each,
            name=each.name.replace(".production", ".second"),
            limit=None,
            verdict=Verdict.SKIP,
        )
        for each in measured
    )
    return tuple(told), tuple(findings)


def _known(
    project: Project, versions: tuple[Version, Version], dataset: Dataset
) -> Iterator[Finding]:
    """Versions that were trained on the very rows that judge them here."""
    fingerprint = open_rows(dataset).fingerprint
    for version in dict.fromkeys(versions):
        training = cast("dict[str, Any]", project.registry.manifest(version)["training"])
        if training.get("fingerprint") == fingerprint:
            yield Finding(
                what=f"{version} was trained on these very rows, so it looks better than it is",
                where=f"dataset {dataset.name}",
                hint="compare on rows that neither has seen: --on DATA",
            )


def _named(version: Version) -> dict[str, object]:
    return {"model": version.model, "version": version.version, "digest": version.digest}
