"""Each labelled row of a version is given once, soon, with its own request, whatever happens."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatrial.errors import PassingError
from seatrial.traffic import credit, following, marks, matching, reading
from seatrial.traffic.following import Following
from seatrial.traffic.matched import Counts
from seatrial.traffic.recorded import features_in

from .conftest import MIXED, NUMBERS, PRICE, WORDS, Clock, Traffic

if TYPE_CHECKING:
    from datetime import datetime

    from seatrial.inference.signature import Signature
    from seatrial.traffic.matched import Matched

Key = tuple[str, int, int]


@dataclass
class Watch:
    """A watcher of version 3: what it was given, and what of that was kept."""

    traffic: Traffic
    wanted: Signature = NUMBERS
    signature: Signature = NUMBERS
    since: datetime | None = None
    given: list[tuple[Key, Any]] = field(default_factory=list)
    kept: tuple[bytes, int] = (b"null", 0)

    def __post_init__(self) -> None:
        self.since = self.since or self.traffic.clock()
        self.start()

    def start(self) -> None:
        """Whatever was not kept is gone, as after ``kill -9``."""
        state, count = self.kept
        del self.given[count:]
        self.following = Following(
            self.traffic.folder,
            "m",
            3,
            self.signature,
            self.wanted,
            self.since or self.traffic.clock(),
            orjson.loads(state),
            timer=lambda: self.traffic.clock.us / 1e6,
        )

    def turn(self) -> Matched:
        found = self.following.turn(self.traffic.clock())
        logged = found.logged
        columns = (logged.ids.tolist(), logged.row.tolist(), logged.time_us.tolist())
        self.given += [*zip(zip(*columns, strict=True), found.labels.tolist(), strict=True)]
        return found

    def keep(self) -> None:
        self.kept = orjson.dumps(self.following.state()), len(self.given)

    def restart(self) -> None:
        self.keep()
        self.start()

    def settle(self) -> None:
        """Until nothing more can come."""
        for seconds in (0, matching.SOON_S, matching.WAIT_S, 0):
            self.traffic.clock.move(seconds=seconds)
            self.turn()

    @property
    def rows(self) -> list[str]:
        return [identity for (identity, _, _), _ in self.given]

    def counted(self) -> dict[str, int]:
        counts = self.following.counts
        return {name: getattr(counts, name) for name in Counts.__slots__ if getattr(counts, name)}


def test_a_label_brings_its_row_with_what_was_asked_and_answered(traffic: Traffic) -> None:
    watch = Watch(traffic)
    traffic.ask("r1", "r2", "r3", rows=2)
    told_us = traffic.clock.us + 5_000_000
    assert watch.turn().rows == 0
    traffic.clock.move(seconds=5)
    traffic.label(("r2", [0, 1]), ("r3", [1]))
    found = watch.turn()
    log = reading.read(traffic.folder, "m")[3]
    at = [2, 3, 4]
    assert found.logged.ids.tolist() == ["r2", "r2", "r3"]
    assert found.logged.row.tolist() == [0, 1, 0]
    assert found.labels.tolist() == [0, 1, 1]
    assert found.told_us.tolist() == [told_us] * 3
    assert found.logged.time_us.tolist() == reading.microseconds(log)[at].tolist()
    for name in ("a", "b"):
        assert found.logged.features[name].tolist() == features_in(log)[name][at].tolist()
    assert found.logged.answer.label.tolist() == log["prediction"].to_numpy()[at].tolist()
    assert found.logged.answer.probabilities is not None
    assert found.logged.answer.probabilities.tolist() == [
        log["probabilities"].to_pylist()[n] for n in at
    ]
    assert (found.counts.matched, watch.counted()) == (3, {"logged": 6, "matched": 3})


@pytest.mark.parametrize("signature", [NUMBERS, MIXED, PRICE, WORDS])
def test_labels_answers_and_columns_are_of_the_versions_kind(
    traffic: Traffic, signature: Signature
) -> None:
    traffic.versions[3] = signature
    watch = Watch(traffic, signature, signature)
    label = 0.25 if signature.problem == "numbers" else signature.classes[-1]
    nothing = watch.turn()
    traffic.ask("r1")
    traffic.label(("r1", [label]))
    found = watch.turn()
    assert found.labels.tolist() == [label]
    for each in (nothing, found):
        assert each.rows == each.logged.rows == len(each.logged.answer.label)
        assert [*each.logged.features] == [column.name for column in signature.inputs]
        assert each.labels.dtype == found.labels.dtype
        assert each.logged.answer.label.dtype == found.logged.answer.label.dtype
        assert {name: column.dtype for name, column in each.logged.features.items()} == {
            column.name: np.float32 if column.datatype == "FP32" else object
            for column in signature.inputs
        }


def test_a_row_counts_once_however_often_its_label_comes(traffic: Traffic) -> None:
    watch = Watch(traffic)
    traffic.ask("r1", rows=3)
    traffic.label(("r1", [0]), ("r1", [1]))
    watch.turn()
    traffic.label(("r1", [1, 1]))
    watch.restart()
    watch.turn()
    watch.restart()
    traffic.label(("r1", [0, 0, 0]))
    watch.turn()
    assert [(row, label) for (_, row, _), label in watch.given] == [(0, 0), (1, 1), (2, 0)]
    assert watch.counted() == {"logged": 3, "matched": 3, "repeated": 4}


def test_a_label_may_be_there_before_its_prediction(traffic: Traffic) -> None:
    watch = Watch(traffic)
    raw = traffic.asked("r1")
    traffic.clock.move(seconds=1)
    traffic.label(("r1", [1]))
    for restarts in (False, True):
        assert watch.turn().rows == 0
        assert watch.following.waiting == 1
        if restarts:
            watch.restart()
        traffic.clock.move(seconds=matching.SOON_S)
    traffic.log().append([raw])
    assert watch.turn().labels.tolist() == [1]
    assert watch.following.waiting == 0


def test_nobody_waits_for_ever(traffic: Traffic) -> None:
    watch = Watch(traffic)
    traffic.ask("r1")
    traffic.label(("who", [1]), ("r1", [0, 1]))
    watch.turn()
    traffic.clock.move(seconds=matching.WAIT_S - 1)
    watch.turn()
    assert watch.counted() == {"logged": 1, "matched": 1}
    traffic.clock.move(seconds=1)
    watch.turn()
    assert watch.counted() == {"logged": 1, "matched": 1, "unknown": 2}


def test_what_others_answered_or_this_one_earlier_is_other(traffic: Traffic) -> None:
    traffic.versions |= {2: NUMBERS, 4: NUMBERS}
    traffic.ask("before", "again")
    traffic.ask("rolled", version=2)
    traffic.log().roll(everything=True)
    traffic.clock.move(days=2)
    traffic.ask("stream", version=2)
    traffic.clock.move(seconds=1)
    watch = Watch(traffic)
    traffic.ask("late", version=2)
    traffic.ask("again", "mine")
    traffic.ask("next", version=4)
    traffic.clock.move(seconds=1)
    told = ("before", "rolled", "stream", "late", "next", "again", "mine")
    traffic.label(*((each, [1]) for each in told))
    watch.settle()
    assert watch.rows == ["again", "mine"]
    assert watch.counted() == {"logged": 2, "matched": 2, "other": 5}


def test_an_id_that_is_used_again_means_the_newest_request_before_the_label(
    traffic: Traffic,
) -> None:
    watch = Watch(traffic)
    times = []
    for _ in range(3):
        traffic.ask("customer")
        times.append(traffic.clock.us)
        traffic.clock.move(seconds=10)
        traffic.label(("customer", [1]))
        traffic.clock.move(seconds=10)
    traffic.log().roll(everything=True)
    watch.restart()
    traffic.ask("customer")
    watch.settle()
    assert sorted(time_us for (_, _, time_us), _ in watch.given) == times
    assert watch.counted() == {"logged": 4, "matched": 3}


def test_a_newer_request_may_stand_in_a_file_that_is_not_at_hand(traffic: Traffic) -> None:
    watch = Watch(traffic)
    traffic.ask("customer", writer="slow")
    traffic.clock.move(minutes=5)
    traffic.ask("customer", writer="quick")
    newer_us = traffic.clock.us
    traffic.log("quick").roll(everything=True)
    watch.start()
    traffic.clock.move(minutes=5)
    traffic.label(("customer", [1]))
    watch.settle()
    assert [key for key, _ in watch.given] == [("customer", 0, newer_us)]


def test_of_two_old_files_of_one_hour_the_newer_request_counts(traffic: Traffic) -> None:
    """The file that is searched first holds the older one."""
    watch = Watch(traffic)
    traffic.ask("customer", writer="Z")
    traffic.clock.move(minutes=5)
    traffic.ask("customer", writer="A")
    newer_us = traffic.clock.us
    for writer in "AZ":
        traffic.log(writer).roll(everything=True)
    watch.start()
    traffic.clock.move(minutes=5)
    traffic.label(("customer", [1]))
    watch.settle()
    assert [key for key, _ in watch.given] == [("customer", 0, newer_us)]


def test_labels_of_another_kind_are_counted_and_left_out(traffic: Traffic) -> None:
    traffic.versions |= {4: MIXED, 5: PRICE}
    watch = Watch(traffic)
    traffic.ask("r1", "r2", "r3")
    traffic.label(("r1", ["no"]), version=4)
    traffic.label(("r1", [0.5]), version=5)
    traffic.label(("r2", [7]))
    traffic.label(("r3", [1]))
    watch.settle()
    assert watch.rows == ["r3"]
    assert watch.counted() == {"logged": 3, "matched": 1, "misfit": 3}


def test_a_number_that_is_none_is_no_label(traffic: Traffic) -> None:
    traffic.versions[3] = PRICE
    watch = Watch(traffic, PRICE, PRICE)
    traffic.ask("r1", "r2")
    traffic.label(("r1", [float("nan")]), ("r2", [2]))
    watch.settle()
    assert watch.rows == ["r2"]


def test_a_clock_that_jumps_is_counted_and_harms_nobody(traffic: Traffic) -> None:
    watch, clock = Watch(traffic), traffic.clock
    traffic.ask("skewed")
    clock.move(seconds=-30)
    traffic.label(("skewed", [1]))  # by a clock that is somewhat behind
    clock.move(seconds=30)
    traffic.ask("r1", "r2")
    clock.move(days=-400)
    traffic.label(("r1", [1]))
    clock.move(days=800)
    traffic.label(("r2", [1]))
    traffic.ask("r3")
    traffic.label(("r3", [1]))
    clock.move(days=-400)
    assert watch.turn().logged.ids.tolist() == ["r2"]
    watch.settle()
    watch.restart()
    traffic.ask("r4")
    traffic.label(("r4", [1]))
    watch.settle()
    assert watch.rows == ["r2", "skewed", "r4"]
    # r1's label is dated long before it, and r3 in the future
    assert watch.counted() == {"logged": 5, "matched": 3, "untimely": 2}


def test_a_label_long_before_its_request_is_untimely(traffic: Traffic) -> None:
    watch = Watch(traffic)
    traffic.label(("r1", [1]))
    traffic.clock.move(seconds=61)
    traffic.ask("r1")
    watch.settle()
    assert watch.counted() == {"logged": 1, "untimely": 1}


def test_rows_without_a_wanted_column_are_counted_and_said(traffic: Traffic) -> None:
    watch = Watch(traffic)
    traffic.ask("r1")
    traffic.log().redact({"m": ["a"]})
    traffic.ask("r2", rows=2)
    traffic.label(("r1", [1]), ("r2", [1, 0]))
    found = watch.turn()
    assert found.logged.ids.tolist() == ["r1"]
    assert found.absent == ("a",)
    assert watch.counted() == {"logged": 3, "matched": 1, "incomplete": 2}


def test_a_column_of_another_kind_is_absent(traffic: Traffic) -> None:
    watch = Watch(traffic, WORDS)
    traffic.ask("r1")
    traffic.label(("r1", [1]))
    assert watch.turn().absent == ("from",)


def test_old_requests_are_found_in_files_with_a_share_of_a_processor(
    traffic: Traffic, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = traffic.clock
    watch = Watch(traffic)
    for hour in range(6):
        traffic.ask(*(f"{hour}-{n}" for n in range(50)))
        traffic.log().roll(everything=True)
        clock.move(hours=1)
    watch.start()  # nothing is at hand
    took_s, reads = 2.0, list[str]()
    table_in = reading.table_in

    def slowly(file: Path, columns: Any = None) -> Any:
        reads.append(file.name[11:13])
        clock.move(seconds=took_s)
        return table_in(file, columns)

    traffic.label(*((f"{hour}-7", [1]) for hour in (1, 4)), ("5-50", [1]))
    watch.turn()
    clock.move(seconds=matching.SOON_S)
    monkeypatch.setattr(reading, "table_in", slowly)
    monkeypatch.setattr("seatrial.traffic.search.reading.table_in", slowly)
    begin = clock()
    while len(watch.given) < 2:
        clock.move(seconds=0.5)
        before = len(reads)
        watch.turn()
        assert len(reads) <= before + 1
    assert sorted(watch.rows) == ["1-7", "4-7"]
    assert reads[0] == "19"
    share = took_s * len(reads) / (clock() - begin).total_seconds()
    assert share <= credit.SHARE * 1.3


def test_files_that_go_under_the_reader_are_gone_and_no_more(traffic: Traffic) -> None:
    watch = Watch(traffic)
    traffic.ask("r1")
    traffic.log().roll(everything=True)
    traffic.ask("r2")
    watch.start()
    traffic.label(("r1", [1]), ("r2", [1]))
    assert watch.turn().logged.ids.tolist() == ["r2"]
    watch.keep()
    for file in [*traffic.version_folder.iterdir(), *(traffic.folder / "m" / "labels").iterdir()]:
        file.unlink()
    watch.settle()
    assert watch.counted() == {"logged": 2, "matched": 1, "unknown": 1}
    watch.start()
    watch.settle()
    assert watch.counted() == {"logged": 2, "matched": 1, "unknown": 1}
    assert watch.following.state()["labels"] == {}


def test_damaged_files_are_told_and_the_others_count(traffic: Traffic) -> None:
    watch = Watch(traffic)
    for identity in ("r1", "r2"):
        traffic.ask(identity)
        traffic.label((identity, [1]))
        traffic.log().roll(everything=True)
    for folder in (traffic.version_folder, traffic.folder / "m" / "labels"):
        min(folder.iterdir()).write_bytes(b"PAR1 and no more")
    watch.settle()
    assert watch.rows == ["r2"]
    assert len(watch.following.damaged) >= 1
    assert all("2026-11-05T14-W-0" in each for each in watch.following.damaged)


def test_what_a_killed_writer_wrote_twice_counts_once(traffic: Traffic) -> None:
    watch = Watch(traffic)
    raw = [traffic.asked("r1"), traffic.asked("r2")]
    for _ in range(2):
        traffic.log().append(raw)
        traffic.label(("r1", [1]))
        traffic.log().roll(everything=True)
        watch.turn()
        watch.restart()
    watch.settle()
    assert watch.rows == ["r1"]
    assert watch.following.counts.repeated == 1


def test_without_its_marks_only_later_requests_count(traffic: Traffic) -> None:
    watch = Watch(traffic)
    traffic.ask("r1", "r2")
    traffic.label(("r1", [1]))
    watch.turn()
    watch.keep()
    (file,) = (traffic.folder / "m" / marks.FOLDER).iterdir()
    file.unlink()
    watch.start()
    traffic.clock.move(seconds=1)
    traffic.ask("r3")
    traffic.label(("r1", [1]), ("r2", [1]), ("r3", [1]))
    watch.settle()
    assert watch.rows == ["r1", "r3"]


def test_what_a_disk_refuses_is_not_kept_and_can_be_asked_again(traffic: Traffic) -> None:
    watch = Watch(traffic)
    traffic.ask("r1", "r2")
    traffic.label(("r1", [1]))
    watch.turn()
    folder = traffic.folder / "m" / marks.FOLDER
    folder.write_text("a file is in the way")
    with pytest.raises(PassingError, match="cannot be kept"):
        watch.keep()
    folder.unlink()
    traffic.label(("r1", [1]), ("r2", [1]))
    watch.turn()
    watch.restart()
    traffic.label(("r1", [1]), ("r2", [1]))
    watch.settle()
    assert watch.rows == ["r1", "r2"]


def test_a_new_watch_begins_anew_and_an_old_one_leaves_nothing(traffic: Traffic) -> None:
    watch = Watch(traffic)
    traffic.ask("r1")
    traffic.label(("r1", [1]))
    watch.turn()
    watch.keep()
    watch.kept = b"null", 0
    watch.start()
    assert watch.turn().logged.ids.tolist() == ["r1"]
    watch.keep()
    watch.following.forget()
    assert not (traffic.folder / "m" / marks.FOLDER).exists()


def test_more_than_a_turn_gives_comes_in_the_next_and_requests_stay_whole(
    traffic: Traffic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "BATCH_ROWS", 10)
    monkeypatch.setattr(following, "WAITING_ROWS", 40)
    watch = Watch(traffic)
    traffic.ask(*(f"r{n}" for n in range(30)), rows=4)
    for begin in range(0, 30, 5):
        traffic.label(*((f"r{n}", [1, 0, 1, 0]) for n in range(begin, begin + 5)))
    sizes = []
    for turn in range(30):
        sizes.append(watch.turn().rows)
        if turn == 3:
            traffic.log().roll(everything=True)
        if sizes[-1]:
            watch.restart()
        else:
            traffic.clock.move(seconds=matching.SOON_S)
    assert set(sizes) == {0, 12}
    assert len(watch.given) == len(set(watch.given)) == 120


def test_memory_is_bounded_and_what_was_put_away_is_found(
    traffic: Traffic,
) -> None:
    watch = Watch(traffic)
    answered = watch.following._answered
    answered.keys.most_bytes, answered.recent.most_bytes = 20 * 400, 3000
    for hour in range(5):
        for part in range(10):
            traffic.ask(*(f"{hour}-{part}-{n}" for n in range(20)))
            watch.turn()
        assert answered.keys.bytes <= 20 * 400 + 20 * 200
        assert answered.recent.bytes <= 3000 + 2500
        traffic.clock.move(hours=1)
        traffic.log().roll()
    wanted = [f"{hour}-{part}-13" for hour in range(5) for part in (0, 4, 9)]
    traffic.label(*((each, [1]) for each in wanted))
    watch.settle()
    watch.settle()
    assert sorted(watch.rows) == wanted
    assert watch.counted() == {"logged": 1000, "matched": 15}


def test_the_state_is_small_and_plain(traffic: Traffic) -> None:
    watch = Watch(traffic)
    ids = [f"r{n}" for n in range(20_000)]
    traffic.ask(*ids)
    traffic.label(*((each, [1]) for each in ids[::2]), *((f"who {n}", [1]) for n in range(10_000)))
    watch.turn()
    state = watch.following.state()
    assert len(json.dumps(state)) < 1500
    assert state["marks"] == 10_000


_READER = """
import json, sys, time
from datetime import UTC, datetime
from pathlib import Path
from seatrial.inference.signature import Input, Signature
from seatrial.traffic.following import Following

