"""Profiles are made, kept and read back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest

from seatrial.data import profile as profiles
from seatrial.errors import FormError

if TYPE_CHECKING:
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


def test_round_trip(opened: Opened, tmp_path: Path) -> None:
    made = profiles.make(opened(_text()))
    profiles.write(made, tmp_path / "deep" / "p.json")
    assert profiles.read(tmp_path / "deep" / "p.json") == made
    assert [f.name for f in (tmp_path / "deep").iterdir()] == ["p.json"]
    document = json.loads((tmp_path / "deep" / "p.json").read_text())
    assert (document["format"], document["version"], document["rows"]) == (
        "seatrial.profile",
        1,
        1000,
    )


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
    assert (x.minimum, x.maximum) == (values.min(), values.max())
    assert x.mean == pytest.approx(values.mean())
    assert x.deviation == pytest.approx(values.std())
    assert by_name["few"].counts == (0, 334, 333, 333, 0)
    assert (by_name["s"].values, by_name["s"].counts) == (("a", "b", "c"), (334, 333, 333))
    assert dict(zip(by_name["b"].values, by_name["b"].counts, strict=True)) == {
        "true": 500,
        "false": 500,
    }
    assert (by_name["gaps"].missing, sum(by_name["gaps"].counts)) == (900, 100)
    assert (len(by_name["id"].values), by_name["id"].other) == (50, 950)
    assert by_name["t"].counts == ()


@pytest.mark.parametrize("values", ["1\nnan\ninf\n-inf\n\n2\n", "nan\nnan\n", "inf\n1\n", "5\n5\n"])
def test_awkward_numbers(opened: Opened, tmp_path: Path, values: str) -> None:
    made = profiles.make(opened("n,m\n" + values.replace("\n", ",1\n")))
    column = made.columns[0]
    assert sum(column.counts) + column.missing == made.rows
    profiles.write(made, tmp_path / "p.json")
    assert profiles.read(tmp_path / "p.json") == made


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
        ("{", "damaged"),
        ("\xff", "damaged"),
        ("[]", "not a profile"),
        ('{"columns": []}', "not a profile"),
        ('{"format": "seatrial.profile", "version": 2}', "version 2; this program reads 1"),
        ('{"format": "seatrial.profile", "version": 1}', "damaged"),
        (
            (
                '{"format": "seatrial.profile", "version": 1, "dataset": "d", "fingerprint": "f", '
                '"rows": 1, "columns": [{"name": "a", "kind": "number", "edges": [2, 1]}]}'
            ),
            "do not fit",
        ),
    ],
)
def test_not_a_profile(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "p.json"
    path.write_text(content, encoding="latin-1")
    with pytest.raises(FormError, match=said) as caught:
        profiles.read(path)
    assert "seatrial profile" in str(caught.value)
    assert len(str(caught.value).splitlines()) <= 6


def test_a_failed_write_leaves_nothing(opened: Opened, tmp_path: Path) -> None:
    made = profiles.make(opened("a\n1\n"))
    (tmp_path / "p.json").mkdir()
    with pytest.raises(FormError, match="cannot be written"):
        profiles.write(made, tmp_path / "p.json")
    assert sorted(f.name for f in tmp_path.iterdir()) == ["d.csv", "p.json"]
