"""Held out means held out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from seatrial.data.leakage import shared_rows

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .conftest import Opened

RNG = np.random.default_rng(5)


def _csv(rows: Iterable[Iterable[object]], names: str = "a,b,s") -> str:
    return f"{names}\n" + "".join(",".join(map(str, row)) + "\n" for row in rows)


def _unique(count: int, start: int = 0) -> list[tuple[object, ...]]:
    return [(start + i, f"{RNG.normal():.9f}", "uv"[i % 2]) for i in range(count)]


FEATURES = ("a", "b", "s")


def test_separate_rows_are_fine(opened: Opened) -> None:
    leak = shared_rows(
        opened(_csv(_unique(5000))), opened(_csv(_unique(2500, 9000)), "e.csv"), FEATURES, None
    )
    assert (leak.refused, leak.shared, leak.p, leak.evaluation_rows) == (False, 0, 1.0, 2500)


def test_ten_leaked_of_2500_are_refused(opened: Opened) -> None:
    training = _unique(7500)
    evaluation = [*training[:10], *_unique(2490, 9000)]
    leak = shared_rows(opened(_csv(training)), opened(_csv(evaluation), "e.csv"), FEATURES, None)
    assert leak.refused
    assert leak.shared == 10
    assert leak.p < 0.001
    assert "10 of 2500 rows" in leak.reason


@pytest.mark.parametrize("cells", [4, 300, 20_000])
def test_common_rows_are_no_leak(opened: Opened, cells: int) -> None:
    share = 1 / np.arange(1, cells + 1)
    drawn = np.random.default_rng(cells).choice(cells, 7500, p=share / share.sum())
    rows = [(cell, cell % 7, "uv"[cell % 2]) for cell in drawn]
    leak = shared_rows(
        opened(_csv(rows[:5000])), opened(_csv(rows[5000:]), "e.csv"), FEATURES, None
    )
    assert not leak.refused
    assert leak.shared > 1000


def test_the_same_rows_in_another_order_are_refused(opened: Opened) -> None:
    rows = [(i % 2, i % 2, "u") for i in range(100)]
    leak = shared_rows(opened(_csv(rows)), opened(_csv(sorted(rows)), "e.csv"), FEATURES, None)
    assert leak.refused
    assert "same rows" in leak.reason


def test_a_shared_key_is_refused(opened: Opened) -> None:
    training = opened(_csv([(1, 0.1), (2, 0.2)], "id,x"))
    leak = shared_rows(training, opened(_csv([(2, 0.7), (3, 0.3)], "id,x"), "e.csv"), ("x",), "id")
    assert (leak.refused, leak.shared_keys) == (True, 1)
    assert "'id'" in leak.reason


def test_types_do_not_hide_a_leak(opened: Opened) -> None:
    training = _unique(3000)
    copied = [(f"{a}.0", b, s) for a, b, s in training[:500]]
    evaluation = opened(_csv([*copied, ("0.5", 1, "u")]), "e.csv")
    assert shared_rows(opened(_csv(training)), evaluation, FEATURES, None).shared == 500


def test_the_answer_is_the_same_every_time(opened: Opened) -> None:
    training, evaluation = _unique(1000), _unique(300, 5000)
    evaluation[:3] = training[:3]
    tables = opened(_csv(training)), opened(_csv(evaluation), "e.csv")
    assert shared_rows(*tables, FEATURES, None) == shared_rows(*tables, FEATURES, None)
