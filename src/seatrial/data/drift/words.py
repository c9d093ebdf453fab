"""How is a column's move said: in numbers, by its bins, and by what would settle it?"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from seatrial.data.drift.bins import ORDERED
from seatrial.outcome import Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from seatrial.data.drift.compared import Compared
    from seatrial.data.drift.divergence import Divergence
    from seatrial.data.drift.judging import Drift
    from seatrial.data.shape import ColumnProfile
    from seatrial.outcome import Measure


def reason(drift: Drift, reference: str) -> str:
    """The verdict in one sentence; ``reference`` is what the data were compared with."""
    verdict = drift.verdict
    ranked = sorted(drift.compared, key=lambda each: each.reach, reverse=True)
    deciding = [each for each in ranked if each.measure.verdict is verdict]
    said = numbers(deciding[0].measure, drift.divergence) if deciding else ""
    if drift.broken:
        more = f", and {len(drift.broken) - 1} more" if len(drift.broken) > 1 else ""
        what = f"{drift.findings[0].what}{more}"
        if deciding:
            what += f"; {_count(len(deciding), ranked)} moved, most {deciding[0].name}: {said}"
    elif verdict is Verdict.FAIL:
        what = f"{_count(len(deciding), ranked)} moved, most {deciding[0].name}: {said}"
    elif verdict is Verdict.PASS:
        what = f"{_columns(deciding)} as in {reference}; the largest, {deciding[0].name}: {said}"
    else:
        what = f"{drift.rows} row{'s' * (drift.rows != 1)} cannot settle"
        what += f" {_count(len(deciding), ranked)}, such as {deciding[0].name}: {said}"
        what += f"; {settles(deciding, drift.rows)}"
    return f"{drift.dataset}: {what}"


def _count(some: int, of: Sequence[Compared]) -> str:
    return f"{some} of {_columns(of)}"


def _columns(found: Sequence[Compared]) -> str:
    slices = " and slices" if any(each.pair.within for each in found) else ""
    return f"{len(found)} column{'s' * (len(found) != 1)}{slices}"


def numbers(measure: Measure, divergence: Divergence) -> str:
    """Value, the bounds that decide, and the limit.

    >>> from seatrial.data.drift.divergence import MEASURES
    >>> from seatrial.outcome import Direction, Measure
    >>> moved = Measure(name="kl.delay", value=1.93, low=1.85, high=2.01, limit=0.1, n=900,
    ...                 direction=Direction.AT_MOST, verdict=Verdict.FAIL)
    >>> numbers(moved, MEASURES["kl"])
    '1.93 nats (at least 1.85, limit 0.1)'
    """
    if measure.value is None:
        return "an unknown distance, for there are no rows"
    bounds = {
        Verdict.FAIL: f"at least {measure.low:.3g}",
        Verdict.PASS: f"at most {measure.high:.3g}",
    }.get(measure.verdict, f"{measure.low:.3g} to {measure.high:.3g}")
    value = " ".join(part for part in (f"{measure.value:.3g}", divergence.unit) if part)
    return f"{value} ({bounds}, limit {measure.limit:g})"


def clause(each: Compared) -> str:
    """What happened to the column: it stands still, or the bins that changed most."""
    now, before = each.pair.current, each.pair.reference
    rows, rows_before = each.pair.rows
    if rows and now.missing == rows:
        share = 100 * before.missing / max(1, rows_before)
        return f"it holds no value any more; {share:.3g} % were missing before"
    only = "" if now.missing else _constant(now)
    if only and not _constant(before):
        return f"it is {only} in every row"
    changes = [str(change) for change in each.changes]
    if each.pair.unlisted and before.other and any("= any other" in text for text in changes):
        changes.append("of the others " + ", ".join(f"{v!r} ({n})" for v, n in each.pair.unlisted))
    return ", ".join(changes)


def _constant(column: ColumnProfile) -> str:
    """The only value of a column, as text; empty when there are several."""
    if column.kind in ORDERED:
        if column.minimum is None or column.minimum != column.maximum or column.infinities:
            return ""
        return f"{column.minimum:.6g}" if column.kind == "number" else "one time"
    there = [value for value, n in zip(column.values, column.counts, strict=True) if n]
    return repr(there[0]) if len(there) == 1 and not column.other else ""


def settles(unsettled: Sequence[Compared], rows: int) -> str:
    """What would settle all of them: how many more rows, or what stands in the way of which.

    There are ``rows`` now, in all slices together.
    """
    empty = sum(each.settling is None for each in unsettled)
    if empty:
        some = f"{empty} of the slices" if empty > 1 else "one of the slices"
        return f"it needs rows: there are none in {some}"
    found = [(each, each.settling) for each in unsettled if each.settling]
    # What a slice needs comes with the rows of all the others.
    more = [s.rows * rows / each.pair.rows[0] for each, s in found if s.rows is not None]
    said = []
    if more:
        them = f"{len(more)} of them" if len(more) < len(found) else "them"
        them = "it" if len(found) == 1 else them
        said = [f"about {_about(max(more))} more rows would settle {them}"]
    for larger in (False, True):
        stuck = [s for _, s in found if s.rows is None and s.larger is larger]
        if stuck:
            those = f"for {len(stuck)} of them, " if len(stuck) < len(found) else ""
            said.append(those + stuck[0].reason + (": make it from more" if larger else ""))
    return "; ".join(said)


def _about(rows: float) -> int:
    """Rounded up to two digits.

    >>> _about(1234.5), _about(7)
    (1300, 7)
    """
    step = int(10 ** max(0, len(str(math.ceil(rows))) - 2))
    return math.ceil(rows / step) * step
