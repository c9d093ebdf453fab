"""Spark counts what duckdb counts, to the last one; and says plainly what is in its way."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import math
import os
import socket
import subprocess
import sys
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import seatrial
from seatrial.data.dataset import Dataset
from seatrial.data.opening import local, open_rows
from seatrial.data.profiles import profile as profiles
from seatrial.data.schema.rules import Rule
from seatrial.data.shape import Shape, Within
from seatrial.errors import FormError, PassingError
from spark import HAS_CONNECT, HAS_JAVA, MASTER, spark

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from seatrial.data import Rows
    from seatrial.data.schema.rules import Violation
    from seatrial.data.shape import ColumnProfile

STRUCT = pa.struct({"a": pa.int64(), "B c": pa.string()})
pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("spark"),  # one JVM for all of them
    pytest.mark.skipif(not HAS_JAVA, reason="Spark needs Java, and there is none"),
]
CSV = b"""n,x,code,day,at,yes,mixed,quoted,none
1,1.5,007,2024-01-31,2024-01-31 10:00:00,true,1,"a, ""b""
c",
-2,,010,1969-12-31,2024-01-31T10:00:00.25Z,F,x,"",
9007199254740993,NaN,,1600-02-29,2024-1-1,yes,,it's \\ \xc3\xa9,
 3 ,-inf,5,,,,2.5, ,
