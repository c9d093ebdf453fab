"""Whatever the bytes of a file are, it opens or is refused: nobody sees a fault of the program."""

from __future__ import annotations

import io
import json
import random
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import csv, ipc, parquet

from seatrial.data.dataset import Dataset
from seatrial.data.leakage.order_in_time import early_rows
from seatrial.data.profiles import profile
from seatrial.data.schema.rules import Rule
from seatrial.data.shape import Shape
from seatrial.data.sources import SMALL, arrow, delimited
from seatrial.data.table import Table, open_table
from seatrial.errors import FormError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ROWS = [
    {"n": i, "x": i / 7, "s": None if i % 5 else f"é{i}", "b": i % 2 == 0, "d": f"2024-01-{i + 1}"}
    for i in range(25)
]
SPICE = (
    *(b'"', b",", b"\n", b"\r", b"\0", b"\xff", b"{", b"}", b"[", b":", b"null", b"NaN", b"1e999"),
    *(
        b"9" * 40,
        b"infinity",
        b"294247-01-10",
        b"\\",
        b"290309-12-22 (BC)",
        b'"":',
        b"\xef\xbb\xbf",
    ),
)


def _parquet() -> bytes:
    file = io.BytesIO()
    table = pa.Table.from_pylist(ROWS)
    parquet.write_table(table, file, row_group_size=10, compression="none", use_dictionary=["s"])
    return file.getvalue()


def _arrow() -> bytes:
    file = io.BytesIO()
    table = pa.Table.from_pylist(ROWS)
    with ipc.new_file(file, table.schema) as writer:
        writer.write_table(table, max_chunksize=10)
    return file.getvalue()


def _csv() -> bytes:
    file = io.BytesIO()
    csv.write_csv(pa.Table.from_pylist(ROWS), file)
    return file.getvalue()


WHOLE: dict[str, Callable[[], bytes]] = {
    "parquet": _parquet,
    "arrow": _arrow,
    "csv": _csv,
    "json": lambda: json.dumps(ROWS, ensure_ascii=False).encode(),
    "jsonl": lambda: "\n".join(json.dumps(row) for row in ROWS).encode(),
}


@pytest.mark.slow
@pytest.mark.parametrize("small", [SMALL, 0])
@pytest.mark.parametrize("kind", WHOLE)
def test_damaged_bytes_open_or_are_refused(
    kind: str, small: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for reader in (arrow, delimited):
        monkeypatch.setattr(reader, "SMALL", small)
    draw = random.Random(f"{kind} {small}")  # noqa: S311 - damage, not a secret
    whole, path = WHOLE[kind](), tmp_path / f"d.{kind}"
    path.write_bytes(whole)
    _look(path)
    refused = 0
    for _ in range(40):
        path.write_bytes(_damaged(whole, draw))
        try:
            _look(path)
        except FormError:
            refused += 1
    assert refused


def _damaged(whole: bytes, draw: random.Random) -> bytes:
    found = bytearray(whole)
    for _ in range(draw.choice((1, 1, 3))):
        at, how = draw.randrange(len(found)), draw.random()
        if how < 0.6:
            found[at] = draw.randrange(256)
        elif how < 0.8:
            found[at:at] = draw.choice(SPICE)
        else:
            del found[at : at + draw.choice((1, 8, 100))]
        found = found or bytearray(b"\0")
    return bytes(found)


def _look(path: Path) -> None:
    """All that is ever asked of a dataset."""
    table = open_table(Dataset("d", path))
    made = profile.make(table)
    assert all(column.present + column.missing == table.rows for column in made.columns)
    table.violations(_rules(table))
    for column in table.columns:
        table.column(column.name)
        table.unlisted(column.name, ())


def _rules(table: Table) -> list[Rule]:
    names = [column.name for column in table.columns]
    return [Rule(kind=kind, columns=(n,)) for n in names for kind in ("not_null", "unique")]


@pytest.mark.parametrize("at", [1, 2])
def test_pages_that_are_no_pages(at: int, tmp_path: Path) -> None:
    """What is at the end of the file says that all is well."""
    path = tmp_path / "d.parquet"
    parquet.write_table(
        pa.table({"x": [1.5] * 20_000, "s": ["a"] * 20_000}), path, row_group_size=10_000
    )
    broken = bytearray(path.read_bytes())
    groups = parquet.read_metadata(path)
    for column in range(2):
        part = groups.row_group(at - 1).column(column)
        start = part.dictionary_page_offset or part.data_page_offset
        broken[start : start + 8] = b"\xff" * 8
    path.write_bytes(broken)
    table = open_table(Dataset("d", path))
    for asked in (
        lambda: table.outline(table.columns),
        lambda: table.tally([Shape(column) for column in table.columns]),
        lambda: table.violations(_rules(table)),
        lambda: table.unlisted("s", ()),
        lambda: table.many(["x"], ["s"]),
    ):
        with pytest.raises(FormError, match="'d' is damaged"):
            asked()


@pytest.mark.parametrize("small", [SMALL, 0])
def test_arrow_that_points_outside_itself(
    small: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrow, "SMALL", small)
    path = tmp_path / "d.arrow"
    table = pa.table({"s": ["letters", "and"]})
    with ipc.new_file(path, table.schema) as writer:
        writer.write_table(table)
    places, wild = (np.array([0, *ends], "<i4").tobytes() for ends in ((7, 10), (2**30, 2**30 + 5)))
    assert path.read_bytes().count(places) == 1
    path.write_bytes(path.read_bytes().replace(places, wild))
    with pytest.raises(FormError, match="'d' is damaged"):
        _look(path)


def test_times_beyond_what_microseconds_reach(tmp_path: Path) -> None:
    """Dates are counted as they are, other times are refused."""
    path = tmp_path / "d.arrow"
    for far in (
        pa.array([2**30, 0], pa.date32()),
        pa.array([2**45, 0], pa.timestamp("s")),
        pa.array([2**55, 0], pa.timestamp("ms")),
    ):
        table = pa.table({"d": far})
        with ipc.new_file(path, table.schema) as writer:
            writer.write_table(table)
        opened = open_table(Dataset("d", path, time="d"))
        rules = [Rule(kind="range", columns=("d",), low=0.0, high=1e6)]
        if pa.types.is_date(far.type):
            _look(path)
            assert [broken.rows for broken in opened.violations(rules)] == [1]
            found = early_rows(opened, opened)
            assert found
            assert found.rows == 2
            continue
        for asked in (
            lambda: profile.make(opened),  # noqa: B023 - asked at once
            lambda: opened.violations(rules),  # noqa: B023
            lambda: early_rows(opened, opened),  # noqa: B023
        ):
            with pytest.raises(FormError):
                asked()
