"""The key that signs cookies: its owner's alone, and made once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from seatrial.errors import StoreError
from seatrial.web.access.key import FILE, key_of

if TYPE_CHECKING:
    from pathlib import Path


def test_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        keys = list(threads.map(key_of, [tmp_path / "home"] * 8))
    assert len({key.sign("a", "b") for key in keys}) == 1
    assert [file.name for file in (tmp_path / "home").iterdir()] == [FILE]
    assert (tmp_path / "home" / FILE).stat().st_mode & 0o777 == 0o600


def test_signs_each_purpose_for_itself(tmp_path: Path) -> None:
    key = key_of(tmp_path)
    assert key.signed("a", "b", key.sign("a", "b"))
    assert not key.signed("a", "c", key.sign("a", "b"))
    assert key.sign("a", "1:b") != key.sign("a1:", "b")


def test_that_others_could_know_is_refused(tmp_path: Path) -> None:
    key_of(tmp_path)
    file = tmp_path / FILE
    file.chmod(0o640)
    with pytest.raises(StoreError, match="can be read by others"):
        key_of(tmp_path)
    file.chmod(0o600)
    file.write_bytes(b"short")
    with pytest.raises(StoreError, match="does not have 32 bytes"):
        key_of(tmp_path)
    file.rename(tmp_path / "elsewhere")
    file.symlink_to("elsewhere")
    with pytest.raises(StoreError, match="cannot be read"):
        key_of(tmp_path)
    file.unlink()
    file.mkdir()
    with pytest.raises(StoreError, match="is no file"):
        key_of(tmp_path)
