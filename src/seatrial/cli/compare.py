"""``seatrial compare``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from seatrial.cli._dataset import dataset_of
from seatrial.cli._options import json_option, print_json, print_table, project
from seatrial.cli._version import judging_dataset, version_of
from seatrial.errors import Mistake, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from seatrial.data.dataset import Dataset
    from seatrial.evaluation.comparison import Beside, Comparison
    from seatrial.evaluation.labelled import Labelled
    from seatrial.evaluation.slices.declared import Slice
    from seatrial.metrics import Metric
    from seatrial.outcome import Finding, Measure
    from seatrial.registry.project import Project
    from seatrial.registry.registry import Version

FOUR_DIGITS = 1000
"""From here on a number is shown whole."""

_CODES = {"pass": 0, "skip": 0, "fail": 1, "inconclusive": 3}


@click.command(epilog="Example: seatrial compare flights_late@staging flights_late@production")
@click.argument("first", metavar="A")
@click.argument("second", metavar="B")
@click.option(
    "--on", "data", metavar="DATA", help="A dataset of the project, a path or an address."
)
@click.option("--metric", "words", multiple=True, help="Also by this metric; repeatable.")
@click.option(
    "--slices",
    "columns",
    multiple=True,
    metavar="COLUMN",
    help="Also on the rows of each of its values; repeatable.",
)
@click.option(
    "--margin",
    type=click.FloatRange(min=0, min_open=True),
    help="How much worse A may be by the primary metric: gives a verdict, and the exit code.",
)
@click.option("--speed/--no-speed", default=True, help="Also time both, and weigh them.")
@json_option
def compare(
    first: str,
    second: str,
    *,
    data: str | None,
    words: tuple[str, ...],
    columns: tuple[str, ...],
    margin: float | None,
    speed: bool,
    as_json: bool,
) -> int:
    """Two versions side by side on the same rows: MODEL@CHANNEL, MODEL@NUMBER, or NUMBER alone."""
    from seatrial import metrics
    from seatrial.evaluation.comparison import beside
    from seatrial.evaluation.origin import pipeline_of, rows_for
    from seatrial.registry.opened import signature_of

    opened = project()
    versions = version_of(opened, first), version_of(opened, second)
    more = [metrics.get(word) for word in words]  # a misspelt one is told before anything is read
    pipeline = pipeline_of(opened.registry, versions[0])
    dataset = _dataset(opened, data, pipeline.datasets, judging_dataset(pipeline))
    rows = rows_for(opened.registry, pipeline, dataset, versions)
    _demand_fitting(rows, more, len(signature_of(opened.registry, versions[0]).classes))
    found = beside(
        opened.registry,
        *versions,
        rows,
        metrics=more,
        slices=_slices(dataset, columns),
        margin=margin,
        seed=pipeline.seed,
    )
    timed, findings = _timed(opened, versions, rows, pipeline.seed) if speed else ((), ())
    findings = (*_known(opened, versions, dataset), *findings)
    if as_json:
        print_json(_document(versions, dataset, rows, found, timed, findings))
    else:
        _tell(versions, rows, found, timed, findings)
    return _CODES[found.verdict]


def _dataset(
    opened: Project, data: str | None, declared: Mapping[str, object], usual: str
) -> Dataset:
    """The rows to compare on; a file of its own is read as the rows that usually judge are."""
    from dataclasses import replace

    from seatrial.data import dataset
    from seatrial.data.opening import open_rows

    if data is None:
        return dataset.find(usual, opened.workspace.folder, declared)
    found, entry = dataset_of(data), declared.get(usual)
    if found.target is not None or found.name in declared or not isinstance(entry, Mapping):
        return found
    columns = {column.name for column in open_rows(found).columns}
    known = {role: name for role in ("target", "key") if (name := entry.get(role)) in columns}
    return replace(found, **known)


def _demand_fitting(rows: Labelled, metrics: Sequence[Metric], classes: int) -> None:
    """Every metric that was asked for is of the same problem."""
    from seatrial.evaluation.labelled import demand_classes

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
    from seatrial.data.opening import local, open_rows
    from seatrial.evaluation.slices import columns, declared

    table = local(open_rows(dataset))
    return declared.slices(names, columns.from_table(table, names), where="--slices")


def _timed(
    opened: Project, versions: tuple[Version, Version], rows: Labelled, seed: int
) -> tuple[tuple[Measure, ...], tuple[Finding, ...]]:
    """Times beside each other; without limits, so without verdicts."""
    from dataclasses import replace

    from seatrial.evaluation.speed.limits import Speed
    from seatrial.evaluation.speed.measuring import measure
    from seatrial.outcome import Verdict

    measured, findings = measure(opened.registry, *versions, rows, Speed(), seed=seed)
    told = (
        replace(
            each,
            name=each.name.replace(".production", ".second"),
            limit=None,
            verdict=Verdict.SKIP,
        )
        for each in measured
    )
    return tuple(told), findings


def _known(
    opened: Project, versions: tuple[Version, Version], dataset: Dataset
) -> Iterator[Finding]:
    """Versions that were trained on the very rows that judge them here."""
    from typing import Any, cast

    from seatrial.data.opening import open_rows
    from seatrial.outcome import Finding

    fingerprint = open_rows(dataset).fingerprint
    for version in dict.fromkeys(versions):
        training = cast("dict[str, Any]", opened.registry.manifest(version)["training"])
        if training.get("fingerprint") == fingerprint:
            yield Finding(
                what=f"{version} was trained on these very rows, so it looks better than it is",
                where=f"dataset {dataset.name}",
                hint="compare on rows that neither has seen: --on DATA",
            )


def _document(
    versions: tuple[Version, Version],
    dataset: Dataset,
    rows: Labelled,
    found: Comparison,
    timed: Sequence[Measure],
    findings: Sequence[Finding],
) -> dict[str, object]:
    return {
        "first": _named(versions[0]),
        "second": _named(versions[1]),
        "dataset": dataset.name,
        "place": dataset.place,
        "rows": rows.rows,
        **asdict(found),
        "speed": [asdict(each) for each in timed],
        "findings": [asdict(each) for each in findings],
    }


def _named(version: Version) -> dict[str, object]:
    return {"model": version.model, "version": version.version, "digest": version.digest}


def _tell(
    versions: tuple[Version, Version],
    rows: Labelled,
    found: Comparison,
    timed: Sequence[Measure],
    findings: Sequence[Finding],
) -> None:
    first, second = versions
    click.echo(f"{first} beside {second}, on {rows.rows} rows of {rows.dataset}")
    click.echo()
    heads = ("", *_heads(first, second), "difference")
    print_table(heads, [_line(each) for each in found.metrics])
    if found.slices:
        click.echo()
        print_table((f"{rows.metric.name} on", "rows", *_heads(first, second), "difference"), [
            (each.name, each.rows, *_line(each)[1:]) for each in found.slices
        ])  # fmt: skip
    click.echo()
    _tell_disagreement(versions, rows, found)
    if timed:
        click.echo()
        print_table(("", *_heads(first, second)), _speed_lines(timed))
    for finding in findings:
        click.echo(f"! {finding.what}")
        if finding.hint:
            click.echo(f"  {finding.hint}")
    if found.verdict != "skip":
        click.echo()
        margin = found.metrics[0].degradation
        assert margin is not None
        click.echo(f"{found.verdict}: {_difference(margin)}, margin {margin.limit:g}")


def _heads(first: Version, second: Version) -> tuple[str, str]:
    if first.model == second.model:
        return f"version {first.version}", f"version {second.version}"
    return str(first), str(second)


def _line(each: Beside) -> tuple[object, ...]:
    apart = "cannot be said" if each.degradation is None else _difference(each.degradation)
    return each.name, _value(each.first), _value(each.second), apart


def _value(measure: Measure) -> str:
    if measure.value is None:
        return "no value"
    if measure.low is None or measure.high is None:
        return f"{measure.value:.4g}"
    return f"{measure.value:.4g} ({measure.low:.4g} to {measure.high:.4g})"


def _difference(apart: Measure) -> str:
    """How much better or worse the first is, and between which ends that lies."""
    if apart.value is None:
        return "cannot be said"
    told = "the same" if not apart.value else f"{abs(apart.value):.4g} {_side(apart.value)}"
    if apart.low is None or apart.high is None:
        return told
    ends = [
        f"{abs(end):.4g} {_side(end)}" if end else "the same" for end in (apart.low, apart.high)
    ]
    return f"{told} (from {ends[0]} to {ends[1]})"


def _side(value: float) -> str:
    return "worse" if value > 0 else "better"


def _tell_disagreement(
    versions: tuple[Version, Version], rows: Labelled, found: Comparison
) -> None:
    apart, heads = found.disagreement, _heads(*versions)
    share = apart.share.value or 0.0
    if versions[0].digest == versions[1].digest:
        click.echo("both are the same version")
    elif rows.metric.problem == "numbers":
        click.echo(
            f"their answers differ by {100 * share:.2g} % of the target's variance; closer to the"
            f" truth is {heads[0]} in {apart.only_first} rows, {heads[1]} in {apart.only_second}"
        )
    else:
        click.echo(
            f"{100 * share:.2g} % of the rows get two different answers: {heads[0]} alone is right"
            f" in {apart.only_first}, {heads[1]} alone in {apart.only_second}"
        )
    if apart.examples:
        print_table(
            ("row", "truth", *heads),
            [
                (each.row, each.truth, _shown(each.first), _shown(each.second))
                for each in apart.examples
            ],
        )
    if found.noise_floor is not None and found.noise_floor.value is not None:
        floor, name = found.noise_floor.value, rows.metric.name
        moves = f"moves {name} by about {floor:.2g}" if floor else f"does not move {name}"
        click.echo(f"training {versions[0]} again with another seed {moves}")


def _shown(value: object) -> object:
    return f"{value:.6g}" if isinstance(value, float) else value


def _speed_lines(timed: Sequence[Measure]) -> Iterator[tuple[object, ...]]:
    """A line for each measure: of the first version, and of the second where it has one."""
    named = {each.name: each for each in timed}
    for name, first in named.items():
        if not name.endswith(".second"):
            second = named.get(f"{name}.second")
            yield name, _span(first), "" if second is None else _span(second)


def _span(measure: Measure) -> str:
    """A measure with its bounds, where there are any.

    >>> from seatrial.outcome import Measure
    >>> _span(Measure(name="throughput.rows_per_s", value=106104.2, low=104600.3, high=108300.1))
    '106104 (104600 to 108300)'
    """
    if measure.value is None:
        return "-"
    ends = (measure.value, measure.low, measure.high)
    value, low, high = (_rounded(end) for end in ends)
    if measure.low is None or measure.high is None or measure.low == measure.high:
        return value
    return f"{value} ({low} to {high})"


def _rounded(number: float | None) -> str:
    if number is None:
        return "-"
    return f"{number:.0f}" if abs(number) >= FOUR_DIGITS else f"{number:.4g}"
