"""What a question rests on, as parts of a page."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from seatrial.errors import StoreError
from seatrial.registry import watches
from seatrial.report._number import number
from seatrial.report.charts.forest import Interval, forest
from seatrial.report.section import Badge, Facts, Note, Table
from seatrial.review.document import facts, measures

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from seatrial.registry.project import Project
    from seatrial.registry.watches import Watch
    from seatrial.report.section import Cell, Part
    from seatrial.review.items import Item

_IN_THE_HEAD = frozenset({"model", "version"})
"""What the page of a question says above its evidence."""

_KEYS = ("value", "low", "high", "limit", "direction")


def evidence(project: Project, item: Item) -> Iterator[Part]:
    """Its measures as lines against their limits, and what else it says by name.

    What a watch asks says which watch: its numbers go on, and are those of now.
    """
    found = [_whole(each) for each in measures(item)]
    judged = [each for each in found if each["limit"] is not None]
    told = [each for each in found if each["limit"] is None]
    if judged:
        rows = [_drawn(each) for each in judged]
        alike = len({(each["limit"], each["direction"]) for each in judged}) == 1
        yield forest("What was measured", rows, shared=alike and len(rows) > 1)
    watched = tuple(_watched(project, item))
    yield from watched
    if told:
        yield Table(
            heads=("measure", "value", "low", "high", "n", "verdict"),
            rows=tuple(_line(each) for each in told),
            numbers=frozenset({1, 2, 3, 4}),
            caption="Also measured",
        )
    said = tuple(
        (name.replace("_", " "), _shown(value))
        for name, value in facts(item)
        if name not in _IN_THE_HEAD
    )
    if said:
        yield Facts(said)
    if not (found or watched or said):
        yield Note("Nothing was measured that could be drawn: the question says all there is.")


def by_labels(project: Project, item: Item) -> Iterator[Part]:
    """Of an item that labels have settled: each label, and what the two versions had said."""
    from seatrial.review import labelling

    try:
        kept = labelling.settled(project, item)
    except StoreError as error:
        yield Note(f"What the labels were cannot be shown: {error.mistakes[0].what}", gone=True)
        return
    if kept is not None:
        new, old = kept["version"], kept["against"]
        yield Table(
            heads=("request", "row", "label", "by", f"version {new} said", f"version {old} said"),
            rows=tuple(_labelled(row) for row in kept["rows"]),
            numbers=frozenset({1}),
            caption="The labels that count, in the order in which they were asked for",
        )


def _watched(project: Project, item: Item) -> Iterator[Part]:
    """What the watch that asks has seen, until now or until it ended."""
    from seatrial.report.evidence_now import labels, seen_by

    watch = _watch_of(project, item)
    if watch is None:
        return
    try:
        seen = seen_by(project, watch)
    except StoreError as error:
        yield Note(f"What the watch saw cannot be read: {error.mistakes[0].what}", gone=True)
        return
    except (KeyError, TypeError, ValueError):
        yield Note("What the watch saw was kept by another release of seatrial.", gone=True)
        return
    if seen:
        until = "when it ended" if watch.closed else "now"
        title = f"What the watch has seen of {labels(seen)} labelled requests, as it stood {until}"
        yield forest(title, [_drawn(asdict(each.measure)) for each in seen])
    else:
        yield Note("No label has reached the watch.")


def _watch_of(project: Project, item: Item) -> Watch | None:
    asked = item.asked
    if asked.model is None or asked.version is None:
        return None
    known = watches.of_version(project.ledger, asked.model, asked.version)
    return next((each for each in known if each.id == asked.evidence.get("watch")), None)


def _drawn(measure: Mapping[str, Any]) -> Interval:
    return Interval(
        label=str(measure["name"]),
        value=measure["value"],
        low=measure["low"],
        high=measure["high"],
        limit=measure["limit"],
        at_least=measure["direction"] == "at_least",
        verdict=str(measure["verdict"]),
        n=measure.get("n"),
    )


def _labelled(row: Mapping[str, Any]) -> tuple[Cell, ...]:
    label = "cannot be said" if row["label"] is None else str(row["label"])
    said = ("no class" if row[by] is None else str(row[by]) for by in ("version", "against"))
    return (str(row["id"]), str(row["row"]), label, str(row["by"]), *said)


def _whole(measure: Mapping[str, object]) -> dict[str, Any]:
    """Every key that is drawn: an item of an earlier release may lack one."""
    lacking: dict[str, Any] = dict.fromkeys((*_KEYS, "n"))
    return {**lacking, "name": "", "verdict": "skip", **measure}


def _line(measure: Mapping[str, Any]) -> tuple[Cell, ...]:
    numbers = (number(measure[key]) for key in ("value", "low", "high", "n"))
    return (str(measure["name"]), *numbers, Badge(str(measure["verdict"])))


def _shown(value: str | float) -> str:
    return value if isinstance(value, str) else number(value)
