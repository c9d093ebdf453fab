"""What is compared on live traffic now, watches and shadow tests, as sections of a page."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from seatrial.report._number import number
from seatrial.report.charts.forest import forest
from seatrial.report.headline import minute
from seatrial.report.section import Facts, Note, Section
from seatrial.report.sections._lines import line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from seatrial.registry.project import Project
    from seatrial.report.evidence_now import Standing
    from seatrial.report.section import Part

TITLES = {
    "watch": "{} version {} is watched",
    "shadow": "{} version {} answers in the shadow",
}


def under_way(project: Project) -> Iterator[Section]:
    """A section for each watch and each shadow test."""
    from seatrial.report.evidence_now import evidence_now

    for place, each in enumerate(evidence_now(project), 1):
        title = TITLES[each.kind].format(each.model, each.version)
        yield Section(anchor=f"evidence-{place}", title=title, parts=tuple(_parts(each)))


def _parts(of: Standing) -> Iterator[Part]:
    """What is measured, with its bounds, against its margin; and how far the evidence has come."""
    yield Note(f"Beside version {of.against}, until {minute(of.until)} UTC: {of.said}.")
    rows = [
        line(each.measure.name, asdict(each.measure))
        for each in of.seen
        if each.measure.value is not None
    ]
    if rows:
        yield forest(f"{of.model} version {of.version} beside version {of.against}", rows)
    towards = tuple(
        (each.measure.name, f"{number(round(100 * each.towards))} % of what a rollback needs")
        for each in of.seen
        if each.towards is not None
    )
    if towards:
        yield Facts(towards)
