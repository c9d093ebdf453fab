"""The target, its problem, and the features."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from seatrial.data.roles import features, labels, roles
from seatrial.errors import FormError

if TYPE_CHECKING:
    from .conftest import Opened


def _table(*values: object, name: str = "target") -> str:
    return f"x,{name}\n" + "".join(f"{i},{value}\n" for i, value in enumerate(values))


@pytest.mark.parametrize(
    ("values", "problem", "classes"),
    [
        ((0, 1, 0), "classes", (0, 1)),
        ((3, -1, 3), "classes", (-1, 3)),
        (("yes please", "no thanks"), "classes", ("no thanks", "yes please")),
        (("true", "false"), "classes", (0, 1)),
        (tuple(range(20)), "classes", tuple(range(20))),
        (tuple(range(21)), "numbers", ()),
        ((0.5, 1.0), "numbers", ()),
    ],
)
def test_problem(
    opened: Opened, values: tuple[object, ...], problem: str, classes: tuple[object, ...]
) -> None:
    table = opened(_table(*values))
    found = roles(table)
    assert (found.problem, found.classes) == (problem, classes)
    seen = labels(table, found)
    assert len(seen) == len(values)
    if classes:
        assert set(seen.tolist()) == set(classes)
        assert seen.dtype == (object if isinstance(classes[0], str) else np.int64)
    else:
        assert seen.dtype == np.float64


@pytest.mark.parametrize("names", [("target", "label"), ("label", "x2")])
def test_usual_target(opened: Opened, names: tuple[str, str]) -> None:
    assert roles(opened(f"x,{names[0]},{names[1]}\n1,0,1\n2,1,0\n")).target == names[0]


def test_declared_roles_are_no_features(opened: Opened) -> None:
    text = 'id,"a b",t,late,skip\n1,x,2024-01-01,0,1\n2,,2024-01-02,1,2\n'
    found = roles(opened(text, target="late", key="id", time="t", exclude=("skip",)))
    assert [c.name for c in found.features] == ["a b"]
    assert (found.target, found.key, found.time) == ("late", "id", "t")


def test_problem_and_metric_override(opened: Opened) -> None:
    table = opened(_table(1, 2, 3))
    assert roles(table, problem="numbers").problem == "numbers"
    assert roles(table, metric_problem="numbers").problem == "numbers"
    whole = opened(_table("1.0", "2.0"))
    assert roles(whole, problem="classes").classes == (1, 2)


@pytest.mark.parametrize(
    ("text", "words", "said"),
    [
        (_table(0, 1, name="lat"), {}, ["no target column", "x, lat"]),
        (_table(0, 1, name="targets"), {}, ["nearest: targets"]),
        (_table(0, "", 1, ""), {}, ["no value in 2 of 4 rows, first in row 2"]),
        (_table(1.5, "nan", 2), {}, ["no value in 1 of 3 row"]),
        (_table("a", ""), {}, ["no value in 1 of 2 rows, first in row 2"]),
        (_table(1, 1), {}, ["all one class"]),
        (_table("a b", "c d"), {"metric_problem": "numbers"}, ["holds text", "metric only fits"]),
        (_table("a b", "c d"), {"problem": "numbers"}, ["holds text", "`problem:` says"]),
        (_table(1.5, 2.5), {"metric_problem": "classes"}, ["holds fractions"]),
        (_table(0, 1), {"problem": "classes", "metric_problem": "numbers"}, ["only fits numbers"]),
        ("t,target\n2024-01-01,0\n2024-01-02,1\n", {}, ["'t' is a time", "exclude"]),
        ("target\n0\n1\n", {}, ["no column is left"]),
    ],
)
def test_mistakes(opened: Opened, text: str, words: dict[str, str], said: list[str]) -> None:
    with pytest.raises(FormError) as caught:
        roles(opened(text), **words)  # type: ignore[arg-type]
    for part in said:
        assert part in str(caught.value)
    assert all(len(str(mistake).splitlines()) <= 6 for mistake in caught.value.mistakes)


def test_declared_target_missing_names_the_nearest(opened: Opened) -> None:
    with pytest.raises(FormError, match="nearest: late"):
        roles(opened(_table(0, 1, name="late"), target="latte"))


def test_mistakes_are_told_together(opened: Opened) -> None:
    table = opened("t,u,target\n2024-01-01,1,1\n2024-01-02,2,1\n", key="idd", exclude=("uu",))
    with pytest.raises(FormError) as caught:
        roles(table)
    assert len(caught.value.mistakes) == 4


def test_nested_features_are_refused(opened: Opened) -> None:
    with pytest.raises(FormError, match="'n' is nested"):
        roles(opened('[{"n": [1], "target": 0}, {"n": [2], "target": 1}]', "d.json"))


def test_without_a_target(opened: Opened) -> None:
    found = roles(opened("x\n1\n"), need_target=False)
    assert (found.target, found.classes) == ("", ())
    assert [c.name for c in found.features] == ["x"]


def test_features_as_a_model_sees_them(opened: Opened) -> None:
    table = opened("n,s,b,target\n1e300,,true,0\n,u v,,1\n")
    found = features(table, roles(table))
    assert list(found) == ["n", "s", "b"]
    assert found["n"].dtype == found["b"].dtype == np.float32
    np.testing.assert_array_equal(found["n"], np.array([np.inf, np.nan], np.float32))
    np.testing.assert_array_equal(found["b"], np.array([1, np.nan], np.float32))
    assert found["s"].tolist() == ["", "u v"]


def test_kinds_are_those_of_training(opened: Opened) -> None:
    trained = roles(opened("n,s,target\n1,u,0\n2,v,1\n"))
    later = opened("n,s,target\n,7,0\n,8,1\n", "later.csv")
    found = features(later, trained.features)
    assert np.isnan(found["n"]).all()
    assert found["s"].tolist() == ["7", "8"]
    with pytest.raises(FormError, match="where a number is expected"):
        features(opened("n,s\nx,u\n", "bad.csv"), trained.features)
