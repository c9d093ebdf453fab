"""Expected columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.data.schema import check_schema

if TYPE_CHECKING:
    from .conftest import Opened


def test_missing_column_names_the_nearest(opened: Opened) -> None:
    (finding,) = check_schema(opened("feature_1,b\n1,2\n"), ["feature_l", "b"], strict=False)
    assert "'feature_l' is missing" in finding.what
    assert finding.hint == "nearest column: feature_1"


def test_missing_column_with_none_near_lists_all(opened: Opened) -> None:
    (finding,) = check_schema(opened("a,b\n1,2\n"), ["carrier"], strict=False)
    assert "a, b" in finding.hint


def test_extra_columns_matter_only_when_strict(opened: Opened) -> None:
    table = opened("a,b\n1,2\n")
    assert check_schema(table, ["a"], strict=False) == ()
    (finding,) = check_schema(table, ["a"], strict=True)
    assert "'b' is not expected" in finding.what
