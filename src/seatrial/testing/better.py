"""Is a model better than a number, or than another model? By evidence, not by a lucky draw."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.errors import Mistake, UsageError
from seatrial.evidence import power
from seatrial.evidence.absolute import absolute
from seatrial.evidence.paired import compare
from seatrial.outcome import Direction, Verdict
from seatrial.testing.versioned import VersionedModel

if TYPE_CHECKING:
    from seatrial.metrics import Metric
    from seatrial.outcome import Measure
    from seatrial.testing.rows import Rows


class SameModelError(Exception):
    """Nothing can be compared: the two versions are one model."""


def demand_better(
    model: VersionedModel,
    other: VersionedModel | float,
    rows: Rows,
    *,
    metric: str | None = None,
    margin: float | None = None,
    seed: int,
) -> Measure:
    """Raise :class:`AssertionError` unless it is proven on these rows; returns the evidence.

    Against a number, the lower 95 % bound of the metric (the upper, where smaller is better) must
    reach it. Against a model, both answer the same rows, and the upper 95 % bound of how much
    worse ``model`` is must be within ``margin``, 0 unless said: proven to be at least as good.
    """
    __tracebackhide__ = True
    _demand_sense(other, margin)
    _demand_unseen(rows, model, *([other] if isinstance(other, VersionedModel) else ()))
    if isinstance(other, VersionedModel):
        return _than_model(model, other, rows, metric, margin or 0.0, seed)
    judged = rows.read_by(metric, model.signature)
    measure = absolute(
        judged.metric, judged.labels, model.judged(judged), float(other),
        seed=seed, groups=judged.groups,
    )  # fmt: skip
    promise = _bound_promised(model, measure, judged.metric)
    _demand_pass(measure, promise, _bound_seen(measure, rows))
    return measure


def _than_model(
    model: VersionedModel,
    other: VersionedModel,
    rows: Rows,
    metric: str | None,
    margin: float,
    seed: int,
) -> Measure:
    __tracebackhide__ = True
    if model.digest == other.digest:
        raise SameModelError(f"{model} and {other} are the same model")
    judged = rows.read_by(metric, model.signature, other.signature)
    theirs = rows.read_by(metric, other.signature)
    measure = compare(
        judged.metric, judged.labels, model.judged(judged), other.judged(theirs), margin,
        seed=seed, groups=judged.groups,
    )  # fmt: skip
    promise = _comparison_promised(model, other, measure, judged.metric)
    _demand_pass(measure, promise, _comparison_seen(measure, rows))
    return measure


def _demand_sense(other: object, margin: float | None) -> None:
    __tracebackhide__ = True
    if not isinstance(other, VersionedModel | int | float):
        what = f"a model is better than a number or another model, not than {other!r}"
        raise UsageError(Mistake(what[:200]))
    if margin is None:
        return
    if not isinstance(other, VersionedModel):
        fix = f"write the number that is good enough, such as {other - abs(margin):g}"
        raise UsageError(Mistake("`margin` is for the comparison with a model", fix=fix))
    if margin < 0:
        fix = f"write margin={-margin:g}: how much worse is still good enough"
        raise UsageError(Mistake(f"a margin of {margin:g} is below 0", fix=fix))


def _demand_unseen(rows: Rows, *models: VersionedModel) -> None:
    __tracebackhide__ = True
    for each in models:
        if each.trained_on == rows.source.table.fingerprint:
            raise AssertionError(
                f"nothing is proven: {each} was trained on {rows.name}; judge on rows that it"
                " never saw"
            )


def _demand_pass(measure: Measure, promise: str, seen: str) -> None:
    __tracebackhide__ = True
    if measure.verdict is Verdict.FAIL:
        raise AssertionError(f"it is not true that {promise}: it is {seen}")
    if measure.verdict is not Verdict.PASS:
        raise AssertionError(f"not proven that {promise}: it is {seen}; {power.settles(measure)}")


def _bound_promised(model: VersionedModel, measure: Measure, metric: Metric) -> str:
    word = "at least" if measure.direction is Direction.AT_LEAST else "at most"
    return f"{metric.name} of {model} is {word} {measure.limit:g}"


def _bound_seen(measure: Measure, rows: Rows) -> str:
    value = "not defined" if measure.value is None else f"{measure.value:.4g}"
    return f"{value} on {rows.rows} rows of {rows.name}{_between(measure)}"


def _comparison_promised(
    model: VersionedModel, other: VersionedModel, measure: Measure, metric: Metric
) -> str:
    allowed = f"at most {measure.limit:g} worse than" if measure.limit else "at least as good as"
    return f"{model} is {allowed} {other} in {metric.name}"


def _comparison_seen(measure: Measure, rows: Rows) -> str:
    value = measure.value
    seen = "not defined"
    if value is not None:
        seen = f"{abs(value):.4g} {'worse' if value > 0 else 'better'}"
    on = f"on the same {rows.rows} rows of {rows.name}"
    return f"{seen} {on}{_between(measure, 'worse by ')}"


def _between(measure: Measure, of: str = "") -> str:
    if measure.low is None or measure.high is None:
        return ""
    return f" ({of}between {measure.low:.4g} and {measure.high:.4g})"
