"""Two versions side by side: what the ledger has of both, and what scoring them says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seatrial.environment.demands import Demands
from seatrial.environment.table import table
from seatrial.errors import SeatrialError
from seatrial.ledger import runs
from seatrial.report._number import number
from seatrial.report.charts.forest import Interval, forest
from seatrial.report.headline import minute
from seatrial.report.section import Note, Section, Table
from seatrial.report.sections._lines import line
from seatrial.report.sections.environment import of_machines
from seatrial.report.sections.latency import is_speed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from seatrial.outcome import Measure
    from seatrial.registry.project import Project
    from seatrial.registry.registry import Version
    from seatrial.report.section import Part

SHOWN = 200
"""So many rows of anything: of features and parameters there may be thousands."""

_PRODUCTION = ".production"
_DIGEST, _DIGITS = "sha256:", 12


def recorded(project: Project, first: Version, second: Version) -> Iterator[Section]:
    """What is known of both without asking them anything."""
    yield _measured(project, first, second)
    try:
        manifests = [project.registry.manifest(each) for each in (first, second)]
    except SeatrialError as error:
        said = f"What they were made of cannot be shown: {error.mistakes[0].what}."
        yield Section(anchor="made", title="Made of", parts=(Note(said, gone=True),))
        return
    yield _made(heads(first, second), manifests)
    yield _environments(first, second, manifests)


def scored(told: Mapping[str, Any], names: tuple[str, str]) -> Iterator[Part]:
    """The document of ``seatrial compare --json`` with its sentences, as parts of a page."""
    yield Note(
        f"{told['rows']} rows of {told['dataset']}, scored {minute(told['at'])} UTC"
        f" in {number(told['seconds'])} s. Both were asked for the same rows."
    )
    metrics = told["metrics"]
    rows = [
        _interval(f"{each['name']}, {name}", each[side])
        for each in metrics
        for side, name in zip(("first", "second"), names, strict=True)
        if each[side]["value"] is not None
    ]
    if rows:
        yield forest("Both on the same rows", rows, shared=len(metrics) == 1)
    apart = [
        _interval(str(each["name"]), each["degradation"], of=0.0)
        for each in metrics
        if each["degradation"] and each["degradation"]["value"] is not None
    ]
    if apart:
        yield forest(
            f"How much worse {names[0]} is, row by row; at the line there is no difference", apart
        )
    yield Table(
        heads=("metric", "rows", *names, f"{names[0]} is"),
        rows=tuple(
            (
                str(each["name"]),
                str(each["rows"]),
                *(_with_bounds(each[side]) for side in ("first", "second")),
                said or "cannot be said",
            )
            for each, said in zip(metrics, told["apart"], strict=True)
        ),
        numbers=frozenset({1}),
        caption="By metric, with one-sided bounds of 95 % each",
    )
    yield from _disagreement(told, names)
    for finding in told["findings"]:
        hint = f" {finding['hint']}" if finding["hint"] else ""
        yield Note(f"{finding['what']}.{hint}")


def heads(first: Version, second: Version) -> tuple[str, str]:
    """What the two are called in a table."""
    if first.model == second.model:
        return f"version {first.version}", f"version {second.version}"
    return str(first), str(second)


def _disagreement(told: Mapping[str, Any], names: tuple[str, str]) -> Iterator[Part]:
    said = str(told["disagree"])
    yield Note(f"{said[:1].upper()}{said[1:]}.")
    examples = told["disagreement"]["examples"]
    if examples:
        yield Table(
            heads=("row", "truth", *names),
            rows=tuple(
                tuple(str(each[key]) for key in ("row", "truth", "first", "second"))
                for each in examples
            ),
            numbers=frozenset({0}),
            caption="Rows on which they differ most",
        )
    if told["noise"]:
        yield Note(f"{str(told['noise'])[:1].upper()}{str(told['noise'])[1:]}.")


def _interval(label: str, measure: Mapping[str, Any], of: float | None = None) -> Interval:
    """``of`` is a mark to hold it against, without a verdict."""
    return Interval(
        label=label,
        value=measure["value"],
        low=measure["low"],
        high=measure["high"],
        limit=of,
        at_least=False,
        mark=True,
    )


def _with_bounds(measure: Mapping[str, Any]) -> str:
    if measure["low"] is None or measure["high"] is None:
        return number(measure["value"])
    return f"{number(measure['value'])} ({number(measure['low'])} … {number(measure['high'])})"


def _measured(project: Project, first: Version, second: Version) -> Section:
    """What the run of each found about it: metrics with their bounds, times, sizes."""
    found = [_measures(project, each) for each in (first, second)]
    names = heads(first, second)
    lines = [
        line(f"{name}, {called}", _told(measures[name]))
        for name in dict.fromkeys([*found[0], *found[1]])
        if not is_speed(name)
        for called, measures in zip(names, found, strict=True)
        if name in measures
    ]
    every = list(dict.fromkeys([*found[0], *found[1]]))
    rows = tuple(
        (name, *(_value(measures.get(name)) for measures in found)) for name in every[:SHOWN]
    )
    parts: list[Part] = [
        Note(
            "Each in its own run, on the rows of that time: scored on the same rows they say more."
        )
    ]
    if lines:
        parts.append(forest("What their runs measured", lines[:40]))
    parts.append(
        Table(
            heads=("measure", *names),
            rows=rows,
            numbers=frozenset({1, 2}),
            caption="Measured in their runs",
            left_out=max(0, len(every) - SHOWN),
        )
    )
    return Section(anchor="measured", title="What their runs found", parts=tuple(parts))


def _measures(project: Project, version: Version) -> dict[str, Measure]:
    """Of a version's run, those that are of the version itself: a later task's counts."""
    found: dict[str, Measure] = {}
    for step in runs.steps(project.ledger, version.run) if version.run else ():
        for each in step.outcome.measures if step.outcome else ():
            own = is_speed(each.name) or ("." not in each.name and " on " not in each.name)
            if own and each.value is not None and not each.name.endswith(_PRODUCTION):
                found[each.name] = each
    return found


def _told(measure: Measure) -> dict[str, Any]:
    return {
        "value": measure.value,
        "low": measure.low,
        "high": measure.high,
        "limit": measure.limit,
        "direction": measure.direction,
        "verdict": measure.verdict,
    }


def _value(measure: Measure | None) -> str:
    return "-" if measure is None else _with_bounds(_told(measure))


def _made(names: tuple[str, str], manifests: Sequence[Mapping[str, object]]) -> Section:
    """Data, code, seed and hyperparameters, where they differ; what is the same is counted."""
    told = [dict(_facts(each)) for each in manifests]
    every = list(dict.fromkeys([*told[0], *told[1]]))
    differing = [key for key in every if told[0].get(key) != told[1].get(key)]
    rows = tuple((key, *(each.get(key, "-") for each in told)) for key in differing[:SHOWN])
    same = len(every) - len(differing)
    parts: list[Part] = [
        Table(
            heads=("what", *names),
            rows=rows,
            caption="What differs in how they were made",
            left_out=max(0, len(differing) - SHOWN),
        ),
        Note(f"{same} of {len(every)} things are the same."),
    ]
    return Section(anchor="made", title="Made of", parts=tuple(parts))


def _facts(manifest: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    training = manifest.get("training")
    training = training if isinstance(training, dict) else {}
    for key in (
        "source",
        "dataset",
        "fingerprint",
        "rows",
        "target",
        "problem",
        "seed",
        "pipeline",
    ):
        if training.get(key) is not None:
            yield key, _short(str(training[key]))
    code = training.get("code")
    for key, value in sorted(code.items()) if isinstance(code, dict) else ():
        yield f"code: {key}", str(value)
    parameters = training.get("hyperparameters")
    for key, value in sorted(parameters.items()) if isinstance(parameters, dict) else ():
        yield f"hyperparameter {key}", str(value)
    features = training.get("features")
    for each in features if isinstance(features, list) else ():
        if isinstance(each, list) and len(each) == 2:  # noqa: PLR2004 - a name and a type
            yield f"feature {each[0]}", str(each[1])


def _short(text: str) -> str:
    """A digest as far as it tells one from others; any other text whole."""
    return text.removeprefix(_DIGEST)[:_DIGITS] if text.startswith(_DIGEST) else text


def _environments(
    first: Version, second: Version, manifests: Sequence[Mapping[str, object]]
) -> Section:
    """What they were trained in; as grave as the first finds it."""
    demands = [Demands.of(each) for each in manifests]
    title = "Trained in"
    if not all(each.environment for each in demands):
        note = Note("Where they were trained was not recorded of both.")
        return Section(anchor="environment", title=title, parts=(note,))
    names = (str(first), str(second) if second != first else f"{second} again")
    captures = {name: each.environment for name, each in zip(names, demands, strict=True)}
    try:
        found = table(captures, demands[0].needs, demands[0].policy)
    except SeatrialError as error:
        note = Note(f"Their environments cannot be compared: {error.mistakes[0].what}.")
        return Section(anchor="environment", title=title, parts=(note,))
    parts = of_machines(found, "What differs" if found.rows else "Nothing differs.").parts
    return Section(anchor="environment", title=title, parts=parts)
