"""What an entry under ``datasets:`` may say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import jsonschema
import pytest

from seatrial.data.dataset import ADDRESS, Dataset, find, is_pattern, named
from seatrial.pipeline.datasets import ENTRY
from seatrial.pipeline.read import read
from seatrial.pipeline.schema import document

if TYPE_CHECKING:
    from pathlib import Path

FILE = """name: harbour
datasets:
  flights: {{{entry}}}
stages:
  - name: s
    tasks:
      - check_schema: {{dataset: flights}}
"""


def _mistakes(entry: str) -> list[str]:
    return [str(mistake) for mistake in read(FILE.format(entry=entry), "pipeline.yaml").mistakes]


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("pth: x.csv", ["unknown key 'pth'", "nearest: path"]),
        ("path: x.csv, engine: sprak", ["'sprak'", "nearest: spark"]),
        ("path: 5", ["'path' of the dataset 'flights' must be a text"]),
        ("database: 'sqlite:///x.db'", ["neither 'table' nor 'query'"]),
        ("database: x.db, table: t", ["no address: 'x.db'"]),
        ("database: 'mysql://h/d', table: t", ["'mysql'", "use one of: sqlite"]),
        ("database: 'sqlite:///x.db', database_env: W, table: t", ["keep one of the two"]),
        ("database: 'sqlite:///x.db', table: t, query: SELECT 1", ["keep one of the two"]),
        ("path: x.csv, table: t", ["has both 'path' and 'table'"]),
        ("table: t", ["has 'table', but no database"]),
        ("database: 'sqlite:///x.db', table: t, engine: spark", ["which Spark does not read"]),
        ("path: x.csv, master: yarn", ["its engine is not spark", "say `engine: spark`"]),
        ("path: x, engine: spark, master: yarn, remote: 'sc://h'", ["keep one of the two"]),
        ("path: x, engine: spark, remote: 'h:15002'", ["no Spark Connect address"]),
    ],
)
def test_mistakes(entry: str, said: list[str]) -> None:
    (mistake,) = _mistakes(entry)
    assert all(words in mistake for words in (*said, "where: pipeline.yaml:3:")), mistake
    assert len(mistake.splitlines()) <= 6


@pytest.mark.parametrize(
    ("entry", "key"),
    [
        ("database: 'postgresql+psycopg://me:Geh3im@h/d', table: t", "database"),
        ("database: 'postgresql://h/d?user=me&password=Geh3im', table: t", "database"),
        ("database: 'postgresql://me:Geh/3im@h/d', table: t", "database"),
        ("path: 's3://key:Geh3im@bucket/x.csv'", "path"),
        ("database_env: 'postgresql://me:Geh3im@h/d', table: t", "database_env"),
    ],
)
def test_a_password_is_refused_and_never_repeated(entry: str, key: str) -> None:
    (mistake,) = _mistakes(entry)
    assert repr(key) in mistake
    assert "im@" not in mistake
    assert "Geh3im" not in mistake


@pytest.mark.parametrize(
    "entry",
    [
        {"path": "x.csv", "target": "late", "exclude": ["a"]},
        {"path": "https://host:8080/x@y.csv"},
        {"path": "data/year=*/x.parquet"},
        {"database": "sqlite:///x.db", "table": "flights"},
        {"database": "postgresql+psycopg://me@h:5432/d", "query": "SELECT 'a:b@c'"},
        {"database_env": "WAREHOUSE", "table": "public.flights"},
        {"engine": "spark", "table": "lake.flights", "remote": "sc://h:15002"},
        {"engine": "spark", "path": "hdfs://h/x", "master": "yarn"},
    ],
)
def test_what_may_be_said(entry: dict[str, object]) -> None:
    text = FILE.format(entry=", ".join(f"{k}: {v!r}" for k, v in entry.items()))
    assert dict(read(text, "pipeline.yaml").datasets["flights"]) == entry
    schema = document({"anything": {"type": "object"}})
    jsonschema.validate(entry, {**schema["$defs"]["dataset"], "$defs": schema["$defs"]})


def test_the_schema_knows_every_key() -> None:
    schema = document({"anything": {"type": "object"}})
    assert set(schema["$defs"]["dataset"]["properties"]) == set(ENTRY)


def test_places(tmp_path: Path) -> None:
    def place(**entry: str) -> str:
        return find("d", tmp_path, {"d": entry}).place

    assert place(path="x.csv") == str(tmp_path / "x.csv")
    assert place(path="s3://bucket/x.csv") == "s3://bucket/x.csv"
    assert place(path=f"file://{tmp_path}/x.csv") == f"{tmp_path}/x.csv"
    assert place(database="sqlite:///x.db", table="t") == f"sqlite:///{tmp_path}/x.db, table t"
    assert place(database="sqlite:////x.db", query="SELECT 1") == "sqlite:////x.db, query"
    assert place(database_env="WAREHOUSE", table="t") == "$WAREHOUSE, table t"
    assert place(engine="spark", table="lake.t") == "spark, table lake.t"
    masked = Dataset("d", database="postgresql://me:a@b@h/d", table="t").place
    assert masked == "postgresql://me@h/d, table t"
    assert named("s3://b/flights.csv.gz").name == "flights"
    assert ADDRESS.match("c:/x.csv") is None
    (tmp_path / "d[1].csv").touch()
    assert not is_pattern(tmp_path / "d[1].csv")
    assert is_pattern(tmp_path / "d[2].csv")
