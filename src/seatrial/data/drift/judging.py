"""Has a dataset moved away from its profile, by how much, and where?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from seatrial.data.column import listed
from seatrial.data.drift.comparable import comparable
from seatrial.data.drift.compared import compared
from seatrial.data.drift.findings import news, told
from seatrial.data.drift.pairs import paired
from seatrial.data.drift.settling import together
from seatrial.errors import FormError, Mistake
from seatrial.outcome import Finding, Measure, Verdict, combine

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from seatrial.data import Rows
    from seatrial.data.drift.compared import Compared
    from seatrial.data.drift.divergence import Divergence
    from seatrial.data.drift.limits import Limits
    from seatrial.data.drift.pairs import Pair
    from seatrial.data.profiles.profile import Profile


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """What a comparison found: a measure for each column (and slice), and what is worth telling.

    ``broken`` names the columns that could not be compared because they are missing or of
    another kind; ``faults`` tells of them, and one is enough to fail. ``moves`` tells of what
    moved or is not settled, ``notes`` of what was never there before or was not compared.
    """

    dataset: str
    divergence: Divergence
    compared: tuple[Compared, ...]
    broken: tuple[str, ...] = ()
    faults: tuple[Finding, ...] = ()
    moves: tuple[Finding, ...] = ()
    notes: tuple[Finding, ...] = ()

    @property
    def measures(self) -> tuple[Measure, ...]:
        """One for each column and slice that was compared."""
        return tuple(each.measure for each in self.compared)

    @property
    def rows(self) -> int:
        """How many rows were compared with the reference."""
        return max((each.pair.rows[0] for each in self.compared), default=0)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All that is told, the worst first."""
        return (*self.faults, *self.moves, *self.notes)

    @property
    def verdict(self) -> Verdict:
        """Fail when a column is broken, else the verdict over the measures."""
        return Verdict.FAIL if self.broken else combine(m.verdict for m in self.measures)


def compare(profile: Profile, rows: Rows, limits: Limits, command: str = "") -> Drift:
    """Compare a dataset with a profile, column by column, and slice by slice where asked for.

    All columns of the profile are compared but key, time, excluded, nested and (unless named)
    time columns. ``command`` is what makes the profile, for errors to quote. Raises FormError
    when names in ``limits`` are not in the profile, when the two have no column in common or none
    is left to compare, FileError for an unknown measure.
    """
    fit = comparable(profile, rows, limits, command)
    pairs = paired(profile, rows, fit.columns, limits)
    if pairs and not fit.broken and not any(pair.fits(limits.divergence) for pair in pairs):
        raise _nothing_fits(rows, limits.divergence, pairs)
    found = judge(pairs, limits, rows.dataset.name)
    return replace(
        found,
        broken=fit.broken,
        faults=fit.faults,
        notes=(*found.notes, *fit.notes),
    )


def judge(pairs: Sequence[Pair], limits: Limits, dataset: str) -> Drift:
    """Judge columns that were counted twice on the same bins; ``dataset`` is told as the place.

    The lower bounds are wrong together, for all columns and slices at once, with probability
    0.05 at most, so that the number of columns raises no false alarm; the upper bounds need no
    such correction, because all must lie within their limits for a pass (Berger, 1982,
    Technometrics 24). Raises FileError for an unknown measure.

    >>> from seatrial.data.drift.limits import Limits
    >>> from seatrial.data.drift.pairs import Pair
    >>> from seatrial.data.shape import ColumnProfile
    >>> then, now = (
    ...     ColumnProfile(name="carrier", kind="string", values=("AA", "UA"), counts=counts)
    ...     for counts in ((5000, 5000), (9000, 1000))
    ... )
    >>> found = judge([Pair(then, now)], Limits(threshold=0.1), "april")
    >>> found.verdict.value, [str(change) for change in found.compared[0].changes]
    ('fail', ['`carrier = UA` fell from 50 to 10 %', '`carrier = AA` rose from 50 to 90 %'])
    """
    divergence = limits.divergence
    fit = [pair for pair in pairs if pair.fits(divergence)]
    alpha = together(max(1, len(fit)))
    found = tuple(compared(p, divergence, limits.of(p.reference.name), alpha) for p in fit)
    drift = Drift(dataset=dataset, divergence=divergence, compared=found)
    return replace(
        drift,
        moves=tuple(told(drift)),
        notes=(*news(pairs, dataset), *_unfit(pairs, divergence, dataset)),
    )


def _unfit(pairs: Sequence[Pair], divergence: Divergence, dataset: str) -> Iterator[Finding]:
    names = dict.fromkeys(p.reference.name for p in pairs if not p.fits(divergence))
    if names:
        what = f"not compared: {listed(names)} ({divergence.word} needs an order of the values)"
        yield Finding(what=what, where=dataset, hint="compare text by another measure, such as kl")


def _nothing_fits(rows: Rows, divergence: Divergence, pairs: Sequence[Pair]) -> FormError:
    names = listed([pair.name for pair in pairs], 6)
    return FormError(
        Mistake(
            f"no column of {rows.dataset.name!r} can be compared by {divergence.word}: {names}",
            where=rows.dataset.place,
            fix="use another measure, such as kl",
        )
    )
