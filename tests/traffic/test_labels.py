"""Labels come late, again, for nobody, or never; each finds its prediction, and all are counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from seatrial.errors import StoreError
from seatrial.inference.session import Model
from seatrial.models import Training, get
from seatrial.traffic import labels, reading
from seatrial.traffic.coverage import coverage
from seatrial.traffic.pairing import labelled, pair
from seatrial.traffic.recorded import features_in, recorded
from seatrial.traffic.sampling import sampled

from .conftest import MIXED, NUMBERS, PRICE, WORDS

if TYPE_CHECKING:
    from .conftest import Clock, Traffic


def found(traffic: Traffic) -> dict[str, list[object]]:
    got = labelled(traffic.folder, "m", None, None, None, NUMBERS)
    told: dict[str, list[object]] = {}
    for identity, label in zip(got.ids, got.labels.tolist(), strict=True):
        told.setdefault(identity, []).append(label)
    return told


def test_the_last_label_to_arrive_wins_wherever_it_lies(traffic: Traffic, clock: Clock) -> None:
    traffic.ask("r1", "r2", "r3")
    traffic.log().roll(everything=True)
    traffic.label(("r1", [0]), ("r2", [1]), ("r2", [0]))
    traffic.log().roll(everything=True)
    clock.move(days=2)
    traffic.label(("r1", [1]))
    assert found(traffic) == {"r1": [1], "r2": [0]}


def test_each_row_of_a_request_has_its_label(traffic: Traffic) -> None:
    traffic.ask("r1", rows=3)
    traffic.ask("r2", rows=3)
    traffic.label(("r1", [0, 1, 0]), ("r2", [1]), ("r3", [1, 1, 1, 1]))
    assert found(traffic) == {"r1": [0, 1, 0], "r2": [1]}


def test_a_labelled_row_is_the_row_that_was_asked(traffic: Traffic, clock: Clock) -> None:
    for number in range(4):
        traffic.ask(*(f"{number}-{n}" for n in range(20)), rows=2)
        traffic.log().roll(everything=number % 2 == 0)
        clock.move(seconds=1)
    wanted = [f"{n % 4}-{n // 4}" for n in range(0, 80, 7)]
    for each in wanted:
        traffic.label((each, [1, 0]))
    got = labelled(traffic.folder, "m", [3], None, None, NUMBERS)
    assert set(got.ids) == set(wanted)
    assert len(got.ids) == 2 * len(wanted)
    log = reading.read(traffic.folder, "m")[3]
    keys = [*zip(log["id"].to_pylist(), log["row"].to_pylist(), strict=True)]
    row = 0
    for number, identity in enumerate(got.ids):
        row = row + 1 if number and got.ids[number - 1] == identity else 0
        at = keys.index((identity, row))
        assert got.features["a"][number] == features_in(log)["a"][at]
        assert got.answer.label[number] == log["prediction"][at].as_py()
        assert got.answer.probabilities is not None
        assert got.answer.probabilities[number].tolist() == log["probabilities"][at].as_py()
        assert got.time[number] == reading.microseconds(log)[at]
        assert got.labels[number] == 1 - row
    assert set(got.versions) == {3}


def test_an_id_that_was_used_twice_means_the_last_request(traffic: Traffic, clock: Clock) -> None:
    traffic.ask("r1")
    clock.move(seconds=1)
    traffic.ask("r1")
    traffic.label(("r1", [1]))
    got = labelled(traffic.folder, "m", [3], None, None, NUMBERS)
    assert got.time.tolist() == [clock.us]


def test_the_window_is_of_the_predictions_and_labels_may_come_later(
    traffic: Traffic, clock: Clock
) -> None:
    begin = clock()
    traffic.ask("r1")
    clock.move(hours=1)
    traffic.ask("r2")
    clock.move(hours=1)
    traffic.label(("r1", [1]), ("r2", [1]))
    assert labelled(traffic.folder, "m", None, None, clock(), NUMBERS).ids.tolist() == ["r1", "r2"]
    later = begin.replace(minute=31)
    assert labelled(traffic.folder, "m", None, later, None, NUMBERS).ids.tolist() == ["r2"]
    assert labelled(traffic.folder, "m", None, None, later, NUMBERS).ids.tolist() == ["r1"]


def test_labels_are_typed_as_the_classes(traffic: Traffic) -> None:
    traffic.versions |= {4: MIXED, 5: PRICE}
    traffic.ask("r3")
    traffic.ask("r4", version=4)
    traffic.ask("r5", version=5)
    traffic.label(("r3", [1]))
    traffic.label(("r4", ["yés"]), version=4)
    traffic.label(("r5", [0.1]), version=5)
    for signature, label in ((NUMBERS, 1), (MIXED, "yés"), (PRICE, 0.1)):
        got = labelled(traffic.folder, "m", None, None, None, signature)
        assert got.labels.tolist() == [label]
        assert [*got.features] == [each.name for each in signature.inputs]


@pytest.mark.parametrize("signature", [NUMBERS, MIXED, PRICE, WORDS])
def test_nothing_is_nothing_of_the_right_form(traffic: Traffic, signature: object) -> None:
    traffic.versions[3] = signature  # type: ignore[assignment]
    traffic.ask("r1")
    got = labelled(traffic.folder, "m", None, None, None, signature)  # type: ignore[arg-type]
    assert (len(got.ids), len(got.labels), len(got.answer.label)) == (0, 0, 0)
    assert coverage(traffic.folder, "nobody").predictions == 0
    assert labels.read(traffic.folder, "nobody") is None


def fitted(names: tuple[str, ...], seed: int) -> Model:
    random = np.random.default_rng(seed)
    features = {name: random.normal(size=200) for name in names}
    target = np.asarray(features["a"] + features["b"] > 0, dtype=np.int64)
    model = get("gradient_boosted").fit(
        Training(features, target, "classes", (0, 1), {"num_leaves": 4}, 1)
    )
    return Model.load(model.to_onnx(), model.signature)


def test_a_label_makes_the_other_version_answer_the_logged_request(traffic: Traffic) -> None:
    other = fitted(("b", "a"), 1)
    traffic.ask(*(f"r{n}" for n in range(30)))
    traffic.label(*((f"r{n}", [n % 2]) for n in range(0, 30, 3)))
    pairs = pair(traffic.folder, "m", 3, other)
    assert pairs.rows == 10
    log = reading.read(traffic.folder, "m")[3]
    alone = other.predict(features_in(log))
    where = [log["id"].to_pylist().index(each) for each in pairs.ids]
    assert pairs.other.label.tolist() == alone.label[where].tolist()
    assert pairs.serving.label.tolist() == log["prediction"].to_numpy()[where].tolist()
    assert pairs.labels.tolist() == [int(each[1:]) % 2 for each in pairs.ids]


def test_a_version_that_reads_what_was_never_logged_is_told_so(traffic: Traffic) -> None:
    other = fitted(("a", "b", "c"), 1)
    traffic.log().redact({"m": ["a"]})
    traffic.ask("r1")
    assert pair(traffic.folder, "m", 3, other).rows == 0  # nothing to judge on yet
    traffic.label(("r1", [1]))
    with pytest.raises(StoreError, match=r"does not hold 'a', 'c', which the version") as told:
        pair(traffic.folder, "m", 3, other)
    assert "serving.redact" in str(told.value)


def test_rows_from_before_the_redaction_are_still_judged(traffic: Traffic) -> None:
    other = fitted(("a", "b"), 1)
    traffic.ask("r1")
    traffic.log().redact({"m": ["a"]})
    traffic.ask("r2", rows=2)
    traffic.label(("r1", [1]), ("r2", [1, 0]))
    pairs = pair(traffic.folder, "m", 3, other)
    assert (pairs.ids.tolist(), pairs.incomplete) == (["r1"], 2)


def test_coverage_counts_what_came_and_how_late(traffic: Traffic, clock: Clock) -> None:
    traffic.ask("r1", "r2", "r3", rows=2)
    clock.move(seconds=10)
    traffic.label(("r1", [0, 1]))
    traffic.log().roll(everything=True)
    clock.move(seconds=90)
    traffic.label(("r1", [1, 1]), ("r2", [1]), ("who", [1]), ("r3", [0, 0, 0]))
    got = coverage(traffic.folder, "m")
    assert (got.predictions, got.labelled, got.unknown, got.repeated) == (6, 5, 2, 2)
    assert (got.median_delay_s, got.p90_delay_s) == (100.0, 100.0)
    assert got.share_percent == 100


def test_coverage_of_a_window_knows_labels_of_earlier_predictions(
    traffic: Traffic, clock: Clock
) -> None:
    traffic.ask("old")
    traffic.log().roll(everything=True)
    clock.move(days=1)
    since = clock()
    traffic.ask("new", "newer")
    clock.move(seconds=5)
    traffic.label(("old", [1]), ("new", [1]), ("who", [1]))
    got = coverage(traffic.folder, "m", since)
    assert (got.predictions, got.labelled, got.unknown) == (2, 1, 1)
    got = coverage(traffic.folder, "m", None, since)
    assert (got.predictions, got.labelled, got.unknown) == (1, 1, 1)


def test_what_a_killed_writer_wrote_twice_counts_once(traffic: Traffic) -> None:
    raw = [traffic.asked("r1"), traffic.asked("r2")]
    for _ in range(2):
        traffic.log().append(raw)
        traffic.label(("r1", [1]))
        traffic.log().roll(everything=True)
    got = coverage(traffic.folder, "m")
    assert (got.predictions, got.labelled, got.repeated) == (2, 1, 0)
    assert found(traffic) == {"r1": [1]}


def test_a_sample_tells_the_same_coverage(traffic: Traffic) -> None:
    traffic.ask(*(f"r{n}" for n in range(20_000)))
    traffic.label(*((f"r{n}", [1]) for n in range(0, 20_000, 4)))
    got = coverage(traffic.folder, "m", at_most=5_000, threads=1)
    assert got.share_percent == 25
    assert got.predictions == pytest.approx(20_000, rel=0.05)
    assert got.labelled / got.predictions == pytest.approx(0.25, abs=0.03)
    assert got.unknown == 0


def test_a_damaged_file_is_told_and_not_waited_for(traffic: Traffic) -> None:
    traffic.ask("r1")
    traffic.log().roll(everything=True)
    (file,) = traffic.version_folder.iterdir()
    file.write_bytes(b"PAR1 and no more")
    with pytest.raises(StoreError, match="cannot be read"):
        coverage(traffic.folder, "m")


def test_recorded_requests_come_once_in_order_and_as_sampled(
    traffic: Traffic, clock: Clock
) -> None:
    raw = []
    for number in range(3):
        raw = [traffic.asked(f"{number}-{n}", rows=2) for n in range(100)]
        traffic.log().append(raw)
        traffic.log().roll(everything=True)
        clock.move(minutes=20)
    traffic.log().append(raw)  # a restarted writer repeats itself
    parts = [*recorded(traffic.folder, "m", 3, share_percent=40)]
    ids = [each for part in parts for each in part.ids]
    wanted = [f"{number}-{n}" for number in range(3) for n in range(100)]
    assert ids == [each for each in wanted if sampled(each, 40) for _ in range(2)]
    table = reading.read(traffic.folder, "m")[3].to_pylist()
    features = {(each["id"], each["row"]): each["features"]["b"] for each in table}
    got, features_, answer = parts[0].ids, parts[0].features, parts[0].answer
    assert features_["b"].tolist() == [features[each, n % 2] for n, each in enumerate(got)]
    assert answer.probabilities is not None
    assert answer.probabilities.shape == (len(got), 2)
    assert sum(len(part.ids) for part in recorded(traffic.folder, "m", 3)) == 600
    assert not [*recorded(traffic.folder, "m", 3, since=clock())]
    assert not [*recorded(traffic.folder, "m", 9)]