NUMBERS = Signature((Input("a", "FP32"), Input("b", "FP32")), "classes", (0, 1))
kept = Path(sys.argv[2])
state, given = json.loads(kept.read_text()) if kept.exists() else (None, [])
since, now = (datetime.fromtimestamp(float(each), UTC) for each in sys.argv[3:])
following = Following(Path(sys.argv[1]), "m", 3, NUMBERS, NUMBERS, since, state)
while True:
    found = following.turn(now)
    columns = (found.logged.ids, found.logged.row, found.logged.time_us)
    given += [list(key) for key in zip(*(column.tolist() for column in columns))]
    aside = kept.with_suffix(".part")
    aside.write_text(json.dumps([following.state(), given]))
    aside.rename(kept)
"""


@pytest.mark.slow
def test_a_reader_that_is_killed_again_and_again_counts_every_row_once(
    traffic: Traffic, tmp_path: Path
) -> None:
    clock, kept = traffic.clock, tmp_path / "kept.json"
    since, now = clock().timestamp(), clock().timestamp() + 3600
    command = [sys.executable, "-c", _READER, str(traffic.folder), str(kept), str(since), str(now)]

    def given() -> list[tuple[str, int, int]]:
        return [tuple(key) for key in json.loads(kept.read_text())[1]] if kept.exists() else []

    wanted = set[Key]()
    for life in range(3):
        reader = subprocess.Popen(command)
        begun, ends = len(given()), time.monotonic() + 20
        while len(given()) <= begun + 80 * life and time.monotonic() < ends:
            clock.move(microseconds=1)
            name = f"r{len(wanted)}"
            traffic.ask(name, rows=2)
            for _ in range(2):
                traffic.label((name, [0, 1]))
            wanted |= {(name, row, clock.us) for row in (0, 1)}
            if len(wanted) % 100 == 0:
                traffic.log().roll(everything=True)
        if life < 2:
            reader.send_signal(signal.SIGKILL)
            reader.wait()
    until_s = time.monotonic() + 20
    while len(given()) < len(wanted) and time.monotonic() < until_s:
        time.sleep(0.05)
    reader.kill()
    reader.wait()
    assert sorted(given()) == sorted(wanted)


_OF_LABELS = ("matched", "repeated", "other", "unknown", "untimely")
_IDS = st.sampled_from(["a", "b", "c"])
_STEPS = st.one_of(
    st.tuples(st.just("ask"), _IDS, st.integers(1, 3), st.sampled_from([2, 3, 3, 3])),
    st.tuples(st.just("ask late"), st.integers(1, 2)),
    st.tuples(st.just("label"), _IDS, st.lists(st.integers(0, 1), min_size=1, max_size=4)),
    st.tuples(st.just("label late"), st.integers(0, 4)),
    st.tuples(st.just("move"), st.sampled_from([0.1, 3, 70, 3700])),
    st.just(("turn",)),
    st.just(("keep",)),
    st.just(("kill",)),
    st.sampled_from([("roll",), ("tear",), ("arrive",), ("twice",)]),
)


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(steps=st.lists(_STEPS, max_size=50))
def test_whatever_comes_between_every_labelled_row_counts_once(steps: list[Any]) -> None:
    with TemporaryDirectory() as folder:
        _Story(Path(folder)).tell(steps)


class _Story:
    """Requests, labels, rolls, kills and turns in any order, and what must come of them."""

    def __init__(self, folder: Path) -> None:
        self.clock = Clock()
        self.traffic = Traffic(folder / "traffic", self.clock, {2: NUMBERS, 3: NUMBERS})
        self.watch = Watch(self.traffic)
        self.asked: list[tuple[str, int, int, int]] = []
        self.told: list[tuple[str, int, int]] = []
        self.rows = 0
        self.late: list[tuple[str, bytes]] = []
        self.last: list[bytes] = []
        self.asked_last = ("", 0, 0, 0)

    def tell(self, steps: list[Any]) -> None:
        for name, *arguments in steps:
            self.clock.move(microseconds=1)
            getattr(self, name.replace(" ", "_"))(*arguments)
        self.arrive()
        self.watch.settle()
        self.watch.settle()
        keys = [key for key, _ in self.watch.given]
        assert len(set(keys)) == len(keys)
        meant, nearly = self.meant()
        assert meant <= set(keys) <= meant | nearly
        counts = self.watch.following.counts
        assert counts.matched == len(keys)
        assert counts.logged == self.rows
        assert sum(getattr(counts, name) for name in _OF_LABELS) == len(self.told)

    def meant(self) -> tuple[set[Key], set[Key]]:
        """What the labels are for; and what they may be for, if clocks differ."""
        meant, nearly = set[Key](), set[Key]()
        for identity, row, told_us in self.told:
            answers = [
                (time_us, version)
                for asked, rows, time_us, version in self.asked
                if asked == identity and row < rows
            ]
            before = [each for each in answers if each[0] <= told_us]
            chosen, into = (
                (max(before), meant) if before else (min(answers, default=(0, 0)), nearly)
            )
            if chosen[1] == 3 and chosen[0] <= told_us + matching.APART_US:
                into.add((identity, row, chosen[0]))
        return meant, nearly

    def ask(self, identity: str, rows: int, version: int) -> None:
        self.last = [self.traffic.asked(identity, rows, version)]
        self._write(self.last, rows if version == 3 else 0)
        self.asked_last = (identity, rows, self.clock.us, version)
        self.asked.append(self.asked_last)

    def ask_late(self, rows: int) -> None:
        """Answered, and not in the log yet."""
        identity = f"late {len(self.late)}"
        self.late.append((identity, self.traffic.asked(identity, rows)))
        self.asked.append((identity, rows, self.clock.us, 3))
        self.rows += rows

    def label(self, identity: str, labels: list[int]) -> None:
        self.traffic.label((identity, labels))
        self.told += [(identity, row, self.clock.us) for row in range(len(labels))]

    def label_late(self, number: int) -> None:
        if number < len(self.late):
            self.label(self.late[number][0], [1])

    def arrive(self) -> None:
        """What was late reaches the log, at another writer's."""
        self.traffic.log("X").append([raw for _, raw in self.late if raw])
        self.late = [(identity, b"") for identity, _ in self.late]

    def move(self, seconds: float) -> None:
        if seconds > 1:  # what is late is never so late
            self.arrive()
        self.clock.move(seconds=seconds)

    def turn(self) -> None:
        self.watch.turn()

    def keep(self) -> None:
        self.watch.keep()

    def kill(self) -> None:
        self.watch.start()

    def roll(self) -> None:
        self.traffic.log().roll(everything=True)

    def tear(self) -> None:
        """The writer is killed in the middle of a batch, and has a successor."""
        self.traffic.log().close()
        for stream in sorted((self.traffic.folder / "m").glob("*/*-W*.arrows")):
            content = stream.read_bytes()
            with stream.open("ab") as file:
                file.write(content[-200:-10])
        self.traffic.logs.pop("W")

    def twice(self) -> None:
        """A killed writer's successor writes once more what was not acknowledged."""
        if self.last:
            _, rows, _, version = self.asked_last
            self._write(self.last, rows if version == 3 else 0)

    def _write(self, raw: list[bytes], rows: int) -> None:
        assert self.traffic.log().append(raw).written == len(raw)
        self.rows += rows
