"""`check_distribution`, from the file in: what it says of data that moved, and what of others."""

from __future__ import annotations

import json
import re
import typing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from tests.tasks.conftest import Project, Went

from seatrial import plan
from seatrial.data.dataset import named
from seatrial.data.drift.divergence import MEASURES
from seatrial.data.opening import open_rows
from seatrial.data.profiles import profile
from seatrial.errors import FileError
from seatrial.ledger import runs
from seatrial.pipeline.read import read_file
from seatrial.tasks.check_distribution import CheckDistribution

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

WORD = "check_distribution"
RANDOM = np.random.default_rng(11)
ROWS = 4000
DELAY = np.round(RANDOM.gamma(2, 12, ROWS), 1)
CARRIER = RANDOM.choice(["AA", "B6", "DL", "EV"], ROWS, p=[0.4, 0.3, 0.2, 0.1])
ORIGIN = RANDOM.choice(["JFK", "LGA"], ROWS, p=[0.7, 0.3])
DAY = [f"2024-{1 + i % 12:02}-{1 + i % 28:02}" for i in range(ROWS)]

Columns = dict[str, Any]


def _flights() -> Columns:
    return {"delay": DELAY.copy(), "carrier": CARRIER.astype(object), "origin": ORIGIN, "day": DAY}


def _text(columns: Columns, rows: int = ROWS) -> str:
    quoted = ([f'"{v}"' if "," in str(v) else str(v) for v in c] for c in columns.values())
    lines = [",".join(row) for row in list(zip(*quoted, strict=True))[:rows]]
    return "\n".join([",".join(columns), *lines, ""])


@dataclass(frozen=True, slots=True)
class Flights:
    """A project with a baseline of flights, and one check of `april`."""

    folder: Path

    def april(self, columns: Columns, rows: int = ROWS) -> None:
        (self.folder / "data" / "april.csv").write_text(_text(columns, rows))

    def write(self, **parameters: Any) -> Project:
        use = {"dataset": "april", "reference": "baseline.json", **parameters}
        task = f"      - {WORD}: {json.dumps(use)}\n"
        text = f"name: flights\nstages:\n  - name: check\n    tasks:\n{task}"
        (self.folder / "pipeline.yaml").write_text(text)
        return Project(self.folder)

    def check(self, **parameters: Any) -> Went:
        return self.write(**parameters).run()

    def refused(self, **parameters: Any) -> list[str]:
        """The mistakes that are told before anything runs."""
        project = self.write(**parameters)
        with pytest.raises(FileError) as told:
            plan.make(read_file(project.file), self.folder)
        return [str(mistake) for mistake in told.value.mistakes]

    def planned(self, **parameters: Any) -> str:
        project = self.write(**parameters)
        (step,) = plan.make(read_file(project.file), self.folder).steps
        return "\n".join(step.task.demands(step.scope))


