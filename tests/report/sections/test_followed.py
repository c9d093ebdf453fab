"""The watches of what a run delivered: their evidence over time, how they ended, what is lost."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from tests.report.sections.made import MODEL, RUN

from seatrial.registry import watches
from seatrial.registry.policy import Policy
from seatrial.registry.registry import Move
from seatrial.registry.rules import Rules
from seatrial.registry.trails import Evidence
from seatrial.registry.watches import State
from seatrial.report.section import Badge, Chart, Facts, Note
from seatrial.report.sections.followed import section

if TYPE_CHECKING:
    from tests.report.sections.made import Begin, Made

    from seatrial.registry.watches import Watch
    from seatrial.report.section import Section

STEP = "deliver.promote"
POLICY = Policy(degradation_margin=0.05, metric="accuracy", promised=0.82, disagreement=0.02)
RULES = Rules.of(POLICY, 2)
SIGNATURE = {
    "inputs": [{"name": "x", "datatype": "FP32"}], "problem": "classes", "classes": [0, 1],
}  # fmt: skip


@pytest.fixture
def delivered(begin: Begin) -> Made:
    """Version 2 of the run replaced version 1."""
    begun = begin(STEP)
    begun.register("R0", SIGNATURE)
    begun.register(RUN, SIGNATURE)
    for version in (1, 2):
        move = Move(
            model=MODEL, channel="production", version=version, expect=version - 1,
            event="promote", by="t", reason="r",
        )  # fmt: skip
        begun.project.registry.move(move, POLICY.to_json())
    begun.said(STEP, {}, version=2)
    return begun


def watch_of(made: Made) -> Watch:
    found = watches.current(made.project.ledger, MODEL)
    assert found is not None
    return found


def trails(*spans: tuple[int, int, int]) -> dict[str, Any]:
    seen = Evidence.empty(RULES)
    assert seen.quality is not None
    for bucket, labels, worse in spans:
        seen.quality.add(np.repeat([0.0, 1.0], [labels - worse, worse]), bucket)
    return seen.to_json()


def end(made: Made, evidence: object, state: State = State.FAILED) -> None:
    watch = watch_of(made)
    digest = made.project.registry.blobs.put(json.dumps(evidence).encode()) if evidence else None
    made.project.ledger.write(lambda t: watches.close(t, watch.id, state, "it was worse", digest))


def drawn(made: Made) -> Section:
    found = section(made.sources)
    assert found is not None
    return found


def charts(found: Section) -> list[Chart]:
    return [part for part in found.parts if isinstance(part, Chart)]


def test_evidence_over_time_against_its_bars(delivered: Made) -> None:
    end(delivered, {"trails": trails((0, 300, 3), (5, 300, 60)), "coverage_percent": 40.0})
    found = drawn(delivered)
    mean, evidence = charts(found)
    assert mean.title == "worse than the version before (600 labels)"
    assert mean.table.heads[-1] == "margin"
    assert [row[1] for row in mean.table.rows] == ["0.01", "0.105"]
    assert [row[-1] for row in mean.table.rows] == ["0.05", "0.05"]
    harm, good, bar = (float(str(each)) for each in evidence.table.rows[-1][1:])
    assert harm > bar == pytest.approx(np.log10(20), abs=1e-3)
    assert good < bar
    (facts,) = (part for part in found.parts if isinstance(part, Facts))
    told = dict(facts.of)
    assert told["state"] == Badge("failed")
    assert (told["because"], told["compared with"]) == ("it was worse", "version 1")
    assert told["answers that got a label"] == "40 %"


def test_how_often_answers_differ_is_told_of_what_was_compared(delivered: Made) -> None:
    seen = Evidence.empty(RULES)
    assert seen.differing is not None
    seen.differing.add(np.repeat([0.0, 1.0], [18, 2]), 0)
    end(delivered, {"trails": seen.to_json()})
    differing, evidence = charts(drawn(delivered))
    assert differing.title == "answers that differ from the version before (20 answers compared)"
    assert float(str(differing.table.rows[0][2])) == 0
    assert evidence.table.heads[1] == "against within the limit"


def test_one_under_way_adds_up_what_places_have_seen(delivered: Made) -> None:
    watch = watch_of(delivered)
    for place in ("a", "b"):
        kept = {"evidence": trails((2, 100, 3))}
        delivered.project.ledger.write(
            lambda t, place=place, kept=kept: watches.save(t, watch.id, place, kept)  # type: ignore[misc]
        )
    mean, _ = charts(drawn(delivered))
    assert mean.title == "worse than the version before (200 labels)"


def test_the_span_that_lasts_is_drawn_no_further_than_now(delivered: Made) -> None:
    watch = watch_of(delivered)
    kept = {"evidence": trails((0, 100, 3))}
    delivered.project.ledger.write(lambda t: watches.save(t, watch.id, "a", kept))
    now = delivered.project.ledger.clock().isoformat(" ")
    for chart in charts(drawn(delivered)):
        (row,) = chart.table.rows
        assert watch.opened.replace("T", " ")[:16] <= str(row[0]) <= now


def test_nothing_was_seen_yet(delivered: Made) -> None:
    found = drawn(delivered)
    assert charts(found) == []
    assert len(found.parts) == 1


def test_a_guardrail_without_labels(delivered: Made) -> None:
    end(delivered, {"watch": "w", "guardrail": "9 % of the requests fail"})
    (facts,) = drawn(delivered).parts
    assert isinstance(facts, Facts)
    assert dict(facts.of)["guardrail"] == "9 % of the requests fail"


def test_what_could_not_be_compared_is_said(delivered: Made) -> None:
    end(delivered, {"trails": trails(), "unpaired": "version 1 reads x, which is not logged"})
    said = [part.said for part in drawn(delivered).parts if isinstance(part, Note)]
    assert said == ["Labels were not compared: version 1 reads x, which is not logged."]


OTHER = {"bound": 1.0, "counted": True, "buckets": 6, "cells": {"0": [1, 2, 3]}}


@pytest.mark.parametrize(
    "strange",
    [
        {"trails": {"quality": OTHER, "promised": None, "differing": None}},
        {"trails": {"other": None}},
        {"trails": 5},
    ],
)  # fmt: skip
def test_evidence_of_another_form_is_said(delivered: Made, strange: dict[str, Any]) -> None:
    end(delivered, strange)
    said = [part.said for part in drawn(delivered).parts if isinstance(part, Note)]
    assert len(said) == 1
    assert "another release of seatrial" in said[0]


def test_evidence_that_is_gone_is_said_in_its_place(delivered: Made) -> None:
    end(delivered, {"trails": trails()})
    (event,) = delivered.project.ledger.events("watch_closed")
    delivered.project.registry.blobs.path(str(event.body["evidence"])).unlink()
    notes = [part for part in drawn(delivered).parts if isinstance(part, Note)]
    assert [note.gone for note in notes] == [True]


def test_a_version_that_was_never_watched_has_no_such_section(begin: Begin) -> None:
    begun = begin(STEP)
    assert section(begun.sources) is None
    begun.register(RUN, SIGNATURE)
    begun.said(STEP, {}, version=1)
    assert section(begun.sources) is None
