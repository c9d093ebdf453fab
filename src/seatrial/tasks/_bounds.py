"""Words about bounds that several tests share: is the limit possible, what can n rows prove."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial import metrics
from seatrial.errors import FileError
from seatrial.evidence import power
from seatrial.outcome import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from seatrial.errors import Mistake
    from seatrial.metrics import Metric
    from seatrial.outcome import Measure
    from seatrial.tasks import Scope


def named_metric(scope: Scope, own: str | None) -> Metric | None:
    """The metric, where the file (and not the data) decides it."""
    name = own or scope.pipeline.metric
    if name is None and scope.pipeline.problem is not None:
        name = metrics.default(scope.pipeline.problem)
    return metrics.get(name) if name else None


def side(metric: Metric | None) -> str:
    """On which side of its limit a metric must lie; the usual one when the data decides it.

    >>> side(metrics.get("r2")), side(metrics.get("expected_calibration_error"))
    ('at least', 'at most')
    """
    return "at least" if metric is None or metric.greater_is_better else "at most"


def end(metric: Metric | None) -> str:
    """Which bound of a metric must reach its limit."""
    return "lower" if metric is None or metric.greater_is_better else "upper"


def worst(high: float | None, form: str) -> str:
    """How bad a difference may be at most, as the beginning of a parenthesis.

    >>> worst(0.0044, ".4f"), worst(-0.1151, ".4f"), worst(None, ".4f")
    ('at most 0.0044 worse, ', 'at least 0.1151 better, ', '')
    """
    if high is None:
        return ""
    return f"at least {-high:{form}} better, " if high < 0 else f"at most {high:{form}} worse, "


def proven(measure: Measure, form: str) -> str:
    """The bound of a difference that decides, as the beginning of a parenthesis.

    >>> from seatrial.outcome import Measure, Verdict
    >>> proven(Measure(name="degradation.r2", value=0.15, low=0.14, high=0.16, limit=0.05,
    ...                verdict=Verdict.FAIL), ".2f")
    'at least 0.14 worse, '
    """
    if measure.verdict is Verdict.FAIL and measure.low is not None:
        return f"at least {measure.low:{form}} worse, "
    return worst(measure.high, form)


def check_threshold(scope: Scope, limit: float, own: str | None) -> Iterator[Mistake]:
    """A limit that the metric can never reach, or always does, is a mistake; so is its name."""
    try:
        metric = named_metric(scope, own)
    except FileError as error:
        for mistake in error.mistakes:
            place = "metric" if own else "performance_threshold"
            yield scope.mistake(mistake.what, place, nearest=mistake.nearest, fix=mistake.fix)
        return
    if scope.pipeline.problem == "numbers" or (metric and metric.problem == "numbers"):
        bounded = bool(metric and metric.bounded)
    else:
        bounded = metric is None or metric.bounded
    name = metric.name if metric else "the metric"
    if bounded and not 0 <= limit <= 1:
        hint = f"{limit / 100:g}" if 1 < limit <= 100 else "a number between 0 and 1"  # noqa: PLR2004
        yield scope.mistake(
            f"{name} lies between 0 and 1, so {limit:g} is no limit for it",
            "performance_threshold",
            fix=f"write {hint}",
        )
    if metric and metric.name.startswith("neg_") and limit > 0:
        yield scope.mistake(
            f"{metric.name} is never above 0 (greater is better), so {limit:g} cannot be reached",
            "performance_threshold",
            fix=f"write {-limit:g}",
        )


def bound_demanded(scope: Scope, own: str | None, limit: float, where: str) -> str:
    """The line of the plan about a bound on the metric; ``where`` says on which rows."""
    metric = named_metric(scope, own)
    name = metric.name if metric else "metric"
    return f"{name} {side(metric)} {limit:g} on {where} ({end(metric)} 95 % bound)"


def provable(scope: Scope, own: str | None, limit: float, rows: int) -> Iterator[str]:
    """What a bound can prove with so many rows."""
    metric = named_metric(scope, own) or metrics.get("accuracy")
    if not power.tells(metric):
        yield f"what {rows} rows prove of {metric.name} depends on how its losses spread"
        return
    least = power.smallest_passing(metric, rows, limit)
    if least is None:
        yield f"with {rows} rows no value of {metric.name} proves {limit:g}"
    else:
        yield f"with {rows} rows {metric.name} must come out at {least:.3f} to prove {limit:g}"