"""


@pytest.fixture(scope="module")
def address() -> str:
    """The Spark of this module; the address of its Connect server."""
    return spark()


@pytest.fixture
def both(address: str, tmp_path: Path) -> Any:
    """A file, opened by duckdb and by Spark."""
    del address

    def opened(name: str = "d.parquet") -> tuple[Rows, Rows]:
        path = tmp_path / name
        here = open_rows(Dataset("d", path))
        return here, open_rows(Dataset("d", path, engine="spark", master=MASTER))

    return opened


def nasty(seed: int, n: int = 600) -> pa.Table:
    """Every kind of column, with what goes wrong first where engines differ."""
    random = np.random.default_rng(seed)

    def some(values: Sequence[object], kind: pa.DataType) -> pa.Array:
        return pa.array([values[i] for i in random.integers(0, len(values), n)], kind)

    wide = [Decimal(int(i) * 10**14 + int(j)).scaleb(-5) for i, j in random.integers(-9, 9, (n, 2))]
    texts = [
        None,
        "",
        "a",
        "A",
        "á",
        "it's",
        "back\\slash",
        "a\nb",
        "z" * 90,
        "\U0001f6a2",
        "%s {x}",
    ]
    return pa.table(
        {
            "whole": some([None, -3, 0, 1, 2**31 - 1], pa.int32()),
            "large": some([2**53, 2**53 + 1, 2**53 + 2, -(2**63), 2**63 - 1], pa.int64()),
            "float": some(
                [None, math.nan, math.inf, -math.inf, 0.0, -0.0, 0.1, 5e-324, 1e308, -1e151, 2.5],
                pa.float64(),
            ),
            "narrow": pa.array(random.normal(size=n).astype(np.float32)),
            "normal": pa.array(np.round(random.normal(size=n), 2)),
            "decimal": some([None, Decimal("-0.100"), Decimal("1.105"), Decimal("99.999")],
                            pa.decimal128(12, 3)),
            "wide": pa.array(wide, pa.decimal128(25, 5)),
            "boolean": some([True, False, None], pa.bool_()),
            "text": some(texts, pa.string()),
            "many": pa.array([f"v{i:03}" for i in random.integers(0, 130, n)]),
            "day": some(
                [None, dt.date(1600, 2, 29), dt.date(1970, 1, 1),
                 dt.date(2024, 3, 10)], pa.date32()),
            "moment": pa.array(random.integers(-(10**15), 10**15, n), pa.timestamp("us")),
            "zoned": pa.array(random.integers(-(10**15), 10**15, n), pa.timestamp("us", "UTC")),
            "clock": some([None, dt.time(0), dt.time(23, 59, 59, 999_999)], pa.time64("us")),
            "list": some([None, [1, 2], []], pa.list_(pa.int64())),
            "struct": some([None, {"a": 1, "B c": "x"}], STRUCT),
            "map": some([None, [("k", 1)]], pa.map_(pa.string(), pa.int64())),
            "bytes": some([None, b"\x00\xff"], pa.binary()),
            "constant": pa.array([7] * n),
            "no value": pa.array([None] * n, pa.float64()),
            'odd `name`."x"': pa.array(random.integers(0, 40, n)),
        }
    )  # fmt: skip


def counts(profile: ColumnProfile) -> dict[str, object]:
    """All that must be equal to the last count; moments are rounded."""
    told = dataclasses.asdict(profile)
    return {key: told[key] for key in told if key not in {"mean", "deviation"}}


def same_tally(one: Rows, other: Rows, shapes: Sequence[Shape], within: Within | None) -> int:
    """Both engines count the same; how many rows there were."""
    found = one.tally(shapes, within), other.tally(shapes, within)
    for here, there in zip(*found, strict=True):
        assert counts(here) == counts(there), within
        if here.mean is None or here.deviation is None:
            assert there.mean is None
            assert there.deviation is None
            continue
        size = max(abs(edge) for edge in (*here.edges, 0.0) if abs(edge) < 1e150)
        assert there.mean == pytest.approx(here.mean, rel=1e-9, abs=1e-12 * size)
        assert there.deviation == pytest.approx(here.deviation, rel=1e-6, abs=1e-9 * size)
    return found[0][0].present + found[0][0].missing


def told(violations: Sequence[Violation]) -> dict[Rule, int]:
    return {violation.rule: violation.rows for violation in violations}


def rules_for(rows: Rows) -> list[Rule]:
    """Every kind of rule on every column that it can be asked of."""
    rules = [Rule(kind="not_null", columns=(column.name,)) for column in rows.columns]
    for column in rows.columns:
        if column.kind in {"number", "time"}:
            name = (column.name,)
            rules += [
                Rule(kind="range", columns=name, low=0.0, high=2.0),
                Rule(kind="range", columns=name),
                Rule(kind="allowed", columns=name, numbers=(0.0, 0.1, 1.105, float(2**53))),
            ]
    unique = [("whole",), ("float",), ("large", "boolean"), ("map",), ("many", "text", "day")]
    return [
        *rules,
        Rule(kind="range", columns=("whole",), high=1.0),
        Rule(kind="range", columns=("float",), low=-1.0),
        Rule(kind="allowed", columns=("text",), values=("it's", "back\\slash", "\U0001f6a2")),
        Rule(kind="allowed", columns=("boolean",), values=("true",)),
        Rule(kind="allowed", columns=("many",)),
        *(Rule(kind="unique", columns=names) for names in unique),
    ]


@pytest.fixture
def odd_session(address: str) -> Iterator[None]:
    """Settings that a user's own session may have; counts must not depend on them."""
    from pyspark.sql import SparkSession  # noqa: PLC0415 - not installed everywhere

    del address
    odd = {"spark.sql.session.timeZone": "America/New_York", "spark.sql.ansi.enabled": "false"}
    conf = SparkSession.active().conf
    before = {name: conf.get(name) for name in odd}
    for name, value in odd.items():
        conf.set(name, value)
    yield
    for name, kept in before.items():
        conf.set(name, str(kept))


@pytest.mark.usefixtures("odd_session")
@pytest.mark.parametrize("seed", [1])
def test_counts_are_those_of_duckdb(both: Any, tmp_path: Path, seed: int) -> None:
    pq.write_table(nasty(seed), tmp_path / "d.parquet", row_group_size=200)
    here, there = both()
    assert there.columns == here.columns
    assert there.rows == here.rows
    shapes = here.outline(here.columns)
    assert there.outline(there.columns) == shapes
    assert same_tally(here, there, shapes, None) == 600
    few = [shape for shape in shapes if shape.column.name in {"whole", "float", "text", "moment"}]
    slices = [
        ("float", "nan"),
        ("float", "-0.0"),
        ("text", "it's"),
        ("day", "1600-02-29"),
        ("map", None),
    ]
    for name, value in slices:
        assert 0 < same_tally(here, there, few, Within(name, value)) < 600
    assert same_tally(here, there, few[:1], Within("whole", "01")) == 0


