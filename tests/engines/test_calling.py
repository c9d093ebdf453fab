"""The function by which every exported file calls seatrial."""

from __future__ import annotations

import collections
import json
import os
import re
import subprocess
import tempfile
from importlib import import_module, resources
from typing import TYPE_CHECKING, Any

import pytest

from seatrial.engines._call import CARRIED
from seatrial.engines._exported import filled

if TYPE_CHECKING:
    from pathlib import Path

NEEDED = {
    "collections": collections,
    "json": json,
    "os": os,
    "subprocess": subprocess,
    "tempfile": tempfile,
}


def calling(folder: Path, script: str, *words: str) -> dict[str, Any]:
    """What an exported file knows, whose seatrial is a shell script."""
    command = ["sh", "-c", script, *words]
    text = filled("calling.txt", SEATRIAL=repr(command), FOLDER=repr(str(folder)), FILE="''",
                  EXPORTED="''")  # fmt: skip
    known: dict[str, Any] = dict(NEEDED)
    exec(compile(text, "calling", "exec"), known)  # noqa: S102 - as an exported file does
    return known


def test_the_ids_of_who_calls_stand_for_a_word_and_not_inside_a_name(tmp_path: Path) -> None:
    script = """printf '{"said": "%s %s"}' "$0" "$1" """
    told = calling(tmp_path, script, "{user}", "/srv/{user}")["seatrial"]()
    assert told == {"said": f"{os.getuid()}:{os.getgid()} /srv/{{user}}"}


def test_a_line_that_is_no_text_is_said_all_the_same(tmp_path: Path) -> None:
    heard: list[str] = []
    script = "printf 'a\\377\\n' >&2; echo '{}'"
    assert calling(tmp_path, script)["seatrial"](say=heard.append) == {}
    assert heard == ["a\ufffd"]


@pytest.mark.parametrize("script", ["kill -9 $$", "exit 137", "exit 143", "exit 5"])
def test_what_was_killed_is_tried_again_in_a_container_too(tmp_path: Path, script: str) -> None:
    known = calling(tmp_path, f"echo began >&2; {script}")
    with pytest.raises(known["Again"], match="began"):
        known["seatrial"](say=lambda _line: None)


@pytest.mark.parametrize("code", [2, 70, 125, 126, 127, 255])
def test_what_is_wrong_is_not_tried_again(tmp_path: Path, code: int) -> None:
    known = calling(tmp_path, f"echo so >&2; exit {code}")
    with pytest.raises(known["Wrong"], match="so"):
        known["seatrial"](say=lambda _line: None)


def test_the_variables_of_a_store_are_those_that_its_client_reads() -> None:
    known = import_module("botocore.configprovider").BOTOCORE_DEFAUT_SESSION_VARIABLES
    workflow = (resources.files("seatrial.engines") / "exported" / "github.txt").read_text()
    for name in ("profile", "region"):
        variables = known[name][1]
        read = variables if isinstance(variables, list) else [variables]
        assert {*CARRIED}.intersection(read), name
    assert f"{known['region'][1]}: " in workflow
    assert set(re.findall(r"AWS_[A-Z_]+: ", workflow)) <= {f"{name}: " for name in CARRIED}