@pytest.fixture(scope="session")
def _baseline(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("baseline")
    (folder / "training_data.csv").write_text(_text(_flights()))
    _profile(folder / "training_data.csv", folder / "baseline.json", "origin")
    return (folder / "baseline.json").read_bytes()


def _profile(data: Path, file: Path, *by: str) -> None:
    profile.write(profile.make(open_rows(named(str(data))), by), file)


@pytest.fixture
def flights(_baseline: bytes, tmp_path: Path) -> Flights:
    (tmp_path / "data").mkdir()
    (tmp_path / "baseline.json").write_bytes(_baseline)
    return Flights(tmp_path)


def _told(went: Went) -> list[str]:
    return [finding["what"] for finding in went.task(WORD)["findings"]]


def _hints(went: Went) -> str:
    return " ".join(finding["hint"] for finding in went.task(WORD)["findings"])


def _verdicts(went: Went) -> dict[str, str]:
    return {name: measure["verdict"] for name, measure in went.measures(WORD).items()}


def test_the_words_are_the_measures() -> None:
    words = typing.get_args(typing.get_type_hints(CheckDistribution)["measure"])
    assert set(words) == set(MEASURES)


def test_the_same_data_passes(flights: Flights) -> None:
    flights.april(_flights())
    went = flights.check()
    assert (went.code, went.verdict(WORD)) == (0, "pass")
    assert _verdicts(went) == {"kl.delay": "pass", "kl.carrier": "pass", "kl.origin": "pass"}
    assert "april: 3 columns as in baseline.json" in went.reason(WORD)
    assert _told(went) == [
        "not compared: day (times are compared only when they are named under `columns`)"
    ]


def test_another_unit_fails_and_is_guessed(flights: Flights) -> None:
    flights.april({**_flights(), "delay": DELAY * 60})
    went = flights.check()
    assert went.code == 1
    assert _verdicts(went)["kl.delay"] == "fail"
    assert _verdicts(went)["kl.carrier"] == "pass"
    first = went.task(WORD)["findings"][0]
    assert re.match(r"`delay` moved by [\d.]+ nats \(at least [\d.]+, limit 0.1\): ", first["what"])
    assert re.search(r"`delay > [\d.]+` rose from \S+ to \S+ %", first["what"])
    assert "60 times what they were: is it in another unit?" in first["hint"]
    assert "april: 1 of 3 columns moved, most delay: " in went.reason(WORD)


def test_a_new_category_and_what_rose(flights: Flights) -> None:
    carrier = np.where(CARRIER == "AA", "EV", CARRIER).astype(object)
    carrier[:90] = "ZZ"
    flights.april({**_flights(), "carrier": carrier})
    went = flights.check()
    told = _told(went)
    assert _verdicts(went)["kl.carrier"] == "fail"
    assert "`carrier = EV` rose from " in told[0]
    assert re.search(r"`carrier = AA` fell from \S+ to 0 %", told[0])
    assert "`carrier`: 90 of 4000 rows hold a value never seen before: 'ZZ' (90)" in told


def test_new_nulls_are_told_even_when_they_are_few(flights: Flights) -> None:
    delay = DELAY.astype(object)
    delay[:20] = ""
    flights.april({**_flights(), "delay": delay})
    went = flights.check()
    assert went.code == 0
    assert "`delay`: 20 of 4000 values are missing, none was before" in _told(went)


def test_nan_and_infinities_are_told(flights: Flights) -> None:
    delay = DELAY.astype(object)
    delay[:7], delay[7:12] = "nan", "inf"
    flights.april({**_flights(), "delay": delay})
    told = _told(flights.check())
    assert "`delay`: 7 of 4000 values are NaN, none was before" in told
    assert "`delay`: 5 of 4000 values are infinite, none was before" in told


def test_an_empty_and_a_constant_column(flights: Flights) -> None:
    flights.april({**_flights(), "delay": [""] * ROWS, "carrier": ["AA"] * ROWS})
    went = flights.check()
    assert went.code == 1
    told = "\n".join(_told(went))
    assert re.search(r"`delay` moved by .*: it holds no value any more; 0 % were missing", told)
    assert re.search(r"`carrier` moved by .*: it is 'AA' in every row", told)


def test_fifty_rows_cannot_tell_and_say_how_many_can(flights: Flights) -> None:
    random = np.random.default_rng(5)
    delay = DELAY.copy()
    delay[:50] = random.permutation(DELAY)[:50] + 4  # a little later than usual
    flights.april({**_flights(), "delay": delay}, rows=50)
    went = flights.check()
    assert (went.code, went.verdict(WORD)) == (3, "inconclusive")
    assert re.search(
        r"april: 50 rows cannot settle \d of 3 columns.*about \d+ more rows would settle",
        went.reason(WORD),
    )
    assert re.search(r"about \d+ more rows would settle", _hints(went))


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (lambda v: f"{v * 1000:,.1f}", "numbers with thousands separators, such as '"),
        (lambda v: f"{v} min", "numbers with a unit, such as '"),
        (lambda v: "n/a" if v > 30 else v, "'n/a' stands for a missing value: leave it empty"),
        (lambda v: str(v).replace(".", ","), "numbers with a decimal comma, such as '"),
    ],
)
def test_numbers_that_are_text_now(
    flights: Flights, written: Callable[[float], object], said: str
) -> None:
    flights.april({**_flights(), "delay": [written(v) for v in DELAY]})
    went = flights.check()
    assert went.code == 1
    assert went.reason(WORD).startswith("april: column 'delay' holds text, the profile numbers")
    assert said in went.task(WORD)["findings"][0]["hint"]


def test_dates_as_text(flights: Flights) -> None:
    day = [f"{d[8:]}/{d[5:7]}/{d[:4]}" for d in DAY]
    flights.april({**_flights(), "day": day})
    went = flights.check()
    assert went.code == 1
    first = went.task(WORD)["findings"][0]
    assert first["what"] == "column 'day' holds text, the profile times"
    assert re.search(r"dates as text, such as '\d+/\d+/\d+': write them as ", first["hint"])


