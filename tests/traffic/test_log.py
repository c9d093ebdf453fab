"""Streams are rolled when they are due and by nobody else; old files go; nothing is told twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
import numpy as np
import pyarrow.parquet as pq
import pytest

from seatrial.errors import StoreError
from seatrial.traffic import files, labels, reading
from seatrial.traffic.retention import Keep
from seatrial.traffic.rolling import roll
from seatrial.traffic.segment import Segment

from .conftest import MIXED, NUMBERS, digest, drawn, recorded

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Clock, Traffic


def ids(traffic: Traffic, version: int = 3) -> list[str]:
    found = reading.read(traffic.folder, "m")
    return found[version]["id"].to_pylist() if version in found else []


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_what_was_written_can_be_read_at_once_and_after_rolling(traffic: Traffic) -> None:
    kept = traffic.ask("r1", "r2")
    assert (kept.written, kept.refused, kept.unreadable) == (2, [], 0)
    assert names(traffic.version_folder) == ["2026-11-05T14-W-0.arrows"]
    before = reading.read(traffic.folder, "m")[3]
    assert traffic.log().roll(everything=True) == []
    assert names(traffic.version_folder) == ["2026-11-05T14-W-0.parquet"]
    assert reading.read(traffic.folder, "m")[3].equals(before)


def test_a_stream_is_rolled_when_its_hour_ends(traffic: Traffic, clock: Clock) -> None:
    traffic.ask("r1")
    clock.move(minutes=29)
    traffic.log().roll()
    assert names(traffic.version_folder) == ["2026-11-05T14-W-0.arrows"]
    clock.move(minutes=1)
    traffic.log().roll()
    traffic.ask("r2")
    assert names(traffic.version_folder) == [
        "2026-11-05T14-W-0.parquet",
        "2026-11-05T15-W-0.arrows",
    ]
    assert ids(traffic) == ["r1", "r2"]


def test_a_stream_is_rolled_when_it_is_big(traffic: Traffic) -> None:
    traffic.log(roll_bytes=50_000)
    for number in range(30):
        traffic.ask(*(f"{number}-{each}" for each in range(100)))
        traffic.log().roll()
    assert len([*traffic.version_folder.glob("*.parquet")]) > 2
    assert len(ids(traffic)) == 3000


def test_a_clock_that_goes_back_loses_nothing(traffic: Traffic, clock: Clock) -> None:
    traffic.ask("r1")
    for hours, request in ((-2, "r2"), (2, "r3"), (-2, "r4")):
        clock.move(hours=hours)
        traffic.log().roll()
        traffic.ask(request)
    traffic.log().roll(everything=True)
    assert sorted(ids(traffic)) == ["r1", "r2", "r3", "r4"]
    assert names(traffic.version_folder) == [
        "2026-11-05T12-W-0.parquet",
        "2026-11-05T12-W-1.parquet",
        "2026-11-05T14-W-0.parquet",
        "2026-11-05T14-W-1.parquet",
    ]


def test_a_living_writers_stream_is_left_alone(traffic: Traffic) -> None:
    traffic.ask("r1", writer="one")
    traffic.ask("r2", writer="other")
    traffic.log("one").roll(everything=True)
    assert names(traffic.version_folder) == [
        "2026-11-05T14-one-0.parquet",
        "2026-11-05T14-other-0.arrows",
    ]
    traffic.ask("r3", writer="other")
    assert sorted(ids(traffic)) == ["r1", "r2", "r3"]


def test_a_roll_that_was_killed_is_finished(traffic: Traffic) -> None:
    traffic.ask("r1")
    traffic.log().close()
    (stream,) = traffic.version_folder.iterdir()
    content = stream.read_bytes()
    stream.with_suffix(".part").write_bytes(b"half")
    assert roll(stream)
    stream.write_bytes(content)  # killed between the rename and the removal
    assert ids(traffic) == ["r1"]
    assert roll(stream)
    assert names(traffic.version_folder) == ["2026-11-05T14-W-0.parquet"]
    assert not roll(stream)


@pytest.mark.parametrize("length", [0, 5, 600])
def test_a_stream_without_a_whole_batch_is_removed(traffic: Traffic, length: int) -> None:
    traffic.ask("r1")
    traffic.log().close()
    (stream,) = traffic.version_folder.iterdir()
    stream.write_bytes(stream.read_bytes()[:length])
    assert ids(traffic) == []
    assert traffic.log().roll() == []
    assert names(traffic.version_folder) == []


def test_a_torn_batch_is_passed_over(traffic: Traffic) -> None:
    traffic.ask("r1")
    traffic.ask("r2")
    traffic.log().close()
    (stream,) = traffic.version_folder.iterdir()
    whole = stream.read_bytes()
    for cut in (1, 40, 200):
        stream.write_bytes(whole[:-cut])
        assert ids(traffic) == ["r1"]
    traffic.log().roll()
    assert ids(traffic) == ["r1"]


def test_a_damaged_file_is_told_by_name(traffic: Traffic) -> None:
    traffic.ask("r1")
    traffic.log().roll(everything=True)
    (file,) = traffic.version_folder.iterdir()
    file.write_bytes(b"PAR1 and no more")
    with pytest.raises(StoreError, match=r"damaged[\s\S]*T14-W-0\.parquet"):
        reading.read(traffic.folder, "m")


def test_strangers_files_are_neither_read_nor_removed(traffic: Traffic, clock: Clock) -> None:
    traffic.ask("r1")
    traffic.log().roll(everything=True)
    for name in ("notes.parquet", "2026-99-05T14-W-0.parquet", "x.arrows"):
        (traffic.version_folder / name).write_text("mine")
    assert ids(traffic) == ["r1"]
    clock.move(days=99)
    traffic.log().roll()
    traffic.log().retain({})
    assert len(names(traffic.version_folder)) == 3


def test_what_was_written_twice_is_read_once(traffic: Traffic, clock: Clock) -> None:
    raw = [traffic.asked("r1", rows=2), traffic.asked("r2")]
    clock.move(seconds=1)
    raw.append(traffic.asked("r1", rows=2))  # a client's second request under one id is another
    traffic.log().append(raw)
    traffic.log().roll(everything=True)
    traffic.log().append(raw)
    table = reading.read(traffic.folder, "m")[3]
    assert table["id"].to_pylist() == ["r1", "r1", "r2", "r1", "r1"]
    assert table["row"].to_pylist() == [0, 1, 0, 0, 1]


def test_a_window_holds_its_beginning_and_not_its_end(traffic: Traffic, clock: Clock) -> None:
    begin = clock()
    for number in range(3):
        traffic.ask(f"r{number}")
        clock.move(minutes=40)
        traffic.log().roll()
    since, until = begin.replace(minute=30), begin.replace(hour=15, minute=50)
    (table,) = reading.read(traffic.folder, "m", since=since, until=until).values()
    assert table["id"].to_pylist() == ["r0", "r1"]
    assert reading.read(traffic.folder, "m", since=clock()) == {}


def test_each_version_has_its_own_form(traffic: Traffic) -> None:
    traffic.versions[4] = MIXED
    traffic.ask("r1")
    traffic.ask("r2", version=4)
    found = reading.read(traffic.folder, "m")
    assert {v: t["prediction"].type for v, t in found.items()} == {3: "int64", 4: "string"}
    assert [*reading.read(traffic.folder, "m", versions=[4])] == [4]
    assert reading.read(traffic.folder, "nobody") == {}


def test_redacted_columns_are_never_on_the_disk(traffic: Traffic) -> None:
    traffic.versions[3] = MIXED
    features, answer = drawn(MIXED, 1, traffic.random)
    features["from"][0] = "nobody may read this"
    features["to"][0] = "everybody may"
    traffic.log().redact({"m": ["from", "a"]})
    traffic.log().append([recorded(traffic.head(), 1, "r1", features, answer)])
    (stream,) = traffic.version_folder.iterdir()
    assert b"everybody may" in stream.read_bytes()
    assert b"nobody may" not in stream.read_bytes()
    (table,) = reading.read(traffic.folder, "m").values()
    assert [each.name for each in table.schema.field("features").type] == ["to", "b"]


def test_redaction_may_change_while_traffic_flows(traffic: Traffic) -> None:
    traffic.ask("r1")
    traffic.log().redact({"m": ["a"]})
    traffic.ask("r2")
    traffic.log().redact({"other": []})  # m is no longer named: what was said of it stands
    traffic.ask("r3")
    traffic.log().redact({"m": ["a", "b"]})
    traffic.ask("r4")
    (table,) = reading.read(traffic.folder, "m").values()
    a, b = (table["features"].combine_chunks().field(name).to_pylist() for name in "ab")
    assert [value is None for value in a] == [False, True, True, True]
    assert [value is None for value in b] == [False, False, False, True]


def test_records_of_a_model_nobody_spoke_of_are_not_written(traffic: Traffic) -> None:
    traffic.log()._redacted.clear()
    kept = traffic.ask("r1", "r2")
    assert (kept.written, kept.unreadable) == (0, 2)
    assert not traffic.folder.exists()


def test_one_damaged_record_costs_no_other(traffic: Traffic) -> None:
    raw = [traffic.asked(f"r{n}") for n in range(9)]
    raw[4] = raw[4][:-3]
    kept = traffic.log().append(raw)
    assert (kept.written, kept.unreadable) == (8, 1)
    assert ids(traffic) == [f"r{n}" for n in range(9) if n != 4]


def test_traffic_is_kept_for_so_many_days(traffic: Traffic, clock: Clock) -> None:
    for day in range(5):
        traffic.ask(f"r{day}")
        traffic.label((f"r{day}", [1]))
        traffic.log().roll(everything=True)
        clock.move(days=1)
    assert traffic.log().retain({"m": Keep(days=10)}) == 0
    assert traffic.log().retain({"m": Keep(days=3)}) == 4
    assert ids(traffic) == ["r2", "r3", "r4"]
    assert labels.read(traffic.folder, "m")["id"].to_pylist() == ["r2", "r3", "r4"]
    clock.move(days=31)
    assert traffic.log().retain({}) == 6
    assert names(traffic.folder / "m") == []


def test_the_oldest_traffic_goes_when_it_is_too_much(traffic: Traffic, clock: Clock) -> None:
    traffic.versions[4] = NUMBERS
    for hour in range(6):
        traffic.ask(*(f"{hour}-{n}" for n in range(200)), version=3 + hour % 2)
        traffic.log().roll(everything=True)
        clock.move(hours=1)
    sizes = [path.stat().st_size for path in traffic.folder.rglob("*.parquet")]
    keep = Keep(gb=sum(sizes) * 0.6e-9)
    assert traffic.log().retain({"m": keep}) == 3
    assert {each.partition("-")[0] for each in ids(traffic)} == {"4"}
    assert {each.partition("-")[0] for each in ids(traffic, 4)} == {"3", "5"}
    assert traffic.log("other").retain({"m": keep}) == 0


def test_duckdb_reads_the_log_in_one_line(traffic: Traffic) -> None:
    for number in range(2):
        traffic.ask(*(f"{number}-{n}" for n in range(50)), rows=2)
        traffic.label(*((f"{number}-{n}", [n % 2, 1]) for n in range(50)))
        traffic.log().roll(everything=True)
    connection = duckdb.connect(":memory:")
    m = f"{traffic.folder}/m"
    line = f"SELECT features.a, prediction FROM '{m}/v3/*.parquet'"  # noqa: S608
    (table,) = reading.read(traffic.folder, "m").values()
    found = connection.execute(line).fetchall()
    assert [a for a, _ in found] == table["features"].combine_chunks().field("a").to_pylist()
    assert [label for _, label in found] == table["prediction"].to_pylist()
    line = (
        f"SELECT avg((prediction = label)::INT), max(time) FROM '{m}/v3/*.parquet'"  # noqa: S608
        f" JOIN (SELECT id, row, label FROM '{m}/labels/*.parquet') USING (id, row)"
    )
    joined = connection.execute(line).fetchone()
    assert joined is not None
    assert 0 < joined[0] < 1


def test_the_parquet_is_compressed_and_names_its_columns(traffic: Traffic) -> None:
    traffic.ask("r1")
    traffic.log().roll(everything=True)
    (path,) = traffic.version_folder.iterdir()
    metadata = pq.read_metadata(path)
    assert metadata.row_group(0).column(0).compression == "ZSTD"
    assert metadata.schema.to_arrow_schema().names == [
        "id", "row", "time", "version", "service_us", "prediction", "probabilities", "features",
        "gateway",
    ]  # fmt: skip


def test_two_writers_of_one_name_never_share_a_file(traffic: Traffic, clock: Clock) -> None:
    folder = traffic.version_folder
    traffic.ask("r1")
    table = reading.read(traffic.folder, "m")[3]
    begun = [Segment.begin(folder, clock(), "W", table.schema) for _ in range(3)]
    assert [each.path.name for each in begun] == [f"2026-11-05T14-W-{n}.arrows" for n in (1, 2, 3)]
    for each in begun:
        each.close()


def test_files_are_listed_by_hour_then_number(traffic: Traffic) -> None:
    folder = traffic.version_folder
    folder.mkdir(parents=True)
    order = ["2026-11-05T14-W-2", "2026-11-05T14-W-10", "2026-11-05T15-A-0", "2026-11-05T15-W-0"]
    for name in np.random.default_rng(1).permutation(order):
        (folder / f"{name}.parquet").touch()
    assert [path.stem for path in files.listed(folder)] == order


def test_a_signature_that_cannot_be_read_costs_only_its_own(traffic: Traffic) -> None:
    def absent(wanted: str) -> object:
        if wanted == digest("m", 4):
            raise StoreError("a blob is missing")
        return NUMBERS

    traffic.versions[4] = NUMBERS
    log = traffic.log()
    log._signature = absent  # type: ignore[assignment]
    kept = log.append([traffic.asked("r1"), traffic.asked("r2", version=4)])
    assert (kept.written, kept.unreadable, kept.reasons) == (1, 1, {"a blob is missing"})
