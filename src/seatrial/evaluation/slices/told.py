"""What is told of slices: the worst three, what is not judged, and what the search has found?"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from seatrial.data.column import listed
from seatrial.evidence import power
from seatrial.outcome import Direction, Finding, Measure, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from seatrial.evaluation.slices.judged import OnSlice
    from seatrial.evaluation.slices.search import Worst

TOLD = 3

WHAT_TO_DO = (
    "look at such rows: more of them in training, or a column that tells them apart, may help;"
    " what cannot be helped can be served by other means"
)


def findings(
    dataset: str, rows: int, judged: Sequence[OnSlice], worst: Worst | None
) -> Iterator[Finding]:
    """The three worst slices, what is not settled or not judged, and the worst that was found.

    ``rows`` counts all rows of the dataset.
    """
    yield from _missed(dataset, rows, judged)
    yield from _unsettled(dataset, judged)
    yield from _unjudged(dataset, judged)
    if worst is not None:
        yield _searched(dataset, rows, worst)


def numbers(measure: Measure) -> str:
    """Value, bounds and limit.

    >>> numbers(Measure(name="accuracy", value=0.62, low=0.58, high=0.6612, limit=0.7, n=412))
    '0.62 (0.58 to 0.6612, at least 0.7 demanded)'
    """
    if measure.value is None:
        return "no value"
    low, high = _ends(measure)
    word = "at least" if measure.direction is Direction.AT_LEAST else "at most"
    demanded = "" if measure.limit is None else f", {word} {measure.limit:g} demanded"
    return f"{measure.value:.4g} ({low} to {high}{demanded})"


def ranked(judged: Sequence[OnSlice]) -> list[OnSlice]:
    """Those with a value, the worst first: by what they are at best, so that few rows weigh less.

    By value where that is not known.
    """
    return sorted((each for each in judged if each.measure.value is not None), key=_at_best)


def _at_best(each: OnSlice) -> tuple[float, str]:
    measure = each.measure
    least = measure.direction is Direction.AT_LEAST
    bound = measure.high if least else measure.low
    best = measure.value if bound is None else bound
    assert best is not None
    return best if least else -best, each.slice.name


def _ends(measure: Measure) -> tuple[str, str]:
    low, high = (
        f"{bound:.4g}" if bound is not None and math.isfinite(bound) else "?"
        for bound in (measure.low, measure.high)
    )
    return low, high


def _missed(dataset: str, rows: int, judged: Sequence[OnSlice]) -> Iterator[Finding]:
    """Each of the worst that fails; where none does, the worst in one line."""
    worst_first = ranked(judged)
    failed = [each for each in worst_first if each.measure.verdict is Verdict.FAIL]
    for each in failed[:TOLD]:
        lost = each.degradation
        beside = ""
        if lost is not None and lost.value is not None:
            side = "worse" if lost.value > 0 else "better"
            beside = f", {abs(lost.value):.4g} {side} than in production"
        yield Finding(
            what=f"{each.measure.name} is {numbers(each.measure)}{beside},"
            f" on {each.measure.n} of {rows} rows",
            where=dataset,
            hint=WHAT_TO_DO,
        )
    if len(failed) > TOLD:
        more = listed([each.slice.name for each in failed[TOLD:]], 6)
        yield Finding(what=f"{len(failed) - TOLD} more fail: {more}", where=dataset)
    if worst_first and not failed:
        some = "; ".join(
            f"{each.slice.name}: {numbers(each.measure)} on {each.measure.n} rows"
            for each in worst_first[:TOLD]
        )
        metric = worst_first[0].measure.name.partition(" on ")[0]
        yield Finding(what=f"{metric} is worst on {some}", where=dataset, hint=_demand(judged))


def _demand(judged: Sequence[OnSlice]) -> str:
    if any(each.measure.limit is not None for each in judged):
        return ""
    return "nothing is demanded of slices: `slice_threshold: …` would"


def _unsettled(dataset: str, judged: Sequence[OnSlice]) -> Iterator[Finding]:
    open_ones = [each for each in judged if each.measure.verdict is Verdict.INCONCLUSIVE]
    for each in open_ones[:TOLD]:
        yield Finding(
            what=f"{each.measure.name} is not settled: "
            + (each.why or f"{numbers(each.measure)} on {each.measure.n} rows"),
            where=dataset,
            hint=_would_settle(each),
        )
    if len(open_ones) > TOLD:
        more = listed([each.slice.name for each in open_ones[TOLD:]], 6)
        what = f"{len(open_ones) - TOLD} more not settled: {more}"
        yield Finding(what=what, where=dataset)


def _would_settle(each: OnSlice) -> str:
    if each.measure.value is not None:
        return power.settles(each.measure, "labelled rows of the slice")
    if not len(each.slice.rows):
        return "add such rows, or take the slice out of `slices:`"
    return "add rows of the slice that give the metric a value, or choose another metric"


def _unjudged(dataset: str, judged: Sequence[OnSlice]) -> Iterator[Finding]:
    """Parts of columns that nobody named: with too few rows or no value, told in one line."""
    small = [each for each in judged if each.why and each.measure.verdict is Verdict.SKIP]
    if small:
        some = listed([f"{each.slice.name} ({each.why})" for each in small], 6)
        yield Finding(
            what=f"not judged: {some}", where=dataset, hint="a slice that is named is judged"
        )


def _searched(dataset: str, rows: int, worst: Worst) -> Finding:
    here, rest = worst.measure, worst.rest
    metric = here.name.partition(" on ")[0]
    of = f"of {worst.searched} slices that were searched"
    value = f"{here.value:.4g} on {here.n} of {rows} rows"
    if rest.value is not None:
        value += f", {rest.value:.4g} on the rest"
    low, high = _ends(here)
    bounds = f"between {low} and {high} after correction for the search"
    if worst.beyond_chance or here.verdict is Verdict.FAIL:
        return Finding(
            what=f"{of}, {metric} is worst where {worst.slice.name}: {value}; {bounds}",
            where=dataset,
            hint=WHAT_TO_DO,
        )
    if here.value == rest.value:
        return Finding(what=f"{of}, {metric} is worse on none than on the rest", where=dataset)
    return Finding(
        what=f"{of}, none is worse than the rest beyond chance; {metric} looks worst where"
        f" {worst.slice.name}: {value}; {bounds}",
        where=dataset,
    )
