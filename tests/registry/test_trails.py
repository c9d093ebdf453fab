"""What the trails of a watch say, now and span by span; places add up."""

from __future__ import annotations

import json

import numpy as np

from seatrial.outcome import Verdict
from seatrial.registry.policy import Policy
from seatrial.registry.rules import Rules
from seatrial.registry.trails import Evidence, judged, over_time

POLICY = Policy(degradation_margin=0.05, metric="accuracy", promised=0.82, disagreement=0.02)
RULES = Rules.of(POLICY, 2)
OPENED = "2026-11-24T12:00:00+00:00"


def seen(*spans: tuple[int, int, int]) -> Evidence:
    """In each of these buckets so many labels, and in so many of them only the new one is wrong."""
    found = Evidence.empty(RULES)
    assert found.quality is not None
    assert found.promised is not None
    for bucket, labels, worse in spans:
        found.quality.add(np.repeat([0.0, 1.0], [labels - worse, worse]), bucket)
        found.promised.add(np.repeat([0.1, 0.2], [labels - worse, worse]), bucket)
    return found


def test_what_was_seen_is_told_at_the_end_of_each_span_and_ends_with_what_is_known() -> None:
    evidence = seen((0, 300, 3), (5, 300, 30), (6, 300, 60))
    quality, promised = over_time(evidence, RULES, POLICY, OPENED)
    assert (quality.which, promised.which) == ("quality", "promised")
    assert quality.times == (
        "2026-11-24T13:00:00+00:00",
        "2026-11-24T18:00:00+00:00",
        "2026-11-24T19:00:00+00:00",
    )
    now = judged(evidence, RULES, POLICY)["quality"]
    assert now is not None
    assert (quality.judged[-1].measure, quality.judged[-1].log_e) == (now.measure, now.log_e)
    verdicts = [each.measure.verdict for each in quality.judged]
    assert (verdicts[0], verdicts[-1]) == (Verdict.PASS, Verdict.FAIL)


def test_nothing_seen_is_no_course() -> None:
    assert over_time(Evidence.empty(RULES), RULES, POLICY, OPENED) == ()


def test_unpaired_labels_compare_nothing() -> None:
    assert judged(seen((0, 9, 1)), RULES, POLICY, unpaired="it reads x")["quality"] is None


def test_places_add_up_and_are_read_as_they_were_kept() -> None:
    here, there = seen((0, 40, 2)), seen((0, 60, 4), (3, 5, 0))
    kept = Evidence.from_json(json.loads(json.dumps(there.to_json())))
    both = judged(here + kept, RULES, POLICY)["quality"]
    assert both is not None
    assert (both.measure.n, both.measure.value) == (105, 6 / 105)