@pytest.mark.usefixtures("odd_session")
@pytest.mark.parametrize("seed", [3])
def test_what_breaks_rules_is_what_duckdb_finds(both: Any, tmp_path: Path, seed: int) -> None:
    pq.write_table(nasty(seed), tmp_path / "d.parquet")
    here, there = both()
    rules = rules_for(here)
    found = there.violations(rules)
    assert told(found) == told(here.violations(rules))
    assert len(found) > 30
    assert [violation.rule for violation in found] == [r for r in rules if r in told(found)]
    assert {len(violation.examples) for violation in found} == {3}
    examples = {v.rule: [(e.row, e.value) for e in v.examples] for v in found}
    low = Rule(kind="range", columns=("decimal",), low=0.0, high=2.0)
    assert examples[low] == [(None, "-0.100")] * 3
    early = Rule(kind="range", columns=("day",), low=0.0, high=2.0)
    assert examples[early] == [(None, "1600-02-29")] * 3
    for name, values in [("text", ("it's", "a")), ("many", ()), ("boolean", ("true",))]:
        assert there.unlisted(name, values) == here.unlisted(name, values)


def test_edges_do_not_depend_on_how_rows_are_spread(
    both: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seatrial.data.spark.outline.SAMPLE", 2_000)
    table = nasty(4, 6_000).select(["normal", "moment", "whole", "many"])
    pq.write_table(table, tmp_path / "d.parquet", row_group_size=500)
    folder = tmp_path / "parts.parquet"
    folder.mkdir()
    shuffled = table.take(np.random.default_rng(0).permutation(6_000))
    for part in range(3):
        pq.write_table(shuffled.slice(part * 2_000, 2_000), folder / f"{part}.parquet")
    _, one = both()
    _, other = both("parts.parquet")
    shapes = one.outline(one.columns)
    assert other.outline(other.columns) == shapes
    assert other.fingerprint == one.fingerprint
    counted = one.tally(shapes[:1])[0].counts
    assert min(counted) > 6_000 / 20 / 2
    # rows that all repeat have one hash: none may be in the sample
    pq.write_table(pa.table({"n": [1] * 3_000}), tmp_path / "same.parquet")
    _, same = both("same.parquet")
    assert same.outline(same.columns)[0].edges[-1] == 1.0
    assert same.fingerprint != one.fingerprint


def test_a_csv_file_has_the_types_and_counts_that_duckdb_gives_it(
    both: Any, tmp_path: Path
) -> None:
    (tmp_path / "d.csv").write_bytes(CSV)
    here, there = both("d.csv")
    assert there.columns == here.columns
    assert [c.type for c in there.columns] == [
        *("BIGINT", "DOUBLE", "VARCHAR", "DATE", "TIMESTAMP", "BOOLEAN", "VARCHAR", "VARCHAR"),
        "VARCHAR",
    ]
    assert there.rows == 4
    same_tally(here, there, here.outline(here.columns), None)
    assert there.unlisted("quoted", ()) == here.unlisted("quoted", ())


def test_texts_have_the_types_that_duckdb_gives_them(both: Any, tmp_path: Path) -> None:
    alike = [
        ["1", "-2", " 3 ", "0", "007", "+5", "1_000", "9223372036854775808", "1.5", "", "1e3"],
        ["1.5", ".5", "1.", "1E+05", "nan", "-inf", "Infinity", "2", "1e400", "1.0_1", "-0.0", ""],
        ["true", "F", "yes", "N", "0", "1", "TRUE", "", "maybe"],
        ["2024-01-31", "2024-1-3", "2024-02-30", "0001-01-01", "2024-01-31 10:00", "", "20240131"],
        ["2024-01-31 10:00:00", "2024-01-31T1:00", "2024-01-31 10:00:00.1234567", "2024-02-01Z",
         "2024-01-31T10:00:00Z", "2024-01-31 10:00:60", "2024-01-31 10:00:00+01", ""],
        ["31/12/2024", "1,234", "10 km", "1-", "--1", "e5", "1d", ".", "\u00e9", "inf", "0x1F"],
    ]  # fmt: skip
    random = np.random.default_rng(0)
    chosen = []
    for words in alike * 12:
        few = random.choice(words, size=random.integers(1, 4), replace=False)
        chosen.append([few[i] for i in random.integers(0, len(few), 6)])
    rows = [[f"c{i}" for i in range(len(chosen))], *zip(*chosen, strict=True)]
    text = "\n".join(",".join(f'"{value}"' for value in row) for row in rows)
    (tmp_path / "d.csv").write_text(text + "\n")
    here, there = both("d.csv")
    pairs = zip(chosen, here.columns, there.columns, strict=True)
    assert [(a, b, c) for a, b, c in pairs if b != c] == []
    assert {column.type for column in here.columns} == {
        *("BIGINT", "DOUBLE", "BOOLEAN", "DATE", "TIMESTAMP", "VARCHAR"),
    }
    same_tally(here, there, here.outline(here.columns), None)


def test_other_files_are_read_alike(both: Any, tmp_path: Path) -> None:
    (tmp_path / "d [1].tsv").write_text("a\tb\n1\tx\n2\ty\n")
    (tmp_path / "d.jsonl").write_text('{"a": 1, "b": "x"}\n{"a": 2.5, "b": null}\n')
    parts = tmp_path / "parts"
    for year in (2023, 2024):
        (parts / f"year={year}").mkdir(parents=True)
        pq.write_table(pa.table({"a": [1.0, year]}), parts / f"year={year}" / "0.parquet")
    for name in ("d [1].tsv", "d.jsonl", "parts"):
        here, there = both(name)
        assert there.columns == here.columns, name
        same_tally(here, there, here.outline(here.columns), None)


def test_a_table_and_a_query(address: str) -> None:
    del address
    from pyspark.sql import SparkSession  # noqa: PLC0415 - not installed everywhere

    open_on: Any = {"engine": "spark", "master": MASTER}
    rows = open_rows(Dataset("q", query="SELECT id AS a, 'x' AS b FROM range(10)", **open_on))
    assert (rows.rows, [c.type for c in rows.columns]) == (10, ["BIGINT", "VARCHAR"])
    SparkSession.active().sql("SELECT 1 AS a").createOrReplaceTempView("flights")
    assert open_rows(Dataset("t", table="flights", **open_on)).rows == 1
    for wrong, what in [
        (Dataset("t", table="fligths", **open_on), "nearest: flights"),
        (Dataset("q", query="SELEC 1", **open_on), "cannot be read by Spark"),
        (Dataset("q", query="SELECT b FROM (SELECT 1 AS bb)", **open_on), "bb"),
        (Dataset("q", query="SELECT 1 AS a WHERE FALSE", **open_on), "no rows"),
    ]:
        with pytest.raises(FormError) as error:
            open_rows(wrong)
        assert what in str(error.value)
        assert len(str(error.value).splitlines()) <= 6


@pytest.mark.parametrize(
    ("name", "content", "what"),
    [
        ("d.csv", b"a,b\n1,2\n3\n", "Malformed records"),
        ("d.csv", b"a,A\n1,2\n", "duplicate column name"),
        ("d.csv", b"a,b\n", "no rows"),
        ("d.parquet", b"PAR1 and then nothing of the kind", "cannot be read by Spark"),
    ],
)
def test_bad_files(both: Any, tmp_path: Path, name: str, content: bytes, what: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(FormError) as error:
        open_rows(Dataset("d", tmp_path / name, engine="spark", master=MASTER))
    del both
    assert what in str(error.value)
    assert len(str(error.value).splitlines()) <= 6


def test_a_file_that_does_not_exist(address: str, tmp_path: Path) -> None:
    del address
    (tmp_path / "flights.parquet").touch()
    with pytest.raises(FormError, match=r"nearest: flights\.parquet"):
        open_rows(Dataset("d", tmp_path / "fligths.parquet", engine="spark", master=MASTER))


def test_rows_on_spark_are_not_read_one_by_one(both: Any, tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": [1]}), tmp_path / "d.parquet")
    here, there = both()
    assert local(here) is here
    with pytest.raises(FormError, match="leave out `engine:`"):
        local(there)


def test_another_master_in_the_same_process(address: str, tmp_path: Path) -> None:
    del address
    pq.write_table(pa.table({"a": [1]}), tmp_path / "d.parquet")
    open_rows(Dataset("d", tmp_path / "d.parquet", engine="spark"))  # any will do
    with pytest.raises(FormError, match=r"already connected to local\[2\]"):
        open_rows(Dataset("d", tmp_path / "d.parquet", engine="spark", master="local[1]"))


@pytest.mark.skipif(not HAS_CONNECT, reason="needs the packages of pyspark[connect]")
def test_over_spark_connect(both: Any, address: str, tmp_path: Path) -> None:
    pq.write_table(nasty(5, 200), tmp_path / "d.parquet")
    here, _ = both()
    there = open_rows(Dataset("d", tmp_path / "d.parquet", engine="spark", remote=address))
    assert there.columns == here.columns
    shapes = here.outline(here.columns)
    assert there.outline(there.columns) == shapes
    assert same_tally(here, there, shapes, None) == 200
    rules = [Rule(kind="range", columns=("day",), low=0.0), Rule(kind="unique", columns=("many",))]
    assert told(there.violations(rules)) == told(here.violations(rules))
    (tmp_path / "d.csv").write_bytes(CSV)
    here, _ = both("d.csv")
    there = open_rows(Dataset("d", tmp_path / "d.csv", engine="spark", remote=address))
    assert (there.columns, there.rows) == (here.columns, here.rows)
    with pytest.raises(FormError, match="knows no table"):
        open_rows(Dataset("d", table="nothing", engine="spark", remote=address))


@pytest.mark.parametrize("how", ["master", "remote"])
def test_nobody_answers(how: str) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    if how == "remote":
        pytest.importorskip("grpc_status", reason="needs the packages of pyspark[connect]")
        where: Any = {"remote": f"sc://127.0.0.1:{port}"}
        with pytest.raises(PassingError, match="no Spark answers"):
            open_rows(Dataset("d", table="t", engine="spark", **where))
        return
    told_ = _alone(f"Dataset('d', table='t', engine='spark', master='spark://127.0.0.1:{port}')")
    assert told_[0] == "PassingError 5"
    assert "no Spark answers" in told_[1]


def test_without_java(tmp_path: Path) -> None:
    told_ = _alone("Dataset('d', table='t', engine='spark')", PATH=str(tmp_path), JAVA_HOME="")
    assert told_[0] == "StoreError 5"
    assert "Spark needs Java, and there is none" in told_[1]


def test_a_master_that_is_none() -> None:
    told_ = _alone("Dataset('d', table='t', engine='spark', master='lokal[2]')")
    assert told_[0] == "FormError 2"
    assert "'lokal[2]' is no master of Spark" in told_[1]


def _alone(dataset: str, **environment: str) -> list[str]:
    """The error that opening a dataset raises in a process of its own, where no Spark is yet."""
    code = (
        "from seatrial.data.dataset import Dataset\n"
        "from seatrial.data.opening import open_rows\n"
        "from seatrial.errors import SeatrialError\n"
        f"try:\n    open_rows({dataset})\n"
        "except SeatrialError as error:\n"
        "    print(type(error).__name__, error.exit_code)\n    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stderr == ""
    return done.stdout.splitlines()


PIPELINE = """\
name: on_spark
datasets:
  rows_here: {path: data/rows.parquet}
  rows_there: {path: data/rows.parquet, engine: spark, master: "local[2]"}
stages:
  - name: validate
    tasks:
      - check_schema:
          dataset: DATASET
          expected_columns: [normal, many, whole]
          columns: {normal: {type: number, min: -100}, text: {type: string, nullable: true}}
  - name: distribution
    tasks:
      - check_distribution: {dataset: DATASET, reference: base.json}
"""


def test_a_pipeline_gives_the_verdict_that_it_gives_here(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    chosen = ["normal", "many", "text", "boolean", "whole"]
    pq.write_table(nasty(6, 2_000).select(chosen), tmp_path / "data" / "rows.parquet")
    moved = nasty(7, 2_000).select(chosen)
    shifted = pa.array(np.asarray(moved["normal"]) + 0.8)
    pq.write_table(moved.set_column(0, "normal", shifted), tmp_path / "data" / "old.parquet")
    old = open_rows(Dataset("old", tmp_path / "data" / "old.parquet"))
    profiles.write(profiles.make(old), tmp_path / "base.json")
    told_ = []
    for name in ("rows_here", "rows_there"):
        (tmp_path / "pipeline.yaml").write_text(PIPELINE.replace("DATASET", name))
        done = _command(tmp_path, "run", "pipeline.yaml", "--json")
        document = json.loads(done.stdout)
        assert document["errors"] == []
        assert done.returncode == 1
        tasks = [task for stage in document["stages"] for task in stage["tasks"]]
        shown = json.dumps([{**task, "seconds": 0} for task in tasks])
        told_.append(json.loads(shown.replace(name, "NAME")))
    assert told_[1] == told_[0]
    schema, distribution = told_[1]
    assert schema["verdict"] == "pass"
    assert {measure["verdict"] for measure in distribution["measures"]} >= {"fail", "pass"}
    assert {path.name for path in tmp_path.iterdir()} == {
        *("pipeline.yaml", "base.json", "data", ".seatrial"),
    }


def _command(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return _python(folder, "-m", "seatrial", *words)


def _python(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


CUT_OFF = """\
import os, signal, sys, threading
from pyspark import SparkContext
from seatrial.cli import main
from seatrial.data.spark import counting

def tally(relation, *rest):
    ends = {
        "kill": (SparkContext._gateway.proc.pid, signal.SIGKILL),
        "interrupt": (os.getpid(), signal.SIGINT),
    }
    threading.Timer(1.0, os.kill, ends[how]).start()
    return relation.sql("SELECT sum(a.id * b.id) FROM range(1000000) a, range(1000000) b")

counting.tally = tally
signal.signal(signal.SIGINT, signal.default_int_handler)
how = sys.argv.pop(1)
main()
"""


def test_what_is_cut_off_in_mid_count_goes_on_with_the_same_command(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    table = nasty(6, 2_000).select(["normal", "many", "text", "whole"])
    pq.write_table(table, tmp_path / "data" / "rows.parquet")
    rows = open_rows(Dataset("rows", tmp_path / "data" / "rows.parquet"))
    profiles.write(profiles.make(rows), tmp_path / "base.json")
    (tmp_path / "pipeline.yaml").write_text(PIPELINE.replace("DATASET", "rows_there"))
    runs = []
    for how in ("interrupt", "kill"):
        done = _python(tmp_path, "-c", CUT_OFF, how, "run", "pipeline.yaml", "--json")
        assert done.returncode == 5, done.stderr
        assert "Traceback" not in done.stderr
        told_ = [line for line in done.stderr.splitlines() if "again in" not in line]
        assert len(told_) <= 8, done.stderr
        runs += json.loads(_command(tmp_path, "runs", "--json").stdout)
    done = _command(tmp_path, "run", "pipeline.yaml", "--json")
    assert done.returncode == 0, done.stderr
    assert {run["run"] for run in runs} == {json.loads(done.stdout)["run"]}


def test_training_on_spark_is_refused(tmp_path: Path, address: str) -> None:
    del address
    (tmp_path / "data").mkdir()
    table = pa.table({"a": [1.0, 2.0], "target": [0, 1]})
    pq.write_table(table, tmp_path / "data" / "rows.parquet")
    train = "{train: {model_type: gradient_boosted, data: rows_there}}"
    head = PIPELINE.partition("stages:")[0]
    (tmp_path / "pipeline.yaml").write_text(f"{head}stages: [{{name: t, tasks: [{train}]}}]\n")
    driven = seatrial.run(tmp_path / "pipeline.yaml")
    assert driven.exit_code == 2
    assert "counted but not read one by one" in str(driven.document["errors"])
