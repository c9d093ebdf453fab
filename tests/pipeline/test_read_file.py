"""A path that is no pipeline file: the error names the one that was probably meant."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from seatrial.errors import FileError
from seatrial.pipeline.read import read_file

if TYPE_CHECKING:
    from pathlib import Path

PIPELINE = "name: demo\nstages: [{name: first, tasks: [promote]}]\n"


def test_a_missing_file_names_the_one_that_is_there(tmp_path: Path) -> None:
    (tmp_path / "pipeline.yaml").write_text(PIPELINE)
    with pytest.raises(FileError, match="does not exist") as caught:
        read_file(tmp_path / "pipelin.yml")
    assert caught.value.mistakes[0].nearest == str(tmp_path / "pipeline.yaml")
    with pytest.raises(FileError, match="is a folder") as caught:
        read_file(tmp_path)
    assert caught.value.mistakes[0].nearest == str(tmp_path / "pipeline.yaml")
    with pytest.raises(FileError, match="does not exist"):
        read_file(tmp_path / "no" / "where.yaml")


@pytest.mark.parametrize("path", ["a\0b", "x" * 5000])
def test_a_path_that_cannot_be_is_a_mistake(path: str) -> None:
    with pytest.raises(FileError, match="cannot read"):
        read_file(path)


def test_bytes_that_are_no_text_are_a_mistake_with_their_place(tmp_path: Path) -> None:
    file = tmp_path / "p.yaml"
    file.write_bytes("name: é\nx: ".encode() + b"\xff\n")
    with pytest.raises(FileError, match=re.escape(f"{file}:2:4")):
        read_file(file)
