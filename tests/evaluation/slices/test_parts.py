"""Which rows are in which slice: by columns, by values, by ranges, together; none is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.data.dataset import Dataset
from seatrial.data.table import open_table
from seatrial.errors import FileError, FormError
from seatrial.evaluation.slices import columns, declared
from seatrial.evaluation.slices.partition import FEWEST, MOST, divided

if TYPE_CHECKING:
    from pathlib import Path

    from seatrial.evaluation.slices.columns import Column

FLIGHTS: dict[str, Any] = {
    "carrier": np.array(["AA", "UA", "", "AA", "9E", "UA"], object),
    "origin": np.array(["JFK", "JFK", "LGA", "LGA", "JFK", "LGA"], object),
    "month": np.array([6, 7, 8, 6, 1, np.nan], np.float32),
    "delay": np.array([0, 14.5, 15, 60, -3, np.inf], np.float32),
}


@pytest.fixture(scope="module")
def flights() -> dict[str, Column]:
    return columns.from_features(FLIGHTS)


@pytest.fixture
def table(tmp_path: Path) -> Any:
    file = tmp_path / "trips.csv"
    lines = ["day,late,seats,note", "2026-01-01,true,4,12", "2026-02-01,false,,", "2026-03-01,,2,a"]
    file.write_text("\n".join([*lines, ""]))
    return open_table(Dataset("trips", file))


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ({"carrier": ["AA"]}, {"carrier = AA": [0, 3]}),
        ({"carrier": [None]}, {"carrier is missing": [2]}),
        ({"month": [6, 7]}, {"month = 6": [0, 3], "month = 7": [1]}),
        ({"month": [(6, 8)]}, {"6 <= month < 8": [0, 1, 3]}),
        ({"month": [None, (None, 7)]}, {"month is missing": [5], "month < 7": [0, 3, 4]}),
        (
            {"delay": [(0, 15), (15, 60), (60, None)]},
            {"0 <= delay < 15": [0, 1], "15 <= delay < 60": [2], "delay >= 60": [3, 5]},
        ),
        (
            {"carrier": ["AA", "UA"], "origin": ["JFK"]},
            {"carrier = AA and origin = JFK": [0], "carrier = UA and origin = JFK": [1]},
        ),
        ({"carrier": ["9E"], "origin": ["LGA"]}, {"carrier = 9E and origin = LGA": []}),
    ],
)
def test_words_mean_rows(
    flights: dict[str, Column], word: Any, expected: dict[str, list[int]]
) -> None:
    found = declared.slices([word], flights)
    assert {each.name: each.rows.tolist() for each in found} == expected
    assert all(each.named for each in found)
    assert [bool(each.why) for each in found] == [not rows for rows in expected.values()]


def test_a_column_alone_is_each_of_its_parts(flights: dict[str, Column]) -> None:
    found = declared.slices(["origin", {"origin": ["JFK"]}], flights)
    # rare values share a part; the same part is not judged twice
    assert [(each.name, len(each.rows), each.named) for each in found] == [
        ("origin = any other (2 of 2 values)", 6, False),
        ("origin = JFK", 3, True),
    ]


@pytest.mark.parametrize(
    ("word", "why"),
    [
        ({"carrier": ["aa"]}, "no row has carrier = aa; nearest: AA"),
        ({"carrier": ["Lufthansa"]}, "it holds 9E, AA, UA"),
        ({"month": [5]}, "no row has month = 5"),
        ({"origin": [None]}, "origin is never missing"),
        ({"carrier": ["9E"], "origin": ["LGA"]}, "no row is all of it at once"),
    ],
)
def test_a_slice_without_rows_says_why(flights: dict[str, Column], word: Any, why: str) -> None:
    (found,) = declared.slices([word], flights)
    assert not len(found.rows)
    assert why in found.why


@pytest.mark.parametrize(
    ("word", "what"),
    [
        ({"month": ["June"]}, "month holds numbers: 'June' is none"),
        ({"carrier": [(0, 15)]}, "carrier has no order, so no range: [0, 15] is none"),
        ({"delay": [("low", "high")]}, "delay holds numbers"),
    ],
)
def test_a_value_that_a_column_cannot_hold_is_refused(
    flights: dict[str, Column], word: Any, what: str
) -> None:
    with pytest.raises(FileError) as refused:
        declared.slices([word], flights, where="pipeline.yaml:9:9")
    assert what in str(refused.value)
    assert "pipeline.yaml:9:9" in str(refused.value)


@pytest.mark.parametrize(
    ("word", "what"),
    [
        ({}, "a slice of no column"),
        ({"month": []}, "no value of month is listed"),
        ({"delay": [(15, 15)]}, "is empty"),
        ({"delay": [(15, 0)]}, "ends before it begins"),
        ({"delay": [(None, None)]}, "has no end"),
        ({"day": [("2026-01-01", 3)]}, "from a word to a number"),
        ({"a": list(range(30)), "b": list(range(30))}, "the lists make 900 slices"),
    ],
)
def test_what_is_misstated_is_told_without_rows(word: Any, what: str) -> None:
    (told,) = declared.misstated([word])
    assert what in told


def test_columns_of_a_dataset_keep_their_kinds(table: Any) -> None:
    read = columns.from_table(table, ["day", "late", "seats", "note"])
    words: list[Any] = [
        {"day": [("2026-01-15", None), "2026-01-01"]},
        {"late": [True]},
        {"note": [12, None]},
        "late",
    ]
    found = {each.name: each.rows.tolist() for each in declared.slices(words, read)}
    assert found == {
        "day >= 2026-01-15": [1, 2],
        "day = 2026-01-01": [0],
        "late = true": [0],
        "note = 12": [0],
        "note is missing": [1],
        "late = any other (2 of 2 values)": [0, 1],
        "late is missing": [2],
    }


def test_a_column_that_is_not_there_is_told_with_the_nearest(table: Any) -> None:
    with pytest.raises(FormError, match="seet") as refused:
        columns.from_table(table, ["seet", "late"])
    assert "nearest: seats" in str(refused.value)


def test_rare_values_are_pooled_and_told() -> None:
    words = np.repeat(np.array([f"w{i:02}" for i in range(50)], object), np.arange(50) + 10)
    parts = divided(columns.from_features({"word": words})["word"])
    # w40 to w49 have 50 rows and more
    assert parts.said[0] == "word = w40"
    assert parts.said[-1] == "word = any other (40 of 50 values)"
    assert min(parts.sizes[:-1]) >= FEWEST


def test_only_the_most_frequent_values_are_parts_of_their_own() -> None:
    words = np.repeat(np.array([f"w{i:02}" for i in range(50)], object), 60)
    parts = divided(columns.from_features({"word": words})["word"])
    assert len(parts.said) == MOST + 1
    assert parts.said[-1] == "word = any other (20 of 50 values)"


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (np.repeat([0.0, 1.0], 60), ("x = 0", "x = 1")),
        (np.full(100, 0.5), ("x = 0.5",)),
        (np.full(100, np.nan), ("x is missing",)),
        (np.append(np.zeros(90), np.full(10, 0.5)), ("x < 0.5", "x >= 0.5")),
        (np.arange(100) / 8, ("x < 3", "3 <= x < 6.125", "6.125 <= x < 9.25", "x >= 9.25")),
        (np.arange(100.0), ("x < 24", "24 <= x < 49", "49 <= x < 74", "x >= 74")),
    ],
)
def test_numbers_are_parted_by_value_or_by_quarters(values: Any, said: tuple[str, ...]) -> None:
    assert divided(columns.from_features({"x": values})["x"]).said == said


@given(
    st.lists(
        st.one_of(st.none(), st.floats(width=32, allow_nan=False), st.integers(-3, 3)), min_size=1
    ),
    st.integers(0, 2**32 - 1),
)
def test_the_parts_of_any_column_add_up_whatever_the_order(
    values: list[float | None], seed: int
) -> None:
    numbers = np.array([np.nan if v is None else v for v in values], np.float32)
    parts = divided(columns.from_features({"x": numbers})["x"], fewest=2)
    assert parts.sizes.sum() == len(numbers)
    assert parts.sizes.min() >= 1
    assert len(set(parts.said)) == len(parts.said)
    order = np.random.default_rng(seed).permutation(len(numbers))
    again = divided(columns.from_features({"x": numbers[order]})["x"], fewest=2)
    assert again.said == parts.said
    assert (again.place == parts.place[order]).all()