def test_missing_and_new_columns(flights: Flights) -> None:
    columns = _flights()
    columns["delays"] = columns.pop("delay")
    flights.april(columns)
    went = flights.check()
    assert went.code == 1
    found = {finding["what"]: finding["hint"] for finding in went.task(WORD)["findings"]}
    assert found["column 'delay' of the profile is missing"] == "nearest column: delays"
    assert "column 'delays' is not in the profile and not compared" in found


def test_a_changed_type_is_told_and_does_no_harm(flights: Flights) -> None:
    flights.april({**_flights(), "day": [f"{day}T00:00:00" for day in DAY]})
    went = flights.check()
    assert went.code == 0
    assert "of another type than before: day (date before, timestamp now)" in _told(went)


def test_times_are_compared_when_they_are_named(flights: Flights) -> None:
    flights.april({**_flights(), "day": [f"2025{day[4:]}" for day in DAY]})
    assert flights.check().code == 0
    went = flights.check(columns=["day"])
    assert went.code == 1
    assert _verdicts(went) == {"kl.day": "fail"}
    assert re.search(r"`day > 2024-\d\d-\d\d` rose from", _told(went)[0])


def test_columns_are_left_out_and_have_thresholds_of_their_own(flights: Flights) -> None:
    delay, carrier = DELAY * 60, np.where(CARRIER == "AA", "EV", CARRIER)
    flights.april({**_flights(), "delay": delay, "carrier": carrier})
    assert flights.check(exclude=["delay", "carrier"]).code == 0
    went = flights.check(exclude=["delay"], thresholds={"carrier": 9})
    assert went.code == 0
    assert {name: m["limit"] for name, m in went.measures(WORD).items()} == {
        "kl.carrier": 9,
        "kl.origin": 0.1,
    }


def test_a_slice_moves_alone(flights: Flights) -> None:
    delay = DELAY.copy()
    delay[(ORIGIN == "LGA") & (np.arange(ROWS) % 2 == 0)] = 5.0
    flights.april({**_flights(), "delay": delay})
    assert flights.check(threshold=0.3).code == 0
    went = flights.check(threshold=0.3, slices=["origin"])
    assert went.code == 1
    verdicts = _verdicts(went)
    assert verdicts["kl.delay"] == "pass"
    assert verdicts["kl.delay on origin = LGA"] == "fail"
    assert verdicts["kl.delay on origin = JFK"] == "pass"
    assert "kl.origin on origin = JFK" not in verdicts
    assert _told(went)[0].startswith("`delay on origin = LGA` moved by ")


def test_a_slice_without_rows_is_inconclusive(flights: Flights) -> None:
    columns = {name: np.array(c, object)[ORIGIN == "JFK"] for name, c in _flights().items()}
    flights.april(columns)
    went = flights.check(columns=["delay"], slices=["origin"])
    assert (went.code, went.verdict(WORD)) == (3, "inconclusive")
    assert _verdicts(went)["kl.delay on origin = LGA"] == "inconclusive"
    assert "there are none in one of the slices" in _hints(went)


def test_a_slice_that_the_profile_lacks(flights: Flights) -> None:
    flights.april(_flights())
    (mistake,) = flights.refused(slices=["carrier"])
    assert "has no slices by 'carrier'" in mistake
    assert "where: " in mistake
    assert re.search(r"seatrial profile \S+april.csv -o \S+ --by origin --by carrier`", mistake)


def test_names_that_the_profile_does_not_know(flights: Flights) -> None:
    flights.april(_flights())
    told = flights.refused(columns=["dely"], thresholds={"carier": 1})
    assert [m.splitlines()[0] for m in told] == [
        "the profile of 'training_data' has no column 'dely'",
        "the profile of 'training_data' has no column 'carier'",
    ]
    assert "nearest: delay" in told[0]
    (sliced,) = flights.refused(slices=["carier"])
    assert "nearest: carrier" in sliced
    assert "--by" not in sliced
    went = flights.check(exclude=["carier"])
    assert went.code == 2
    assert "has no column 'carier'" in went.errors


@pytest.mark.parametrize("words", [{"threshold": 0.125}, {"thresholds": {"delay": 0.125}}])
def test_an_infinite_threshold_is_no_limit(flights: Flights, words: dict[str, Any]) -> None:
    flights.april(_flights())
    project = flights.write(**words)
    project.file.write_text(project.file.read_text().replace("0.125", ".inf"))
    with pytest.raises(FileError, match="inf is no limit"):
        plan.make(read_file(project.file), flights.folder)


