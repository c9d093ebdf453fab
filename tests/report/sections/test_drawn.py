"""What is drawn of documents: the worst first, each in its bins, the missing beside them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from tests.report.documents import distribution

from seatrial.environment.table import table
from seatrial.report.section import Badge, Chart, Code, Folded, Note, Table
from seatrial.report.sections.distribution import MOST, of_document
from seatrial.report.sections.environment import of_machines
from seatrial.report.sections.latency import told

if TYPE_CHECKING:
    from seatrial.report.section import Part


def _drawn(document: dict[str, Any]) -> tuple[Part, ...]:
    return of_document(json.dumps(document).encode()).parts


def _charts(document: dict[str, Any]) -> list[Chart]:
    return [part for part in _drawn(document) if isinstance(part, Chart)]


def test_columns_that_moved_are_drawn_and_the_others_folded() -> None:
    document = distribution(3)
    document["columns"].reverse()
    document["columns"][0]["verdict"] = "pass"
    first, moved, *charts, folded = _drawn(document)
    assert isinstance(first, Note)
    assert first.said.startswith("2 of 3 columns moved, 0 are not settled: april (2100 rows)")
    assert isinstance(moved, Table)
    assert [row[0] for row in moved.rows] == ["column_0", "column_1"]
    assert moved.rows[0][-1] == Badge("fail")
    assert "4.762 % → 9.524 %" in moved.rows[0]
    assert [each.title for each in charts if isinstance(each, Chart)] == ["column_0", "column_1"]
    assert isinstance(folded, Folded)
    assert folded.summary == "1 column that did not move"


def test_missing_values_have_a_bin_and_names_lose_their_column() -> None:
    (chart,) = _charts(distribution(1))
    names = [row[0] for row in chart.table.rows]
    assert names[0] == "in (-1, 0]"
    assert names[-1] == "missing"


def test_infinite_values_are_told_beside_the_outermost_bins_that_count_them() -> None:
    document = distribution(1)
    document["columns"][0]["current"]["infinities"] = 7
    said = [part.said for part in _drawn(document) if isinstance(part, Note)]
    assert any(
        "0 values of the reference and 7 of the current rows are infinite" in e for e in said
    )
    assert any("equally wide" in each for each in said)


def test_beyond_50_columns_only_numbers() -> None:
    document = distribution(MOST + 7)
    assert len(_charts(document)) == MOST
    assert len(_drawn(document)[1].rows) == MOST + 7  # type: ignore[union-attr]


def test_of_many_values_those_with_the_greatest_share_have_a_bin() -> None:
    document = distribution(1)
    (column,) = document["columns"]
    values = [f"v{i}" for i in range(90)]
    column |= {"kind": "string", "edges": [], "values": values}
    column["names"] = [*(f"column_0 = {each}" for each in values), "column_0 = any other"]
    column["reference"] |= {"counts": [1] * 90, "other": 5, "nulls": 0, "rows": 95}
    column["current"] |= {"counts": [*[1] * 89, 800], "other": 0, "nulls": 0, "rows": 889}
    (chart,) = _charts(document)
    rows = {row[0]: row[1:] for row in chart.table.rows}
    assert "v89" in rows
    assert "any other" in rows
    assert "67 others" in rows
    assert len(rows) == 25


@pytest.mark.parametrize(
    "broken", [{"names": []}, {"names": ["a"] * 3}, {"reference": {"rows": 0, "counts": []}}]
)
def test_bins_without_names_are_said(broken: dict[str, Any]) -> None:
    document = distribution(1)
    document["columns"][0] |= broken
    parts = _drawn(document)
    assert Note("column_0 cannot be drawn: its bins do not fit their names.") in parts


def test_machines_side_by_side_mark_what_differs_by_a_sign() -> None:
    found = table({"build": {"libc": "glibc 2.36"}, "pi": {"libc": "musl 1.2"}})
    section = of_machines(found, "what differs")
    first, _ = section.parts
    assert isinstance(first, Table)
    assert first.rows == ((Badge("error"), Code("libc"), "glibc 2.36", "≠ musl 1.2"),)
    nothing = of_machines(table({"a": {"libc": "x"}, "b": {"libc": "x"}}), "none of them differs")
    assert nothing.parts[0] == Note("none of them differs")


def _speed(name: str, value: float | None, limit: float | None = None) -> dict[str, Any]:
    return {
        "name": name, "value": value, "low": value, "high": value, "limit": limit, "n": 9,
        "direction": "at_most", "verdict": "skip" if limit is None else "pass",
    }  # fmt: skip


def test_latency_stands_beside_productions_and_a_far_limit_is_told() -> None:
    measures = [
        _speed("latency_ms.p95", 0.08, 20.0),
        _speed("latency_ms.p95.production", 0.1),
        _speed("latency_ms.p95 of 32 rows", 0.4),
        _speed("latency_ratio.p95", None),
        _speed("memory_mb", 17.5),
    ]
    times, numbers = told("evaluate.performance_tests", {each["name"]: each for each in measures})
    assert isinstance(times, Chart)
    assert [row[0] for row in times.table.rows] == ["p95", "p95 in production"]
    assert times.table.rows[0][4] == "≤ 20"
    assert "0.08, limit ≤ 20" in times.svg
    assert "1 of them reaches beyond the scale" in times.said
    assert isinstance(numbers, Table)
    assert numbers.rows[0][:5] == ("latency_ms.p95", "0.08", "0.08 … 0.08", "0.1", "at most 20")
    assert [row[0] for row in numbers.rows][-1] == "memory_mb"
