"""Profiles are made, kept and read back; what cannot be one is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import jsonschema
import numpy as np
import pytest

from seatrial.data.profiles import form as profile_form
from seatrial.data.profiles import profile as profiles
from seatrial.data.shape import Within
from seatrial.errors import FormError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .conftest import Opened


def _text(rows: int = 1000) -> str:
    rng = np.random.default_rng(1)
    lines = [
        f"{rng.normal():.6f},{i % 3},{'abc'[i % 3]},{i % 2 == 0},"
        f"{'' if i % 10 else i},v{i},2024-01-01"
        for i in range(rows)
    ]
    return "x,few,s,b,gaps,id,t\n" + "\n".join(lines) + "\n"


def _complaints(path: Path) -> list[str]:
    schema = profile_form.schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    return [error.message for error in validator.iter_errors(json.loads(path.read_text()))]


def test_round_trip(opened: Opened, tmp_path: Path) -> None:
    made = profiles.make(opened(_text()), by=["s", "few"])
    profiles.write(made, tmp_path / "deep" / "p.json")
    assert profiles.read(tmp_path / "deep" / "p.json") == made
    assert [f.name for f in (tmp_path / "deep").iterdir()] == ["p.json"]
    assert not _complaints(tmp_path / "deep" / "p.json")
    document = json.loads((tmp_path / "deep" / "p.json").read_text())
    assert (document["format"], document["version"], document["rows"]) == (
        "seatrial.profile",
        2,
        1000,
    )


def test_the_same_rows_give_the_same_bytes(opened: Opened) -> None:
    first = profiles.encode(profiles.make(opened(_text()), by=["s"]))
    assert profiles.encode(profiles.make(opened(_text()), by=["s"])) == first


def test_counts(opened: Opened) -> None:
    table = opened(_text())
    made = profiles.make(table)
    by_name = {column.name: column for column in made.columns}
    assert list(by_name) == [column.name for column in table.columns]
    x = by_name["x"]
    values = table.numbers("x")
    assert len(x.edges) == 19
    assert list(x.edges) == sorted(set(x.edges))
    assert x.counts == tuple(
        int(((values > a) & (values <= b)).sum())
        for a, b in zip((-np.inf, *x.edges), (*x.edges, np.inf), strict=True)
    )
    assert min(x.counts) > 40
    assert (x.n, x.minimum, x.maximum) == (1000, values.min(), values.max())
    assert x.mean == pytest.approx(values.mean())
    assert x.deviation == pytest.approx(values.std())
    assert by_name["few"].counts == (0, 334, 333, 333, 0)
    assert (by_name["s"].values, by_name["s"].counts) == (("a", "b", "c"), (334, 333, 333))
    assert (by_name["b"].values, by_name["b"].counts) == (("false", "true"), (500, 500))
    assert (by_name["gaps"].missing, sum(by_name["gaps"].counts)) == (900, 100)
    assert (len(by_name["id"].values), by_name["id"].other) == (50, 950)
    assert (by_name["t"].type, by_name["t"].counts) == ("DATE", (0, 1000, 0))


def test_what_is_special_is_said(opened: Opened) -> None:
    header = "year,one,yes,day,empty,gap,two,mixed\n"
    made = profiles.make(opened(header + "2013,a b,true,2024-01-01,,7,1,x\n" * 3 + "2013,a b,true,"
                                "2024-01-01,,,2,y\n"))  # fmt: skip
    assert {column.name: column.note for column in made.columns if column.note} == {
        "year": "always 2013",
        "one": "always 'a b'",
        "yes": "always 'true'",
        "day": "always the same time",
        "empty": "no values",
        "gap": "always 7",
    }
    nested = profiles.make(opened('[{"a": [1, 2]}, {"a": null}]', "d.json"))
    assert "only missing values are counted" in nested.columns[0].note


@pytest.mark.parametrize("values", ["1\nnan\ninf\n-inf\n\n2\n", "nan\nnan\n", "inf\n1\n", "5\n5\n"])
def test_awkward_numbers(opened: Opened, tmp_path: Path, values: str) -> None:
    made = profiles.make(opened("n,m\n" + values.replace("\n", ",1\n")))
    column = made.columns[0]
    assert sum(column.counts) + column.missing == made.rows
    profiles.write(made, tmp_path / "p.json")
    assert profiles.read(tmp_path / "p.json") == made
    assert not _complaints(tmp_path / "p.json")


# slices


def test_slices_are_counted_on_the_shapes_of_the_whole(opened: Opened) -> None:
    table = opened(_text())
    made = profiles.make(table, by=["s", "few"])
    assert [(part.column, part.value, part.rows) for part in made.slices] == [
        ("s", "a", 334), ("s", "b", 333), ("s", "c", 333),
        ("few", "0", 334), ("few", "1", 333), ("few", "2", 333),
    ]  # fmt: skip
    assert made.sliced_by == ("s", "few")
    shapes = [column.shape for column in made.columns]
    part = made.slice("few", "1")
    assert part is not None
    assert [column.shape for column in part.columns] == shapes
    counted = table.tally(shapes, Within("few", "1"))
    assert [replace(column, note="") for column in part.columns] == [*counted]
    assert made.slice("few", "3") is None
    whole = made.columns[0].counts
    thirds = [part.columns[0].counts for part in made.slices if part.column == "s"]
    assert tuple(np.sum(thirds, axis=0)) == whole


def test_only_the_most_frequent_values_have_a_slice(opened: Opened) -> None:
    lines = "".join(f"v{i},1\n" * (1 + (i == 7)) for i in range(30)) + ",1\n"
    made = profiles.make(opened("s,n\n" + lines), by=["s"])
    assert len(made.slices) == profiles.SLICES
    assert (made.slices[0].value, made.slices[0].rows) == ("v7", 2)


def test_no_slices_by_what_is_not_there(opened: Opened) -> None:
    with pytest.raises(FormError, match="no column 'cdd' to be sliced by") as caught:
        profiles.make(opened("abc,cd\n1,2\n"), by=["cdd", "ab"])
    assert [mistake.nearest for mistake in caught.value.mistakes] == ["cd", "abc"]
    with pytest.raises(FormError, match="nested"):
        profiles.make(opened('[{"a": [1, 2]}]', "d.json"), by=["a"])


# reading


def test_missing_profile_gives_the_command(tmp_path: Path) -> None:
    path = tmp_path / "baseline.json"
    with pytest.raises(FormError, match=f"`seatrial profile data/train.csv -o {path}`"):
        profiles.read(path, data="data/train.csv")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "training_data.parquet").touch()
    with pytest.raises(FormError, match=r"seatrial profile .*training_data.parquet -o"):
        profiles.read(path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "damaged"),
        ("{", "damaged"),
        ("\xff", "not a profile"),
        ("[" * 100_000, "not a profile"),
        ('{"format": "seatrial.profile", "rows": NaN}', "damaged"),
        ("[]", "not a profile"),
        ('{"columns": []}', "not a profile"),
        ('{"format": "seatrial.profile", "version": 1}', "version 1; this program reads 2"),
        ('{"format": "seatrial.profile", "version": 3}', "version 3; this program reads 2"),
        ('{"format": "seatrial.profile", "version": 2}', "'dataset' is missing"),
    ],
)
def test_not_a_profile(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "p.json"
    path.write_text(content, encoding="latin-1")
    with pytest.raises(FormError, match=said) as caught:
        profiles.read(path, "data/train.csv")
    # What would destroy another kind of file is not proposed.
    again = f"`seatrial profile data/train.csv -o {path}`" in str(caught.value)
    assert again == (said != "not a profile")
    assert len(str(caught.value).splitlines()) <= 6


def _of(document: Any, name: str) -> Any:
    return next(column for column in document["columns"] if column["name"] == name)


def _set(name: str, key: str, value: object) -> Callable[[Any], None]:
    return lambda document: _of(document, name).update({key: value})


def _put(name: str, key: str, place: int, value: object) -> Callable[[Any], None]:
    return lambda document: _of(document, name)[key].__setitem__(place, value)


NONSENSE: dict[str, tuple[Callable[[Any], None], str]] = {
    "negative": (_put("x", "counts", 0, -1), r"column 'x': counts\[0\] is -1"),
    "too many": (_put("x", "counts", 0, 999), "column 'x': it counts"),
    "fraction": (_put("x", "counts", 0, 1.5), r"column 'x': Expected `int`, got `float`"),
    "text for a count": (_set("s", "nulls", "many"), "column 's': Expected `int`, got `str`"),
    "no list": (_set("s", "counts", None), "column 's': Expected `array`, got `null`"),
    "edges fall": (_put("x", "edges", 0, 99), "column 'x': its edges do not ascend"),
    "edge lost": (lambda d: _of(d, "x")["edges"].pop(), "'x': 20 counts do not fit 18 edges"),
    "value lost": (lambda d: _of(d, "s")["values"].pop(), "'s': 3 counts do not fit 2 values"),
    "value twice": (_put("s", "values", 0, "b"), "column 's': the value 'b' is there twice"),
    "odd boolean": (_put("b", "values", 0, "no"), "column 'b': a boolean is one of false, true"),
    "mean outside": (_set("x", "mean", 77), "column 'x': its mean 77.0 is not from"),
    "deviation": (_set("x", "deviation", -1), "column 'x': its deviation is -1"),
    "no minimum": (_set("x", "minimum", None), "column 'x': minimum or maximum is missing"),
    "no mean": (_set("x", "mean", None), "column 'x': mean and deviation do not fit 1000"),
    "nothing is finite": (_set("x", "n", 0), "column 'x': mean and deviation do not fit 0"),
    "more finite": (_set("x", "n", 1001), "column 'x': more numbers are finite"),
    "infinite text": (_set("s", "infinities", 1), "column 's'"),
    "text with edges": (_set("s", "edges", [1]), "column 's': a string column has no edges"),
    "text with ends": (_set("s", "minimum", 1), "column 's': minimum or maximum is missing"),
    "number with values": (_set("x", "values", ["a"]), "column 'x': a number column has no values"),
    "number with others": (_set("x", "other", 1), "column 'x'"),
    "other kind": (_set("s", "kind", "number"), "column 's'"),
    "unknown kind": (_set("s", "kind", "text"), "column 's': Invalid enum value 'text'"),
    "name": (_set("s", "name", 7), "no name"),
    "unknown key": (
        lambda d: _of(d, "s").update(count=_of(d, "s").pop("counts")),
        "column 's': unknown key 'count', nearest: counts",
    ),
    "column twice": (lambda d: d["columns"].append(d["columns"][0]), "column 'x' is there 2 times"),
    "column no object": (lambda d: d["columns"].append(3), "Expected `object`, got `int`"),
    "no rows": (lambda d: d.update(rows=0), "it says that it is of 0 rows"),
    "rows": (lambda d: d.update(rows=999), "column 'x': it counts 1000 rows, not 999"),
    "endless": (lambda d: d.update(rows=10**30), "it says that it is of 1000000000"),
    "slice twice": (lambda d: d["slices"].append(d["slices"][0]), "slice s = a is there 2 times"),
    "slice too large": (lambda d: d["slices"][0].update(rows=5000), "of 5000 of 1000 rows"),
    "slice counts": (
        lambda d: d["slices"][0]["columns"][1].update(nulls=5),
        "the slice s = a: column 'few': it counts 339 rows, not 334",
    ),
    "slice apart": (
        lambda d: d["slices"][0]["columns"][0]["edges"].__setitem__(0, -9),
        "the slice s = a: its columns, edges or values are not those of the whole",
    ),
    "slice of nothing": (lambda d: d["slices"][0].pop("value"), "'value' is missing"),
}  # fmt: skip


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> str:
    from seatrial.data.dataset import Dataset  # noqa: PLC0415
    from seatrial.data.opening import open_rows  # noqa: PLC0415

    file = tmp_path_factory.mktemp("good") / "d.csv"
    file.write_text(_text())
    return profiles.encode(profiles.make(open_rows(Dataset("d", file)), by=["s"])).decode()


@pytest.mark.parametrize("name", NONSENSE)
def test_edited_into_nonsense(tmp_path: Path, good: str, name: str) -> None:
    edit, said = NONSENSE[name]
    document = json.loads(good)
    edit(document)
    path = tmp_path / "p.json"
    path.write_text(json.dumps(document))
    with pytest.raises(FormError, match=said) as caught:
        profiles.read(path)
    assert len(str(caught.value).splitlines()) <= 6
    assert "fix: make it: `seatrial profile" in str(caught.value)


def test_several_faults_are_counted(tmp_path: Path, good: str) -> None:
    document = json.loads(good)
    for column in document["columns"]:
        column["nulls"] += 1
    path = tmp_path / "p.json"
    path.write_text(json.dumps(document))
    with pytest.raises(FormError, match="column 'x': it counts 1001 rows, not 1000") as caught:
        profiles.read(path)
    assert "… and 6 more" in str(caught.value)


def test_a_name_of_many_lines_fills_no_screen(tmp_path: Path, good: str) -> None:
    document = json.loads(good)
    document["columns"][0] |= {"name": "x\n" * 5000, "nulls": -1}
    path = tmp_path / "p.json"
    path.write_text(json.dumps(document))
    with pytest.raises(FormError) as caught:
        profiles.read(path)
    assert len(str(caught.value).splitlines()) <= 6
    assert len(str(caught.value)) < 1000


def test_a_failed_write_leaves_nothing(opened: Opened, tmp_path: Path) -> None:
    made = profiles.make(opened("a\n1\n"))
    (tmp_path / "p.json").mkdir()
    with pytest.raises(FormError, match="cannot be written"):
        profiles.write(made, tmp_path / "p.json")
    assert sorted(f.name for f in tmp_path.iterdir()) == ["d.csv", "p.json"]
