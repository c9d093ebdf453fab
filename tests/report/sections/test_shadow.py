"""A shadow test is drawn from what it kept; one under way from what gateways have told."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from tests.report.sections.made import MODEL, RUN

from seatrial.evidence import rates
from seatrial.evidence.agreement import Tally
from seatrial.evidence.course import Course, Moment
from seatrial.evidence.shadowing import over_time
from seatrial.evidence.times import Times
from seatrial.registry import shadows
from seatrial.report.section import Chart, Facts, Note, Table
from seatrial.report.sections.shadow import section

if TYPE_CHECKING:
    from tests.report.sections.made import Begin

    from seatrial.report.section import Section

STEP = "beside.shadow_tests"
TIMES = f"service time in ms, on a logarithmic scale ({STEP})"
TALLY = Tally(
    seen=1000,
    lost=3,
    sampled=500,
    reached=500,
    compared=490,
    errors=8,
    nan=2,
    rows=490,
    disagreed=20,
    candidate_us=Times({70: 400, 90: 90}),
    production_us=Times({72: 500}),
    reasons={"ValueError: <script>": 8},
)
OFFLINE = {"disagreement": 0.03, "disagreement_margin": 0.05, "rows": 600, "metric": "accuracy"}
COURSE = (
    Course()
    .later(Moment(0))
    .later(Moment(60_000_000, 200, 2, 198, 9.0))
    .later(Moment.of(120_000_000, TALLY.to_json()))
)


def kept(**more: Any) -> bytes:
    document = {
        "candidate": 2,
        "production": 1,
        "since": "1970-01-01T00:00:00+00:00",
        "until": "1970-01-01T00:02:00+00:00",
        "share_percent": 50.0,
        "tally": TALLY.to_json(),
        "offline": OFFLINE,
        "limits": {"errors": 0.01, "times": 2.0},
    }
    return json.dumps({**document, **more}).encode()


def made(begin: Begin, blob: bytes) -> Section:
    begun = begin(STEP)
    begun.said(STEP, {"shadow": blob})
    found = section(begun.sources)
    assert found is not None
    return found


def facts(found: Section) -> dict[str, Any]:
    (told,) = (part for part in found.parts if isinstance(part, Facts))
    return dict(told.of)


def titles(found: Section) -> list[str]:
    return [part.title for part in found.parts if isinstance(part, Chart)]


def test_over_time_with_its_bounds_against_its_limit(begin: Begin) -> None:
    found = made(begin, kept(course=over_time(COURSE)))
    apart, errors, times = (part for part in found.parts if isinstance(part, Chart))
    assert apart.table.heads[1:] == (
        "disagreement", "disagreement, low", "disagreement, high", "limit", "offline",
    )  # fmt: skip
    assert [row[1] for row in apart.table.rows] == ["-", "0.04545", "0.04082"]
    assert apart.table.rows[0][4:] == ("0.08", "0.03")
    value, low, high, limit = (float(str(each)) for each in errors.table.rows[-1][1:])
    assert (value, limit) == (0.02, 0.01)
    assert (low, high) == pytest.approx(rates.of_one(10, 500), rel=1e-3)
    assert times.title == TIMES
    told = facts(found)
    assert (told["requests"], told["overwritten before they were read"]) == ("1003", "3")
    reasons = [part for part in found.parts if isinstance(part, Table)][-1]
    assert reasons.rows == (("ValueError: <script>", "8"),)
    assert "<script>" not in apart.svg + errors.svg + times.svg


def test_what_an_older_release_kept_is_told_by_its_totals(begin: Begin) -> None:
    found = made(begin, kept())
    assert titles(found) == [TIMES]
    said = [part.said for part in found.parts if isinstance(part, Note)]
    assert said == [f"How it went over time was not kept ({STEP}): only its totals are known."]
    assert facts(found)["compared"] == "490"


def test_no_request_at_all(begin: Begin) -> None:
    found = made(begin, kept(tally=Tally().to_json(), course=over_time(Course())))
    assert titles(found) == []
    assert facts(found)["requests"] == "0"


def test_one_under_way_is_drawn_from_what_gateways_have_told(begin: Begin) -> None:
    begun = begin(STEP)
    wish = shadows.Wish(
        id=f"{RUN}/{STEP}", run=RUN, model=MODEL, version=2, against=1, share_percent=50,
        lasts_s=60, spec=OFFLINE,
    )  # fmt: skip
    shadow = shadows.open_shadow(begun.project.ledger, wish)
    told = {**TALLY.to_json(), "course": COURSE.to_json()}
    for gateway in ("G1", "G2"):
        shadows.report(begun.project.ledger, shadow.id, gateway, told)
    found = section(begun.sources)
    assert found is not None
    assert titles(found)[0] == f"disagreement with production over time ({STEP})"
    assert facts(found)["compared"] == "980"
    shadows.close(begun.project.ledger, shadow.id)
    assert section(begun.sources) is None


def test_gone(begin: Begin) -> None:
    begun = begin(STEP)
    begun.said(STEP, {"shadow": kept()})
    begun.lose(STEP, "shadow")
    found = section(begun.sources)
    assert found is not None
    (note,) = found.parts
    assert isinstance(note, Note)
    assert note.gone
