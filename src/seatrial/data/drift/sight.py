"""What does a comparison demand, and what can it see with the rows at hand? For the plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.data.column import listed
from seatrial.data.drift.bins import ORDERED, present
from seatrial.data.drift.comparable import comparable
from seatrial.data.drift.pairs import said
from seatrial.data.drift.settling import rows_to_pass, sees, together

if TYPE_CHECKING:
    from collections.abc import Iterator

    from seatrial.data import Rows
    from seatrial.data.drift.limits import Limits
    from seatrial.data.profiles.profile import Profile


def demands(
    profile: Profile, rows: Rows, limits: Limits, reference: str, command: str
) -> Iterator[str]:
    """Lines for the plan; ``reference`` is what the profile is called, ``command`` makes it.

    Raises FormError where a comparison would.
    """
    measure, unit = limits.divergence, _unit(limits)
    fit = comparable(profile, rows, limits, command)
    columns = [c for c in fit.columns if c.kind in ORDERED or not measure.numbers_only]
    names = f"of {listed(limits.columns)}" if limits.columns else f"of {len(columns)} columns"
    about = ", approximately, from bins" if measure.approximate else ""
    yield (
        f"{measure.word} {names} from {reference} at most {limits.usual:g}{unit}{about}: fails"
        " when a lower bound is above, passes when every upper bound is below"
    )
    if limits.thresholds:
        yield "but " + listed([f"{n} at most {t:g}{unit}" for n, t in limits.thresholds.items()])
    if fit.broken:
        yield f"this will fail: {fit.faults[0].what}"
    parts = [part for part in profile.slices if part.column in limits.slices]
    alpha = together(len(columns) * (1 + len(parts)))
    bins = max((len(present(column)) + bool(column.missing) for column in columns), default=1)
    sizes = [(f"{rows.rows} row{'s' * (rows.rows != 1)} of {rows.dataset.name}", 1.0)]
    if parts:
        by = ", ".join(limits.slices)
        yield f"and so on each of {len(parts)} slices by {by} that {reference} knows"
        least = min(parts, key=lambda part: part.rows)
        share = least.rows / profile.rows
        some = f"the {rows.rows * share:.0f} rows or so of the smallest, {said(least.within)},"
        sizes.append((some, share))
    for some, share in sizes:
        seen = _sight(limits, bins, alpha, (rows.rows * share, profile.rows * share))
        yield (
            f"with {some} {seen}"
            if seen
            else (
                f"data that has not moved cannot pass: the {profile.rows * share:.0f} rows of"
                f" {reference} are too few; make it from more"
            )
        )


def _unit(limits: Limits) -> str:
    """The unit of the thresholds as it follows a number."""
    return f" {limits.divergence.unit}" if limits.divergence.unit else ""


def _sight(limits: Limits, bins: int, alpha: float, rows: tuple[float, float]) -> str:
    """What so many rows, now and in the reference, can show; empty when none could pass."""
    now, before = map(round, rows)
    measure, threshold, unit = limits.divergence, limits.usual, _unit(limits)
    found = sees(measure, now, before, bins, threshold, alpha)
    passes = rows_to_pass(measure, before, bins, threshold, alpha)
    if passes is None:
        return ""
    if now < passes:
        catch = f" or catch more than {found:.2g}{unit}" if found is not None else ""
        more = f"from about {passes} rows data that has not moved passes"
        return f"this can only be inconclusive{catch}; {more}"
    if found is None:
        return "no drift is so large that it would surely be found"
    return f"a column that moved by {found:.2g}{unit} or more would be found in 9 of 10 cases"
