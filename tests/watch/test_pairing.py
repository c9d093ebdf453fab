"""A request that got labels is one observation; what the version before cannot answer is none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pytest

from seatrial.evidence.losses import Loss, loss_for
from seatrial.inference.answer import Answer, most_probable
from seatrial.inference.session import Model
from seatrial.inference.signature import Input, Signature
from seatrial.models import Training, get
from seatrial.traffic.matched import Counts, Logged, Matched
from seatrial.watch import pairing
from seatrial.watch.pairing import paired

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

SIGNATURE = Signature((Input("a", "FP32"), Input("b", "FP32")), "classes", (0, 1))
NUMBERS = Signature(SIGNATURE.inputs, "numbers")


def matched(ids: list[str], labels: list[float], signature: Signature = SIGNATURE) -> Matched:
    """Rows of requests; the watched version always says 1, or 1.0."""
    count, random = len(ids), np.random.default_rng(0)
    features = {name: random.normal(size=count).astype(np.float32) for name in ("a", "b")}
    if signature.problem == "classes":
        answer = most_probable(np.tile([0.25, 0.75], (count, 1)), (0, 1))
    else:
        answer = Answer(np.ones(count, np.float32))
    return Matched(
        logged=Logged(
            ids=np.array(ids, object),
            row=np.array([ids[:at].count(each) for at, each in enumerate(ids)], np.int64),
            time_us=np.array([1000 + ord(each[0]) for each in ids], np.int64),
            features=features,
            answer=answer,
        ),
        labels=np.array(labels, np.int64 if signature.problem == "classes" else np.float64),
        told_us=np.full(count, 5000),
        counts=Counts(),
    )


@dataclass
class Before:
    """The version before, which says 0 to everything and fails on some rows."""

    signature: Signature = SIGNATURE
    fails: frozenset[float] = frozenset()
    asked: int = 0

    def predict(self, features: Mapping[str, NDArray[Any]]) -> Answer:
        self.asked += 1
        column = features["a"]
        if self.fails.intersection(column.tolist()):
            raise RuntimeError
        if self.signature.problem == "numbers":
            return Answer(np.zeros(len(column), np.float32))
        return most_probable(np.tile([1.0, 0.0], (len(column), 1)), (0, 1))

    @property
    def model(self) -> Model:
        return cast("Model", self)


def loss_of(metric: str) -> Loss:
    loss = loss_for(metric, margin=0.05, variance=4.0)
    assert loss is not None
    return loss


def test_rows_of_a_request_are_one_observation() -> None:
    before = Before()
    found = matched(["r", "s", "r", "t", "r"], [1, 0, 0, 1, 1])
    pairs = paired(found, loss_of("accuracy"), SIGNATURE, before.model)
    assert before.asked == 1
    assert pairs.time_us.tolist() == [1000 + ord(each) for each in "rst"]
    assert pairs.own.tolist() == pytest.approx([1 / 3, 1, 0])
    assert pairs.d.tolist() == pytest.approx([1 / 3 - 2 / 3, 1, -1])
    assert pairs.differs.tolist() == [1, 1, 1]
    assert pairs.unscored == 0


def test_labels_that_came_in_another_call_are_an_observation_of_their_own() -> None:
    found = matched(["r", "r"], [1, 0])
    found.told_us[1] += 1
    pairs = paired(found, loss_of("accuracy"), SIGNATURE, Before().model)
    assert pairs.d.tolist() == [-1, 1]


def test_numbers_differ_by_how_much() -> None:
    found = matched(["r", "s"], [1.0, 0.0], NUMBERS)
    pairs = paired(found, loss_of("r2"), NUMBERS, Before(NUMBERS).model)
    assert pairs.d.tolist() == [-0.25, 0.25]
    assert pairs.differs.tolist() == [0.25, 0.25]


def test_rows_that_the_version_before_fails_are_found_by_halves_and_left_out() -> None:
    ids = [f"{chr(65 + n % 50)}{n}" for n in range(300)]
    found = matched(ids, [1] * 300)
    bad = found.logged.features["a"][[3, 4, 77, 250]]
    before = Before(fails=frozenset(bad.tolist()))
    pairs = paired(found, loss_of("accuracy"), SIGNATURE, before.model)
    assert pairs.unscored == 4
    assert len(pairs.d) == 296
    assert set(pairs.d.tolist()) == {-1.0}
    assert before.asked < 80


def test_a_version_before_that_always_fails_is_not_asked_for_ever() -> None:
    found = matched([f"r{n}" for n in range(5000)], [1] * 5000)
    before = Before(fails=frozenset(found.logged.features["a"].tolist()))
    pairs = paired(found, loss_of("accuracy"), SIGNATURE, before.model)
    assert (pairs.unscored, len(pairs.d)) == (5000, 0)
    assert before.asked <= pairing.ATTEMPTS + 1


@pytest.mark.parametrize("signature", [SIGNATURE, NUMBERS])
def test_nothing_is_no_observation(signature: Signature) -> None:
    loss = loss_of("accuracy" if signature is SIGNATURE else "r2")
    pairs = paired(matched([], [], signature), loss, signature, Before(signature).model)
    assert [len(each) for each in (pairs.time_us, pairs.d, pairs.own, pairs.differs)] == [0] * 4


def test_a_real_model_is_scored_on_the_logged_features() -> None:
    random = np.random.default_rng(1)
    features = {name: random.normal(size=200) for name in ("b", "a")}
    target = np.asarray(features["a"] > 0, dtype=np.int64)
    fitted = get("gradient_boosted").fit(
        Training(features, target, "classes", (0, 1), {"num_leaves": 4}, 1)
    )
    before = Model.load(fitted.to_onnx(), fitted.signature)
    found = matched([f"r{n}" for n in range(40)], [1] * 40)
    pairs = paired(found, loss_of("accuracy"), SIGNATURE, before)
    theirs = before.predict(found.logged.features).label
    assert pairs.d.tolist() == [0.0 - (label != 1) for label in theirs.tolist()]
