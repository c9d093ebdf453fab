"""Files elsewhere are brought here, and then they are like any other."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from seatrial.data.dataset import Dataset, find
from seatrial.data.table import Table, open_table
from seatrial.errors import FormError, PassingError, SeatrialError, StoreError
from stores import aim, refusing

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def memory() -> Any:
    store = fsspec.filesystem("memory")
    yield store
    store.rm("/", recursive=True)


def _open(address: str) -> Table:
    return open_table(Dataset("d", address=address))


def _parquet(**columns: list[Any]) -> bytes:
    with io.BytesIO() as file:
        pq.write_table(pa.table(columns), file)
        return file.getvalue()


def test_one_file_is_what_it_would_be_here(memory: Any, tmp_path: Path) -> None:
    memory.pipe("/b/flights.csv", b"a,b\n1,x\n")
    (tmp_path / "flights.csv").write_bytes(b"a,b\n1,x\n")
    there = open_table(find("d", tmp_path, {"d": {"path": "memory://b/flights.csv"}}))
    assert there.strings("b").tolist() == ["x"]
    assert there.fingerprint == open_table(Dataset("d", tmp_path / "flights.csv")).fingerprint


def test_folder_and_pattern(memory: Any) -> None:
    for year in (2023, 2024):
        memory.pipe(f"/b/flights/year={year}/0.parquet", _parquet(a=[year]))
    table = _open("memory://b/flights")
    assert table.sql("SELECT a, year FROM rows") == [(2023, 2023), (2024, 2024)]
    assert _open("memory://b/flights/").fingerprint == table.fingerprint
    assert _open("memory://b/flights/year=*/0.parquet").rows == 2


def test_mistakes_are_told_at_the_address(memory: Any) -> None:
    memory.pipe("/b/flights.csv", b"a,b\n1\n")
    with pytest.raises(FormError, match=r"where: memory://b/flights\.csv:2"):
        _open("memory://b/flights.csv")
    with pytest.raises(FormError, match=r"nearest: flights\.csv"):
        _open("memory://b/flihgts.csv")
    memory.pipe("/b/flights.xlsx", b"PK")
    with pytest.raises(FormError, match="unknown kind of file"):
        _open("memory://b/flights.xlsx")


def test_unknown_kinds_of_addresses_and_missing_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(FormError, match=r"unknown kind of address 'htps://'") as caught:
        _open("htps://b/x.csv")
    assert caught.value.mistakes[0].nearest == "https"

    def absent(*_: object, **__: object) -> None:
        raise ImportError("Install s3fs to access S3")

    monkeypatch.setattr("fsspec.core.url_to_fs", absent)
    with pytest.raises(FormError, match=r"pip install 'seatrial\[s3\]'"):
        _open("s3://b/x.csv")


def test_a_name_cannot_lead_outside(memory: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    memory.pipe("/b/d/x.parquet", _parquet(a=[1]))
    outside = ["/b/d/../../../../tmp/x.parquet"]
    with monkeypatch.context() as patch:
        patch.setattr(type(memory), "find", lambda *_, **__: outside)
        with pytest.raises(FormError, match="leads outside"):
            _open("memory://b/d")


def test_s3(s3: str) -> None:
    store = fsspec.filesystem("s3", skip_instance_cache=True, endpoint_url=s3)
    store.mkdir("harbour")
    store.pipe("harbour/flights.csv", b"a\n1\n2\n")
    table = _open("s3://harbour/flights.csv")
    assert table.numbers("a").tolist() == [1, 2]
    store.pipe("harbour/flights.csv", b"a\n1\n3\n")
    assert _open("s3://harbour/flights.csv").fingerprint != table.fingerprint
    for address, said in (
        ("s3://harbour/flight.csv", "nearest: flights.csv"),
        ("s3://no-such-harbour/flights.csv", "bucket does not exist"),
    ):
        with pytest.raises(FormError, match=said):
            _open(address)


def test_s3_that_refuses_is_down_or_asks_for_keys(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with refusing() as endpoint:
        aim(monkeypatch, endpoint)
        with pytest.raises(StoreError, match="refuses"):
            _open("s3://harbour/flights.csv")
    aim(monkeypatch, "http://127.0.0.1:9")
    with pytest.raises(PassingError, match="cannot be reached") as caught:
        _open("s3://harbour/flights.csv")
    assert len(str(caught.value).splitlines()) <= 6
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    with pytest.raises(SeatrialError, match="no keys"):
        _open("s3://harbour/flights.csv")
