"""What was answered for what: the candidate on the evaluation rows, beside production."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from seatrial.evidence.drawn import Answers
from seatrial.report._number import number
from seatrial.report.charts.curve import Line, curves
from seatrial.report.charts.forest import Interval, forest
from seatrial.report.charts.histogram import histogram
from seatrial.report.charts.matrix import matrix
from seatrial.report.section import Folded, Note, Section, Table
from seatrial.report.sections._kept import read

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from seatrial.evidence.drawn import Drawn
    from seatrial.evidence.drawn.classes import Calibrated, OfClasses
    from seatrial.evidence.drawn.numbers import OfNumbers, Residuals
    from seatrial.report.section import Part
    from seatrial.report.sections import Sources

SERIES = ("production", "candidate")


def section(sources: Sources) -> Section | None:
    """The answers that every test of quality kept; what two tests kept alike is drawn once."""
    addresses: dict[str, list[str]] = {}
    for address in sources.steps:
        outcome = sources.outcome(address)
        if outcome is not None and "answers" in outcome.blobs:
            addresses.setdefault(outcome.blobs["answers"], []).append(address)
    parts: list[Part] = []
    for digest, of in addresses.items():
        what = f"The answers of {' and '.join(of)}"
        found = read(sources.kept(digest, f"'answers' of {of[0]}"), Answers, what)
        parts += [found] if isinstance(found, Note) else _parts(found, of)
    return Section(anchor="answers", title="Answers", parts=tuple(parts)) if parts else None


def _parts(found: Answers, addresses: Sequence[str]) -> Iterator[Part]:
    yield Note(
        f"{found.rows} rows of {found.dataset} ({' and '.join(addresses)}), fingerprint"
        f" {found.fingerprint}."
    )
    sides = [("candidate", found.candidate)]
    if found.production is not None:
        sides.append(("production", found.production))
    yield from _of_classes(found, [(f"{name} (version {d.version})", d) for name, d in sides])
    yield from _of_numbers([(f"{name} (version {d.version})", d) for name, d in sides])


def _of_classes(found: Answers, sides: Sequence[tuple[str, Drawn]]) -> Iterator[Part]:
    known = [(name, each.of_classes) for name, each in sides if each.of_classes is not None]
    names = [*found.classes, *([f"{found.others} others"] if found.others else [])]
    for name, each in known:
        title = f"truth and answers, {name}"
        yield matrix(title, names, each.confusion, several=bool(found.others), right=each.right)
    asked = [_asked(names, each) for _, each in known]
    for about in dict.fromkeys(asked):  # versions that know other classes are drawn apart
        alike = [each for each, of in zip(known, asked, strict=True) if of == about]
        yield from _roc(about, alike)
        said = f"probability of {about}" if about else "probability of the answer"
        lines = [_calibrated(name, each.calibration) for name, each in alike if each.calibration]
        if lines:
            yield curves("calibration", said, "share that came true", lines, diagonal=True)
        yield from _scores(about, names, alike)


def _asked(names: Sequence[str], of: OfClasses) -> str:
    """The class that its probabilities are of; none where they are of whatever it answered."""
    if of.positive is not None:
        return names[of.positive]
    return names[-1] if of.scores else ""  # of what an older release kept


def _roc(positive: str, known: Sequence[tuple[str, OfClasses]]) -> Iterator[Part]:
    lines = []
    for name, each in known:
        if each.roc:
            whole = each.roc[-1]  # there every row is called positive
            ends = (whole.false_positives, whole.true_positives)
            counts = [(0, 0), *((p.false_positives, p.true_positives) for p in each.roc)]
            points = [(across / ends[0], up / ends[1]) for across, up in counts]
            lines.append(Line(name=name, points=points))
    if lines:
        across = f"of the others, the share called {positive}"
        yield curves("ROC", across, f"of {positive}, the share found", lines, diagonal=True)


def _calibrated(name: str, bins: Sequence[Calibrated]) -> Line:
    return Line(
        name=name,
        points=[(each.mean, each.true / each.n) for each in bins],
        low=[each.low for each in bins],
        high=[each.high for each in bins],
        rows=[each.n for each in bins],
    )


def _scores(
    positive: str, names: Sequence[str], known: Sequence[tuple[str, OfClasses]]
) -> Iterator[Part]:
    """How the probability lies among the rows of either class."""
    others = [name for name in names if name != positive]
    other = others[0] if len(others) == 1 else "all others"
    for name, each in known:
        if each.scores:
            negative, came = each.scores
            bins = len(came)
            edges = [place / bins for place in range(bins + 1)]
            yield histogram(
                f"probability of {positive}, {name}",
                _between(edges),
                negative,
                came,
                edges,
                series=(other, positive),
            )


def _of_numbers(sides: Sequence[tuple[str, Drawn]]) -> Iterator[Part]:
    known = [(name, each.of_numbers) for name, each in sides if each.of_numbers is not None]
    if not known:
        return
    mine, theirs = known[0][1].residuals, known[1][1].residuals if len(known) > 1 else None
    first, last = (number(mine.edges[place]) for place in (0, -1))
    yield histogram(
        "residuals: answer less truth",
        [f"below {first}", *_between(mine.edges), f"above {last}"],
        _open_ended(theirs) if theirs is not None else (),
        _open_ended(mine),
        mine.edges,
        series=SERIES,
    )
    yield _by_decile(*known[0])
    more = (*(_by_decile(*each) for each in known[1:]), *(_deciles(*each) for each in known))
    yield Folded("Answers and truth by tenths of the answers", more)


def _open_ended(of: Residuals) -> list[int]:
    """With what lies outside of the edges, so that shares are those of all rows."""
    return [of.below, *of.counts, of.above]


def _by_decile(name: str, of: OfNumbers) -> Part:
    """Where among the answers they are off: a line for each tenth."""
    rows = [
        Interval(
            label=f"answer about {number(each.answered)} ({each.n} rows)",
            value=each.residuals[2],
            low=each.residuals[0],
            high=each.residuals[4],
        )
        for each in of.deciles
    ]
    title = f"residuals by tenths of the answers, {name}: the median, and 90 % of the rows"
    return forest(title, rows, shared=True)


def _deciles(name: str, of: OfNumbers) -> Table:
    heads = ("rows", "mean answer", "mean truth", "5 %", "25 %", "median", "75 %", "95 %")
    return Table(
        heads=heads,
        rows=tuple(
            (str(each.n), *map(number, (each.answered, each.true, *each.residuals)))
            for each in of.deciles
        ),
        numbers=frozenset(range(len(heads))),
        caption=f"residuals by tenths of the answers, {name}",
    )


def _between(edges: Sequence[float]) -> list[str]:
    return [f"{number(a)} to {number(b)}" for a, b in itertools.pairwise(edges)]
