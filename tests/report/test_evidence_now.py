"""What the evidence of watches and shadow tests says while they last."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from tests.report.sections.made import MODEL, RUN, Made

from seatrial.evidence.agreement import Tally
from seatrial.outcome import Measure, Verdict
from seatrial.registry import shadows, watches
from seatrial.registry.policy import Policy
from seatrial.registry.registry import Move
from seatrial.registry.rules import Rules
from seatrial.registry.shadows import Wish
from seatrial.registry.trails import Evidence
from seatrial.report.evidence_now import Seen, Standing, evidence_now, labels
from seatrial.tasks._offline import Offline

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

POLICY = Policy(degradation_margin=0.05, metric="accuracy")
SIGNATURE = {
    "inputs": [{"name": "x", "datatype": "FP32"}], "problem": "classes", "classes": [0, 1],
}  # fmt: skip
OFFLINE = Offline(
    metric="accuracy",
    margin=0.05,
    disagreement=0.02,
    disagreement_margin=0.05,
    variance=0.2,
    rows=9,
)


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Made]:
    """Version 2 replaced version 1, and is watched."""
    begun = Made.begin(tmp_path, "a.b")
    for version, run in ((1, "R0"), (2, RUN)):
        begun.register(run, SIGNATURE)
        move = Move(
            model=MODEL, channel="production", version=version, expect=version - 1,
            event="promote", by="t", reason="r",
        )  # fmt: skip
        begun.project.registry.move(move, POLICY.to_json())
    yield begun
    begun.project.ledger.close()


def seen(made: Made, place: str, labels: int, worse: int, **more: Any) -> None:
    """A gateway has seen so many labels, in so many of which the new version was wrong alone."""
    found = Evidence.empty(Rules.of(POLICY, 2))
    assert found.quality is not None
    found.quality.add(np.repeat([0.0, 1.0], [labels - worse, worse]), 0)
    (watch,) = watches.under_way(made.project.ledger)
    kept = {"evidence": found.to_json(), **more}
    made.project.ledger.write(lambda t: watches.save(t, watch.id, place, kept))


def only(made: Made) -> Standing:
    (standing,) = evidence_now(made.project)
    return standing


def test_a_watch_before_its_first_label(made: Made) -> None:
    standing = only(made)
    assert (standing.kind, standing.version, standing.against) == ("watch", 2, 1)
    assert (standing.said, standing.seen) == ("0 labels", ())


def test_the_labels_of_all_gateways_count_together(made: Made) -> None:
    seen(made, "a", 200, 4)
    seen(made, "b", 100, 2)
    standing = only(made)
    assert standing.said == "300 labels"
    (quality,) = standing.seen
    assert quality.measure.value == pytest.approx(0.02)
    assert quality.measure.limit == 0.05
    assert quality.towards is not None
    assert 0 <= quality.towards < 0.5


def test_answers_that_were_compared_are_no_labels() -> None:
    of = (("degradation.accuracy", 20), ("disagreement", 178))
    found = [Seen(measure=Measure(name=name, value=0.1, n=n), towards=None) for name, n in of]
    assert (labels(found), labels(found[1:])) == (20, 0)


def test_harm_fills_the_bar(made: Made) -> None:
    seen(made, "a", 300, 90)
    (quality,) = only(made).seen
    assert (quality.measure.verdict, quality.towards) == (Verdict.FAIL, 1.0)


def test_what_cannot_be_read_is_said_in_its_place(made: Made) -> None:
    (watch,) = watches.under_way(made.project.ledger)
    strange = {"evidence": {"quality": {"other": 1}, "promised": None, "differing": None}}
    made.project.ledger.write(lambda t: watches.save(t, watch.id, "a", strange))
    assert "another release" in only(made).said
    seen(made, "a", 10, 0)
    version = made.project.registry.version(MODEL, 2)
    made.project.registry.blobs.path(version.digest).unlink()
    assert "its evidence cannot be read" in only(made).said


def test_a_shadow_test(made: Made) -> None:
    ledger = made.project.ledger
    wish = Wish(
        id=f"{RUN}/a.b", run=RUN, model=MODEL, version=2, against=1, share_percent=50,
        lasts_s=3600, spec=asdict(OFFLINE),
    )  # fmt: skip
    shadows.open_shadow(ledger, wish)
    standing = evidence_now(made.project)[-1]
    assert (standing.kind, standing.said) == ("shadow", "0 of 0 requests, 0 errors")
    tally = Tally(seen=500, sampled=400, reached=400, compared=398, errors=1, nan=1, disagreed=10)
    for gateway in ("g", "h"):
        shadows.report(ledger, wish.id, gateway, tally.to_json())
    standing = evidence_now(made.project)[-1]
    assert standing.said == "800 of 1000 requests, 4 errors"
    (differing,) = standing.seen
    assert differing.measure.limit == pytest.approx(0.07)
    assert differing.towards is None
    assert differing.measure.value == pytest.approx(20 / 796)
