"""Do all the demands on a model together let it through?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from seatrial.errors import FaultError, Mistake
from seatrial.evidence import power
from seatrial.outcome import Direction, Measure, Verdict, combine

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@dataclass(frozen=True, slots=True)
class Gate:
    """The verdict over ``measures`` (those of slices carry the slice's name), and why, at once."""

    verdict: Verdict
    reason: str
    measures: tuple[Measure, ...]


def gate(
    measures: Iterable[Measure],
    *,
    slices: Mapping[str, Iterable[Measure]] | None = None,
    rows: str = "labelled rows",
) -> Gate:
    """Fail if any demand fails, pass only if all that apply pass, else say what would settle it.

    A measure without a limit is a report and never counts; one that was skipped does not apply,
    and a gate to which nothing applies is skipped. ``slices`` are measures on parts of the rows,
    by the part's name, and count like the others; ``rows`` is what to call that which would
    settle an open question.

    Demanding that all pass needs no correction for their number, each at 95 %: Berger (1982),
    "Multiparameter hypothesis testing and acceptance sampling", Technometrics 24. That any of
    several fails by chance is likelier the more there are that lie on their limits.

    Raises :class:`~seatrial.errors.FaultError` when nothing is demanded: silence is no pass.

    >>> accuracy = Measure(name="accuracy", value=0.90, low=0.88, high=0.92, limit=0.85, n=700,
    ...                    verdict=Verdict.PASS)
    >>> few = Measure(name="accuracy", value=0.87, low=0.80, high=0.92, limit=0.85, n=90,
    ...               verdict=Verdict.INCONCLUSIVE)
    >>> found = gate([accuracy], slices={"carrier AA": [few]})
    >>> found.verdict.value, found.reason
    ('inconclusive', 'accuracy on carrier AA is not settled: 0.87 (low 0.8, high 0.92, at least \
0.85); 1013 more labelled rows would settle it')
    """
    named = (*measures, *_of_slices(slices or {}))
    demanded = [each for each in named if _counts(each)]
    if not demanded:
        reports = ", ".join(each.name for each in named) or "nothing"
        raise FaultError(
            Mistake(
                f"a gate demands nothing: it was given {reports}, without any limit",
                fix="give at least one measure with a limit",
            )
        )
    verdict = combine(each.verdict for each in demanded)
    deciding = [each for each in demanded if each.verdict is verdict]
    return Gate(verdict, _said(verdict, deciding, rows), named)


def _of_slices(slices: Mapping[str, Iterable[Measure]]) -> Iterable[Measure]:
    for name, measures in slices.items():
        for each in measures:
            yield replace(each, name=f"{each.name} on {name}")


def _counts(measure: Measure) -> bool:
    # What has a verdict was judged by something, even where no limit could be computed.
    if measure.limit is None and measure.verdict is Verdict.PASS:
        raise FaultError(f"{measure.name} passes without a limit")
    return measure.limit is not None or measure.verdict is not Verdict.SKIP


def _said(verdict: Verdict, deciding: list[Measure], rows: str) -> str:
    """One sentence: the measure that decides, and how many others say the same."""
    if verdict is Verdict.SKIP:
        return f"nothing to judge: {_names(deciding)} skipped"
    if verdict is Verdict.FAIL:
        return f"{_told(deciding[0], 'fails')}{_others(deciding)}"
    if verdict is Verdict.PASS:
        return "; ".join(_told(each, "passes") for each in deciding)
    hardest = max(deciding, key=_rows_needed)
    return f"{_told(hardest, 'is not settled')}; {power.settles(hardest, rows)}{_others(deciding)}"


def _rows_needed(measure: Measure) -> float:
    more = power.rows_needed(measure)
    return float("inf") if more is None else more


def _others(deciding: list[Measure]) -> str:
    others = len(deciding) - 1
    return f"; and so for {others} more" if others else ""


def _names(measures: list[Measure]) -> str:
    names = [each.name for each in measures]
    were = "was" if len(names) == 1 else "were"
    return f"{', '.join(names)} {were}"


def _told(measure: Measure, does: str) -> str:
    word = "at least" if measure.direction is Direction.AT_LEAST else "at most"
    numbers = (("low", measure.low), ("high", measure.high), (word, measure.limit))
    known = ", ".join(f"{name} {number:.4g}" for name, number in numbers if number is not None)
    value = "no value" if measure.value is None else f"{measure.value:.4g}"
    return f"{measure.name} {does}: {value}" + (f" ({known})" if known else "")
