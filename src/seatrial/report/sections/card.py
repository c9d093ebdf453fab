"""The model card: what it is, what it learned from, how it was judged, and what nobody tested."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seatrial.report._number import number
from seatrial.report.deciding import interval, limit
from seatrial.report.section import Badge, Code, Facts, Folded, Section, Table
from seatrial.report.sections import _manifest
from seatrial.report.sections._manifest import Manifest
from seatrial.report.sections.latency import is_speed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from seatrial.report.section import Cell, Part
    from seatrial.report.sections import Sources

_OWN_SECTION = ("behaviour.", "tests.", "path.", "noise_floor.", "disagreement")
"""How measures begin that are none of the answers' quality on a dataset."""

_MOST = 40
"""So many hyperparameters and classes are named."""

_TESTS = {
    "check_distribution": "The data were not held against a baseline: no check_distribution.",
    "check_environment": "No machine that will serve was compared with the one that trained it:"
    " no check_environment.",
    "model_tests": "No invariance, direction or case was declared for it: no model_tests.",
    "performance_tests": "Slices, speed and memory were not measured: no performance_tests.",
    "integration_tests": "It was not judged on a whole validation set: no integration_tests.",
    "shadow_tests": "It was not tried beside production on real traffic: no shadow_tests.",
}
"""What is unknown when the file has no such task."""


def section(sources: Sources) -> Section | None:
    """The card of the version that the run registered."""
    own = _manifest.of_run(sources)
    if not isinstance(own, Manifest):
        return None  # the lineage says why
    return Section(anchor="card", title="Model card", parts=tuple(_parts(sources, own)))


def _parts(sources: Sources, own: Manifest) -> Iterator[Part]:
    yield Facts(tuple(_what(sources, own)))
    if judged := tuple(_judged(sources)):
        heads = ("metric", "judged by", "value", "low … high", "limit", "n", "verdict")
        yield Table(heads=heads, rows=judged, numbers=frozenset({2, 3, 4, 5}))
    untested = tuple((each,) for each in _untested(sources, own))
    nothing = (("nothing that seatrial has a task for",),)
    yield Table(heads=("what was not tested",), rows=untested or nothing)
    training = own.training
    if training.features:
        rows = tuple((name, kind) for name, kind in training.features)
        many = f"{len(rows)} feature{'s' * (len(rows) != 1)}"
        yield Folded(many, (Table(heads=("feature", "kind"), rows=rows),))
    if training.hyperparameters:
        set_to = tuple((Code(key), _short(each)) for key, each in training.hyperparameters.items())
        more = max(len(set_to) - _MOST, 0)
        table = Table(heads=("hyperparameter", "value"), rows=set_to[:_MOST], left_out=more)
        yield Folded("Hyperparameters", (table,))
    if own.metrics:
        scores = tuple((name, number(value)) for name, value in sorted(own.metrics.items()))
        table = Table(heads=("metric", "value"), rows=scores, numbers=frozenset({1}))
        yield Folded("Metrics on the rows it was trained on, which prove nothing", (table,))


def _what(sources: Sources, own: Manifest) -> Iterator[tuple[str, Cell]]:
    model, training = sources.account.document["model"], own.training
    if model:
        yield "model", f"{model['name']} version {model['version']}"
    yield "made by", _manifest.made_by(training) or "unknown"
    yield "answers", _answers(own)
    rows = "" if training.rows is None else f", {training.rows} rows"
    yield "trained on", f"{training.dataset or 'unknown'}{rows}"
    yield "served form", _form(own)
    if own.golden.rows:
        yield "golden rows", f"{own.golden.rows}, by which any machine can prove that it answers so"
    packages = own.environment
    if packages:
        machine, system = packages.get("machine", "?"), packages.get("os", "?")
        yield "trained with", f"Python {packages.get('python_version', '?')} on {system} {machine}"


def _answers(own: Manifest) -> str:
    training = own.training
    if training.problem == "classes":
        named = ", ".join(map(_short, training.classes[:_MOST]))
        more = f" and {len(training.classes) - _MOST} more" if training.classes[_MOST:] else ""
        return f"{training.target}: one of {named}{more}"
    return f"{training.target}: a number" if training.problem == "numbers" else training.target


def _form(own: Manifest) -> str:
    if own.trust:
        return f"a {own.trust}, which runs code when it is opened"
    if not own.parity.rows:
        return "not proven equal to the trained model"
    far = number(own.parity.largest_difference)
    return f"proven equal to the trained model on {own.parity.rows} rows (largest difference {far})"


def _judged(sources: Sources) -> Iterator[tuple[Cell, ...]]:
    """The metrics of every test on held-out rows."""
    for address, task in sources.account.tasks:
        outcome = sources.outcome(address)
        if outcome is None or "held_out" not in outcome.facts or _word(task) == "unit_tests":
            continue  # a smoke run proves nothing
        for measure in task["measures"]:
            if _is_quality(measure["name"]):
                yield _row(address, measure)


def _is_quality(name: str) -> bool:
    """Whether it says how good the answers are on all rows.

    >>> _is_quality("roc_auc"), _is_quality("accuracy on origin = JFK"), _is_quality("size_mb")
    (True, False, False)
    """
    return not is_speed(name) and not name.startswith(_OWN_SECTION) and " on " not in name


def _row(address: str, measure: Mapping[str, Any]) -> tuple[Cell, ...]:
    return (
        measure["name"],
        Code(address),
        number(measure["value"], measure["limit"]),
        interval(measure),
        limit(measure),
        number(measure["n"]),
        "reported" if measure["limit"] is None else Badge(str(measure["verdict"])),
    )


def _untested(sources: Sources, own: Manifest) -> Iterator[str]:
    """What a reader may think was tested, and was not."""
    tests = [each for each in sources.account.tasks if _word(each[1]) in _TESTS]
    words = {_word(task) for _, task in tests}
    yield from (said for word, said in _TESTS.items() if word not in words)
    for address, task in tests:
        if task["verdict"] == "skip":
            yield f"{address} did not apply: {task['reason']}"
        elif task["verdict"] is None:
            left = "has no verdict yet" if task["state"] == "waiting" else "was not reached"
            yield f"{address} {left}"
    if not own.parity.rows:
        yield "Nothing says what the file must answer: there was no original to compare it with."


def _word(task: Mapping[str, Any]) -> str:
    """The YAML word: a task that stands a second time in its stage is called ``word-2``."""
    return str(task["task"]).partition("-")[0]


def _short(value: object) -> str:
    """A value of the file, at most a line of it."""
    said = str(value)
    return said if len(said) <= 120 else f"{said[:120]}…"  # noqa: PLR2004 - a line
