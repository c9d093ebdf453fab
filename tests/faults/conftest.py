"""The real servers that several machines share, and a project of theirs."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from fleet import Fleet
from postgres import postgres as postgres  # noqa: PLC0414 - a fixture is known by its import
from shared_places import new_schema
from stores import _s3_server as _s3_server  # noqa: PLC0414
from stores import s3 as s3  # noqa: PLC0414

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from postgres import Server


@pytest.fixture
def fleet(tmp_path: Path, postgres: Server) -> Iterator[Fleet]:
    folder = tmp_path / "project"
    folder.mkdir()
    with closing(Fleet(folder, new_schema(postgres))) as made:
        yield made
