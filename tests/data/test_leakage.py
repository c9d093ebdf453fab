"""Held out means held out: no rows that were trained on, beyond chance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import csv, parquet

from seatrial.data.dataset import Dataset
from seatrial.data.leakage import meeting
from seatrial.data.leakage.meeting import places
from seatrial.data.leakage.shared_rows import (
    ALPHA,
    _chance,
    _Counted,
    _halves,
    shared_rows,
)
from seatrial.data.table import open_table
from seatrial.errors import FormError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from .conftest import Opened

RNG = np.random.default_rng(5)


def _csv(rows: Iterable[Iterable[object]], names: str = "a,b,s") -> str:
    return f"{names}\n" + "".join(",".join(map(str, row)) + "\n" for row in rows)


def _unique(count: int, start: int = 0) -> list[tuple[object, ...]]:
    return [(start + i, f"{RNG.normal():.9f}", "uv"[i % 2]) for i in range(count)]


FEATURES = ("a", "b", "s")


def test_separate_rows_are_fine(opened: Opened) -> None:
    leak = shared_rows(
        opened(_csv(_unique(5000))), opened(_csv(_unique(2500, 9000)), "e.csv"), FEATURES
    )
    assert (leak.refused, leak.shared, leak.p, leak.evaluation_rows) == (False, 0, 1.0, 2500)


def test_ten_leaked_of_2500_are_refused_with_three_rows_of_both_sides(opened: Opened) -> None:
    training = _unique(7500)
    evaluation = [*_unique(2000, 9000), *training[100:110], *_unique(490, 19_000)]
    leak = shared_rows(opened(_csv(training)), opened(_csv(evaluation), "e.csv"), FEATURES)
    assert leak.refused
    assert leak.shared == 10
    assert leak.p < 0.001
    assert "10 of 2500 rows" in leak.reason
    assert leak.examples == ((2001, 101), (2002, 102), (2003, 103))


@pytest.mark.parametrize("cells", [4, 300, 20_000])
def test_common_rows_are_no_leak(opened: Opened, cells: int) -> None:
    share = 1 / np.arange(1, cells + 1)
    drawn = np.random.default_rng(cells).choice(cells, 7500, p=share / share.sum())
    rows = [(cell, cell % 7, "uv"[cell % 2]) for cell in drawn]
    leak = shared_rows(opened(_csv(rows[:5000])), opened(_csv(rows[5000:]), "e.csv"), FEATURES)
    assert not leak.refused
    assert leak.shared > 1000
    assert leak.examples == ()


def test_chance_refuses_one_honest_set_in_a_thousand() -> None:
    """Both from one source, whose rows repeat: 2000 pairs, of which two may be refused."""
    random = np.random.default_rng(7)
    refused = 0
    for _ in range(2000):
        rows = random.geometric(0.02, size=600).astype(np.uint64)
        trained = _Counted.of(rows[:400], _halves(rows[:400]))
        judged = _Counted.of(rows[400:])
        refused += _chance(trained, judged, *places(trained.hashes, judged.hashes)) < ALPHA
    assert refused <= 8


def test_rows_that_are_found_together_count_together() -> None:
    """Three columns of 60 values, the n-th n times as rare: 2000 pairs, as above."""
    random = np.random.default_rng(7)
    share = 1 / np.arange(1, 61)
    refused = 0
    for _ in range(2000):
        columns = random.choice(60, (3, 1250), p=share / share.sum())
        rows = (np.array([3600, 60, 1]) @ columns + 1).astype(np.uint64)
        trained = _Counted.of(rows[:1000], _halves(rows[:1000]))
        judged = _Counted.of(rows[1000:])
        refused += _chance(trained, judged, *places(trained.hashes, judged.hashes)) < ALPHA
    assert refused <= 4


def test_the_same_rows_in_another_order_are_refused(opened: Opened) -> None:
    rows = [(i % 2, i % 2, "u") for i in range(100)]
    leak = shared_rows(opened(_csv(rows)), opened(_csv(sorted(rows)), "e.csv"), FEATURES)
    assert leak.refused
    assert "same rows" in leak.reason
    assert leak.shared == 100


def test_the_same_file_under_another_name_is_refused(opened: Opened) -> None:
    content = _csv(_unique(50))
    leak = shared_rows(opened(content), opened(content, "e.csv"), FEATURES)
    assert (leak.refused, leak.shared, leak.examples) == (True, 50, ((1, 1),))


def test_types_do_not_hide_a_leak(opened: Opened) -> None:
    training = _unique(3000)
    copied = [(f"{a}.0", b, s) for a, b, s in training[:500]]
    evaluation = opened(_csv([*copied, ("0.5", 1, "u")]), "e.csv")
    assert shared_rows(opened(_csv(training)), evaluation, FEATURES).shared == 500


def test_another_format_does_not_hide_a_leak(tmp_path: Path) -> None:
    """Missing values, NaN, -0.0 and floats of 32 bits among them, in row groups of their own."""
    random = np.random.default_rng(3)
    numbers = random.normal(size=3000)
    numbers[:60] = np.nan
    numbers[60:90] = -0.0
    rows = pa.table(
        {
            "a": numbers,
            "b": pa.array([None if i % 9 == 0 else f"v{i % 70}" for i in range(3000)]),
            "i": random.integers(0, 10**6, 3000),
            "flag": random.random(3000) > 0.5,
        }
    )
    narrow = rows.set_column(0, "a", rows["a"].cast(pa.float32()))
    parquet.write_table(narrow, tmp_path / "t.parquet", row_group_size=500)
    csv.write_csv(rows.slice(0, 400), tmp_path / "e.csv")
    training, evaluation = (
        open_table(Dataset(path[0], tmp_path / path)) for path in ("t.parquet", "e.csv")
    )
    leak = shared_rows(training, evaluation, ("a", "b", "i", "flag"))
    assert leak.refused
    assert (leak.shared, leak.examples) == (400, ((1, 1), (2, 2), (3, 3)))


def test_rows_whose_hashes_meet_by_accident_are_not_refused(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a hash of 12 bits every row meets another; none is equal but for the last four."""
    weak = property(lambda side: f"hash({', '.join(side.values)}) % 4096 + 1")
    monkeypatch.setattr(meeting.Side, "hash", weak)
    monkeypatch.setattr(meeting, "CONFIRMED", 100)
    same = _unique(4, 90_000)
    training, honest = [*_unique(900), *same], _unique(3000, 9000)
    leak = shared_rows(opened(_csv(training)), opened(_csv(honest), "e.csv"), FEATURES)
    assert (leak.refused, leak.shared) == (False, 0)
    leak = shared_rows(opened(_csv(training)), opened(_csv([*honest, *same]), "f.csv"), FEATURES)
    assert 4 <= leak.shared < 20


def test_nothing_in_common_is_a_mistake_of_form(opened: Opened) -> None:
    training, evaluation = opened(_csv(_unique(5))), opened("x,y\n1,2\n", "e.csv")
    with pytest.raises(FormError, match="none of the features") as error:
        shared_rows(training, evaluation, FEATURES)
    assert "a, b, s" in error.value.mistakes[0].fix


def test_one_column_of_nothing_but_missing_values(opened: Opened) -> None:
    training = opened("a,b\n" + ",1\n" * 50)
    evaluation = opened("a,b\n" + ",2\n" * 20, "e.csv")
    leak = shared_rows(training, evaluation, ("a",))
    assert (leak.refused, leak.shared) == (False, 20)  # all rows are alike, on both sides


def test_the_answer_is_the_same_every_time(opened: Opened) -> None:
    training, evaluation = _unique(1000), _unique(300, 5000)
    evaluation[:3] = training[:3]
    tables = opened(_csv(training)), opened(_csv(evaluation), "e.csv")
    assert shared_rows(*tables, FEATURES) == shared_rows(*tables, FEATURES)
