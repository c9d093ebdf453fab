"""Drift is told from chance, and where it is."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatrial.data.drift.bins import names_of
from seatrial.data.drift.divergence import MEASURES
from seatrial.data.drift.judging import compare, judge
from seatrial.data.drift.limits import Limits
from seatrial.data.drift.pairs import Pair
from seatrial.data.drift.words import reason
from seatrial.data.profiles import profile as profiles
from seatrial.data.shape import ColumnProfile, Within
from seatrial.errors import FileError, FormError
from seatrial.outcome import Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from seatrial.data.drift.judging import Drift

    from .conftest import Opened

RNG = np.random.default_rng(7)
DELAYS = np.round(RNG.gamma(0.8, 20, 8000) - 6)
CARRIERS = RNG.choice(["AA", "B6", "DL", "EV", "9E"], 8000, p=[0.3, 0.3, 0.2, 0.15, 0.05])


def _csv(delays: NDArray[np.float64], carriers: NDArray[np.str_]) -> str:
    rows = zip(delays, carriers, strict=True)
    return "delay,carrier,late\n" + "".join(f"{d},{c},{int(d > 15)}\n" for d, c in rows)


def _verdicts(drift: Drift) -> dict[str, str]:
    return {m.name: m.verdict for m in drift.measures}


def test_same_data_is_exactly_nothing(opened: Opened) -> None:
    table = opened(_csv(DELAYS, CARRIERS))
    drift = compare(profiles.make(table), table, Limits())
    assert [m.name for m in drift.measures] == ["kl.delay", "kl.carrier", "kl.late"]
    assert all((m.value, m.low, m.high) == (0, 0, 0) for m in drift.measures)
    assert all((m.limit, m.n, m.verdict) == (0.1, 8000, "pass") for m in drift.measures)
    assert drift.findings == ()
    assert drift.verdict is Verdict.PASS


@pytest.mark.parametrize("measure", MEASURES)
def test_a_dataset_passes_against_its_own_profile(opened: Opened, measure: str) -> None:
    table = opened(_csv(DELAYS, CARRIERS))
    drift = compare(profiles.make(table), table, Limits(measure=measure))
    assert drift.verdict is Verdict.PASS
    names = {m.name.partition(".")[2] for m in drift.measures}
    texts = set() if MEASURES[measure].numbers_only else {"carrier"}
    assert names == {"delay", "late"} | texts


def test_shuffled_halves_pass(opened: Opened) -> None:
    order = np.random.default_rng(3).permutation(8000)
    first, second = order[:4000], order[4000:]
    made = profiles.make(opened(_csv(DELAYS[first], CARRIERS[first])))
    drift = compare(made, opened(_csv(DELAYS[second], CARRIERS[second]), "e.csv"), Limits())
    assert drift.verdict is Verdict.PASS


@pytest.mark.parametrize("rows", [300, 8000])
def test_wrong_unit_fails(opened: Opened, rows: int) -> None:
    made = profiles.make(opened(_csv(DELAYS, CARRIERS)))
    drift = compare(made, opened(_csv(DELAYS[:rows] * 60, CARRIERS[:rows]), "e.csv"), Limits())
    assert _verdicts(drift)["kl.delay"] == "fail"
    assert _verdicts(drift)["kl.carrier"] == "pass"
    assert drift.verdict is Verdict.FAIL
    assert "`delay > " in drift.findings[0].what
    assert "rose from" in drift.findings[0].what


def test_contributors_and_unseen_values(opened: Opened) -> None:
    made = profiles.make(opened(_csv(DELAYS, CARRIERS)))
    later = np.where(CARRIERS == "AA", "9E", CARRIERS)
    later[:80] = "ZZ"
    drift = compare(made, opened(_csv(DELAYS, later), "e.csv"), Limits())
    told = [f.what for f in drift.findings]
    assert any("80 of 8000 rows hold a value never seen before: 'ZZ' (80)" in what for what in told)
    assert re.search(r"`carrier = 9E` rose from (4|5)\S* to 3\S* %", told[0])
    assert re.search(r"`carrier = AA` fell from \S+ to 0 %", told[0])


@pytest.mark.parametrize("measure", [m.word for m in MEASURES.values() if not m.numbers_only])
def test_values_that_never_repeat_have_not_moved(opened: Opened, measure: str) -> None:
    made = profiles.make(opened("id\n" + "".join(f"a{i:05}\n" for i in range(300))))
    later = opened("id\n" + "".join(f"b{i:05}\n" for i in range(2000)), "e.csv")
    assert compare(made, later, Limits(measure=measure)).verdict is Verdict.PASS
    one = "a00007\n" * 1000
    later = opened("id\n" + one + "".join(f"b{i:05}\n" for i in range(1000)), "one.csv")
    assert compare(made, later, Limits(measure=measure)).verdict is Verdict.FAIL


def test_new_missing_values(opened: Opened) -> None:
    made = profiles.make(opened(_csv(DELAYS, CARRIERS)))
    gone = DELAYS.astype(object)
    gone[:4000] = ""
    text = "delay,carrier,late\n" + "".join(f"{d},AA,0\n" for d in gone)
    drift = compare(made, opened(text, "e.csv"), Limits(columns=("delay",)))
    assert _verdicts(drift) == {"kl.delay": "fail"}
    told = [f.what for f in drift.findings]
    assert "`delay missing` rose from 0 to 50 %" in told[0]
    assert "`delay`: 4000 of 8000 values are missing, none was before" in told


def test_a_column_all_missing_is_drift_not_another_kind(opened: Opened) -> None:
    made = profiles.make(opened("a,b\n" + "1,1\n2,2\n" * 200))
    drift = compare(made, opened("a,b\n" + ",1\n,2\n" * 200, "e.csv"), Limits())
    assert _verdicts(drift) == {"kl.a": "fail", "kl.b": "pass"}
    assert not drift.broken


def test_a_column_that_held_nothing_and_holds_something_has_moved(opened: Opened) -> None:
    made = profiles.make(opened("a,b\n" + ",1\n,2\n" * 200))
    drift = compare(made, opened("a,b\n" + "1,1\n2,2\n" * 200, "e.csv"), Limits())
    assert _verdicts(drift) == {"kl.a": "fail", "kl.b": "pass"}
    assert "`a missing` fell from 100 to 0 %" in drift.moves[0].what


def test_nothing_left_to_compare_is_a_mistake(opened: Opened) -> None:
    table = opened("a,b\n" + "x,1\ny,2\n" * 200)
    with pytest.raises(FormError, match="no column of 'd' is left to compare"):
        compare(profiles.make(table), table, Limits(exclude=("a", "b")))
    with pytest.raises(FormError, match="can be compared by wasserstein: a"):
        compare(profiles.make(table), table, Limits(measure="wasserstein", columns=("a",)))


def test_a_constant_that_moves(opened: Opened) -> None:
    made = profiles.make(opened("a,b\n" + "5,1\n" * 200))
    for moved in ("4", "6", "5.5"):
        drift = compare(made, opened("a,b\n" + f"{moved},1\n" * 200, "e.csv"), Limits())
        assert _verdicts(drift) == {"kl.a": "fail", "kl.b": "pass"}


def test_missing_new_and_other_columns(opened: Opened) -> None:
    made = profiles.make(opened("carrier,n,m\nAA,1,1\nDL,2,2\n"))
    drift = compare(made, opened("carier,n,m\nAA,x,1\nDL,y,2\n", "e.csv"), Limits())
    assert drift.broken == ("carrier", "n")
    assert drift.verdict is Verdict.FAIL
    told = {f.what: f.hint for f in drift.findings}
    assert told["column 'carrier' of the profile is missing"] == "nearest column: carier"
    assert "column 'n' holds text, the profile numbers" in told
    assert "column 'carier' is not in the profile and not compared" in told


def test_profile_of_other_columns(opened: Opened) -> None:
    made = profiles.make(opened("a,b\n1,2\n"))
    with pytest.raises(FormError, match="is of other columns: a, b"):
        compare(made, opened("c,d\n1,2\n", "e.csv"), Limits())


def test_keys_times_and_excluded_are_left_out(opened: Opened) -> None:
    text = "id,t,skip,x\n" + "".join(f"{i},2024-01-01,{i},{i % 7}\n" for i in range(500))
    made = profiles.make(opened(text))
    later = "id,t,skip,x\n" + "".join(f"{i + 900},2024-02-01,{-i},{i % 7}\n" for i in range(500))
    drift = compare(made, opened(later, "f.csv", key="id", time="t", exclude=("skip",)), Limits())
    assert _verdicts(drift) == {"kl.x": "pass"}


def test_unknown_measure(opened: Opened) -> None:
    table = opened("a\n1\n")
    with pytest.raises(FileError, match="unknown drift measure 'kll'"):
        compare(profiles.make(table), table, Limits(measure="kll"))


def test_awkward_names_and_values(opened: Opened) -> None:
    table = opened('"a""b c","d\'e"\n"x\'y",1\n"?",2\n')
    drift = compare(profiles.make(table), table, Limits())
    assert drift.verdict is Verdict.PASS


# What a comparison says, without any dataset: counts in, verdict out.


def _numbers(counts: Sequence[int], nulls: int = 0, name: str = "delay") -> ColumnProfile:
    edges = tuple(float(i) for i in range(len(counts) - 1))
    return ColumnProfile(
        name=name, kind="number", type="DOUBLE", edges=edges, counts=tuple(counts), nulls=nulls
    )


def _texts(counts: dict[str, int], other: int = 0) -> ColumnProfile:
    return ColumnProfile(
        name="carrier",
        kind="string",
        type="VARCHAR",
        values=tuple(counts),
        counts=tuple(counts.values()),
        other=other,
    )


def test_counts_are_judged_without_a_dataset() -> None:
    then, now = _numbers([5000] * 4), _numbers([500, 500, 1500, 1500])
    found = judge([Pair(then, now)], Limits(), "hour 13")
    assert found.verdict is Verdict.FAIL
    assert reason(found, "training").startswith("hour 13: 1 of 1 column moved, most delay: 0.13 n")
    assert found.findings[0].where == "hour 13, column 'delay'"


def test_names_of_unheard_of_values_may_be_unknown() -> None:
    found = judge([Pair(_texts({"AA": 900}), _texts({"AA": 890}, other=10))], Limits(), "d")
    assert found.findings[-1].what == "`carrier`: 10 of 900 rows hold a value never seen before"


@pytest.mark.parametrize("measure", [w for w, m in MEASURES.items() if not m.numbers_only])
def test_what_was_never_there_cannot_hide_among_the_rest(measure: str) -> None:
    names = ("AA", "B6", "DL", "EV", "UA")
    then = _texts(dict.fromkeys(names, 20_000))
    now = _texts(dict.fromkeys(names, 1600), other=2000)
    found = judge([Pair(then, now)], Limits(measure=measure), "d")
    assert found.verdict is Verdict.FAIL
    few = _texts(dict.fromkeys(names, 1999), other=5)
    assert judge([Pair(then, few)], Limits(measure=measure), "d").verdict is Verdict.PASS


def test_a_number_beyond_all_that_were_there_has_moved() -> None:
    then = replace(_numbers([0, 2500, 2500, 2500, 0]), edges=(0.9, 1.0, 2.0, 3.0))
    found = judge([Pair(then, replace(then, counts=(0, 0, 0, 0, 2500)))], Limits(), "d")
    assert found.verdict is Verdict.FAIL
    assert found.measures[0].value is not None
    assert found.measures[0].value > 5


def test_many_columns_are_judged_together() -> None:
    then, now = _numbers([50000] * 4), _numbers([165, 215, 280, 340])
    alone = judge([Pair(then, now)], Limits(threshold=0.02), "d").measures[0]
    many = judge(
        [Pair(replace(then, name=f"c{i}"), replace(now, name=f"c{i}")) for i in range(200)],
        Limits(threshold=0.02),
        "d",
    ).measures[7]
    assert alone.verdict is Verdict.FAIL
    assert many.verdict is Verdict.INCONCLUSIVE
    assert many.low is not None
    assert alone.low is not None
    assert many.low < alone.low
    assert (many.value, many.high) == (alone.value, alone.high)


def test_the_farthest_is_told_first_in_its_own_limits() -> None:
    then, a, b = _numbers([5000] * 4), [100, 100, 100, 3700], [500, 500, 1500, 1500]
    pairs = [
        Pair(replace(then, name=name), _numbers(counts, name=name))
        for name, counts in (("a", a), ("b", b))
    ]
    far = [f.what[:3] for f in judge(pairs, Limits(), "d").moves]
    near = [f.what[:3] for f in judge(pairs, Limits(thresholds={"a": 0.95}), "d").moves]
    assert (far, near) == (["`a`", "`b`"], ["`b`", "`a`"])


def test_slices_of_a_column_that_moved_are_not_told_again() -> None:
    then, now = _numbers([5000] * 4), _numbers([500, 500, 1500, 1500])
    pairs = [Pair(then, now), *(Pair(then, now, Within("origin", v)) for v in ("JFK", "LGA"))]
    found = judge(pairs, Limits(), "d")
    assert [m.name for m in found.measures] == [
        "kl.delay", "kl.delay on origin = JFK", "kl.delay on origin = LGA",
    ]  # fmt: skip
    (only,) = found.moves
    assert only.what.startswith("`delay` moved by ")
    assert only.what.endswith("; also on origin = JFK and 1 more slice")


def test_what_a_slice_needs_comes_with_the_rows_of_the_others() -> None:
    then, now, few = _numbers([5000] * 4), _numbers([5000] * 4), _numbers([30, 20, 28, 22])
    pairs = [Pair(then, now), Pair(then, few, Within("origin", "JFK"))]
    found = judge(pairs, Limits(threshold=0.02), "d")
    settling = found.compared[1].settling
    assert settling is not None
    assert settling.rows is not None
    told = re.search(r"about (\d+) more rows would settle it", found.findings[0].hint)
    assert told is not None
    assert settling.rows * 200 <= int(told[1]) <= settling.rows * 200 * 1.1


def test_a_reference_that_is_too_small_is_said() -> None:
    then, now = _numbers([6, 4, 5, 5]), _numbers([60000, 40000, 50000, 50000])
    found = judge([Pair(then, now)], Limits(), "d")
    assert found.verdict is Verdict.INCONCLUSIVE
    assert found.findings[0].hint == (
        "the reference has too few rows for it (20 rows): make it from more"
    )


def test_what_settles_some_is_not_said_of_the_others() -> None:
    then, now = _numbers([60000, 40000, 50000, 50000]), _numbers([6, 4, 5, 5])
    few, many = (_numbers(counts, name="b") for counts in ([6, 4, 5, 5], [600, 400, 500, 500]))
    found = judge([Pair(then, now), Pair(few, many)], Limits(), "d")
    hint = found.findings[0].hint
    assert re.fullmatch(
        r"about \d+ more rows would settle 1 of them; for 1 of them, the reference has"
        r" too few rows for it \(20 rows\): make it from more",
        hint,
    )


@pytest.mark.parametrize("measure", MEASURES)
@given(data=st.data())
@settings(max_examples=15, deadline=None)
def test_a_dataset_is_like_itself(measure: str, data: st.DataObject) -> None:
    counts = data.draw(st.lists(st.integers(0, 90), min_size=1, max_size=30).filter(any))
    nulls, infinite = data.draw(st.integers(0, 40)), data.draw(st.integers(0, 3))
    factor = 1 + 100_000 // sum(counts)
    many = [count * factor for count in counts]
    column = replace(_numbers(many, nulls * factor), infinities=infinite, deviation=2.5, mean=1.0)
    text = _texts({f"v{i}": n for i, n in enumerate(many)}, other=nulls * factor)
    found = judge([Pair(column, column), Pair(text, text)], Limits(measure=measure), "d")
    assert found.verdict is Verdict.PASS, found.measures
    assert not found.moves


def test_ordered_bins_are_written_as_one_says_them() -> None:
    day = ColumnProfile(name="day", kind="number", type="BIGINT", edges=(0.9999, 1, 2, 7))
    assert names_of(day) == ["day <= 0", "day = 1", "day = 2", "day in 3 to 7", "day > 7"]
    big = replace(day, type="DOUBLE", edges=(20130101.25, 20130101.5, 20130102.0))
    assert names_of(big)[1] == "day in (20130101.2, 20130101.5]"
    at = ColumnProfile(name="at", kind="time", type="TIMESTAMP", edges=(0.0, 90000.5))
    assert names_of(at)[:2] == [
        "at <= 1970-01-01",
        "at in (1970-01-01, 1970-01-02T01:00:00.500000]",
    ]
