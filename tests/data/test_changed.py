"""Data that are not what they were when they were opened."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from seatrial.data.dataset import Dataset
from seatrial.data.sources import delimited, text_types
from seatrial.data.sources.scratch import Scratch
from seatrial.data.table import open_table
from seatrial.errors import FormError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def _write(path: Path, values: list[int]) -> None:
    if path.suffix == ".csv":
        path.write_text("a\n" + "".join(f"{v}\n" for v in values))
    else:
        pq.write_table(pa.table({"a": values}), path)


def _replace(path: Path) -> None:
    other = path.with_name(f"other{path.suffix}")
    _write(other, [4, 5, 6])
    other.replace(path)


@pytest.mark.parametrize("name", ["d.csv", "d.parquet"])
@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda path: path.unlink(), "vanished while it was read"),
        (_replace, "changed while it was read"),
        (lambda path: path.write_bytes(path.read_bytes()[:5]), "changed while it was read"),
    ],
)
def test_between_opening_and_counting(
    name: str, change: Callable[[Path], None], said: str, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(delimited, "SMALL", 0)
    path = tmp_path / name
    _write(path, [1, 2, 3])
    table = open_table(Dataset("d", path))
    assert table.sql("SELECT sum(a) FROM rows") == [(6,)]
    change(path)
    for asked in (lambda: table.sql("SELECT sum(a) FROM rows"), lambda: table.numbers("a")):
        with pytest.raises(FormError, match=said) as caught:
            asked()
        assert "run again when nothing writes it" in str(caught.value)


def test_while_it_is_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "d.csv"
    _write(path, [1, 2, 3])
    read = text_types.types_of

    def slow(*words: object) -> object:
        _write(path, [1, 2, 3, 4])
        return read(*words)  # type: ignore[arg-type]

    monkeypatch.setattr(delimited, "types_of", slow)
    with pytest.raises(FormError, match="changed while it was read"):
        open_table(Dataset("d", path))


def test_what_a_killed_program_left_is_swept_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    die = "import os; from seatrial.data.sources.scratch import Scratch; s = Scratch(); os._exit(9)"
    subprocess.run(
        [sys.executable, "-c", die], env={**os.environ, "TMPDIR": str(tmp_path)}, check=False
    )
    (left,) = tmp_path.iterdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    scratch = Scratch()
    assert list(tmp_path.iterdir()) == [scratch.path]
    live = (
        "from seatrial.data.sources.scratch import Scratch\n"
        "kept = Scratch()\nprint(kept.path.exists())"
    )
    subprocess.run(
        [sys.executable, "-c", live], env={**os.environ, "TMPDIR": str(tmp_path)}, check=True
    )
    assert list(tmp_path.iterdir()) == [scratch.path]
    assert not left.exists()