def test_every_measure_gives_a_verdict_in_its_unit(flights: Flights) -> None:
    flights.april({**_flights(), "delay": DELAY * 60})
    for word, measure in MEASURES.items():
        went = flights.check(measure=word)
        assert went.code == 1, word
        found = went.measures(WORD)[f"{word}.delay"]
        assert (found["verdict"], found["limit"]) == ("fail", measure.threshold)
        if measure.numbers_only:
            assert f"{word}.carrier" not in went.measures(WORD)
            assert f"not compared: carrier, origin ({word} needs an order of the values)" in _told(
                went
            )
        else:
            assert went.measures(WORD)[f"{word}.carrier"]["verdict"] == "pass"


def test_the_bins_are_kept(flights: Flights) -> None:
    flights.april({**_flights(), "delay": DELAY * 60})
    went = flights.check(slices=["origin"])
    stores = Project(flights.folder).stores()
    try:
        (step,) = runs.steps(stores.ledger, went.run)
        assert step.outcome is not None
        kept = json.loads(stores.registry.blobs.get(step.outcome.blobs["distribution"]))
    finally:
        stores.ledger.close()
    assert kept["format"] == "seatrial.distribution"
    delay = kept["columns"][0]
    assert (delay["column"], delay["slice"], delay["verdict"]) == ("delay", None, "fail")
    assert len(delay["names"]) == len(delay["edges"]) + 1 == len(delay["current"]["counts"])
    assert sum(delay["current"]["counts"]) == sum(delay["reference"]["counts"]) == ROWS
    assert delay["contributors"][0]["now"] > delay["contributors"][0]["before"]
    assert {json.dumps(column["slice"]) for column in kept["columns"][3:]} == {
        '{"column": "origin", "value": "JFK"}',
        '{"column": "origin", "value": "LGA"}',
    }


def test_a_baseline_of_other_columns_from_the_future_or_edited(flights: Flights) -> None:
    flights.april({"a": [1, 2], "b": [3, 4]}, rows=2)
    went = flights.check()
    assert went.code == 2
    assert "is of other columns: delay, carrier, origin, day" in went.errors
    file = flights.folder / "baseline.json"
    good = json.loads(file.read_text())
    file.write_text(json.dumps({**good, "version": 99}))
    (future,) = flights.refused()
    assert "99" in future.splitlines()[0]
    assert "seatrial profile" in future
    good["columns"][0]["counts"][0] = -5
    file.write_text(json.dumps(good))
    (edited,) = flights.refused()
    assert "delay" in edited
    assert len(edited.splitlines()) <= 6


def test_the_plan_says_what_can_be_seen(flights: Flights) -> None:
    flights.april(_flights())
    told = flights.planned()
    assert "kl of 3 columns from baseline.json at most 0.1 nats" in told
    assert re.search(r"with 4000 rows of april a column that moved by 0\.\d+ nats or more", told)
    flights.april(_flights(), rows=50)
    few = flights.planned(slices=["origin"], thresholds={"delay": 0.2})
    assert "but delay at most 0.2 nats" in few
    assert "on each of 2 slices by origin that baseline.json knows" in few
    assert re.search(r"with the 1\d rows or so of the smallest, origin = LGA, this can only", few)
    assert re.search(
        r"with 50 rows of april this can only be inconclusive.*from about \d+ rows", few
    )
    columns = _flights()
    del columns["carrier"]
    flights.april(columns)
    assert "this will fail: column 'carrier' of the profile is missing" in flights.planned()


def test_the_plan_says_when_the_baseline_is_too_small(flights: Flights) -> None:
    flights.april(_flights())
    few = flights.folder / "few.csv"
    few.write_text(_text(_flights(), rows=25))
    _profile(few, flights.folder / "baseline.json")
    told = flights.planned()
    assert "the 25 rows of baseline.json are too few; make it from more" in told


def test_many_columns_are_told_in_a_few_lines(flights: Flights) -> None:
    names = [f"c{i}" for i in range(60)]
    rows = np.random.default_rng(3).integers(0, 9, (300, 60))
    data = flights.folder / "data"
    for file, shift in (("wide.csv", 0), ("april.csv", 5)):
        lines = [",".join(map(str, row)) for row in rows + shift]
        (data / file).write_text("\n".join([",".join(names), *lines, ""]))
    _profile(data / "wide.csv", flights.folder / "baseline.json")
    went = flights.check()
    assert went.code == 1
    assert len(went.measures(WORD)) == 60
    assert len(_told(went)) == 21
    assert _told(went)[-1] == "and 40 more columns moved"
