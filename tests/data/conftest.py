"""Small real files, opened as a user's would be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import pytest

from postgres import postgres as postgres  # noqa: PLC0414 - a fixture is known by its import
from seatrial.data.dataset import Dataset
from seatrial.data.table import Table, open_table
from stores import _s3_server as _s3_server  # noqa: PLC0414
from stores import s3 as s3  # noqa: PLC0414

if TYPE_CHECKING:
    from pathlib import Path


class Opened(Protocol):
    """Writes a file and opens it; more words are roles of its columns."""

    def __call__(self, content: str | bytes, name: str = "d.csv", **roles: object) -> Table: ...


@pytest.fixture
def opened(tmp_path: Path) -> Opened:
    """Open a file of the given content."""

    def make(content: str | bytes, name: str = "d.csv", **roles: object) -> Table:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return open_table(Dataset("d", path, **roles))  # type: ignore[arg-type]

    return make
