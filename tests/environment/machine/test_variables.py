"""What is set around a process: only what is on the list, under names that mean the same."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from seatrial.environment.machine.variables import VARIABLES, image, letters, timezone, variables

if TYPE_CHECKING:
    from pathlib import Path

DIGEST = "sha256:" + "0123456789abcdef" * 4


def test_only_listed_variables_are_recorded() -> None:
    found = variables({"OMP_NUM_THREADS": "3", "OMP_PRIVATE": "no", "PATH": "/bin"})
    assert found == {"OMP_NUM_THREADS": "3"}
    assert list(VARIABLES) == sorted(VARIABLES)


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, "C (utf-8)"),
        ({"LANG": "de_DE.UTF-8"}, "de_DE.UTF-8 (utf-8)"),
        ({"LANG": "de_DE.UTF-8", "LC_CTYPE": "C"}, "C (utf-8)"),
        ({"LANG": "de_DE.UTF-8", "LC_CTYPE": "C", "LC_ALL": "tr_TR"}, "tr_TR (utf-8)"),
        ({"LANG": "de_DE.UTF-8", "LC_ALL": ""}, "de_DE.UTF-8 (utf-8)"),
    ],
)
def test_the_locale_is_the_one_that_counts(environ: dict[str, str], expected: str) -> None:
    assert letters(environ, "UTF-8") == expected


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ("Europe/Berlin", "Europe/Berlin"),
        (":Europe/Berlin", "Europe/Berlin"),
        ("CET-1CEST,M3.5.0,M10.5.0/3", "CET-1CEST,M3.5.0,M10.5.0/3"),
        ("<+03>-3", "<+03>-3"),
        ("/usr/share/zoneinfo/Asia/Tokyo", "Asia/Tokyo"),
        ("", "UTC"),
        ("UTC", "UTC"),
        ("Etc/UTC", "UTC"),
        ("Etc/GMT+5", "Etc/GMT+5"),
    ],
)
def test_the_variable_says_which_zone(tmp_path: Path, told: str, expected: str) -> None:
    (tmp_path / "timezone").write_text("America/Lima\n")
    assert timezone({"TZ": told}, tmp_path / "none", tmp_path / "timezone") == expected


def test_the_link_counts_before_the_text_and_both_before_the_offset(tmp_path: Path) -> None:
    link, named = tmp_path / "localtime", tmp_path / "timezone"
    offset = timezone({}, link, named)
    assert offset.startswith("UTC")
    named.write_text("America/Lima\n")
    assert timezone({}, link, named) == "America/Lima"
    link.write_bytes(b"TZif2")  # a copy instead of a link
    assert timezone({}, link, named) == "America/Lima"
    link.unlink()
    link.symlink_to("../usr/share/zoneinfo/Europe/Berlin")
    assert timezone({}, link, named) == "Europe/Berlin"
    link.unlink()
    link.symlink_to("/usr/share/zoneinfo/posix/Etc/UTC")
    assert timezone({}, link, named) == "UTC"
    named.write_bytes(b"\xff\x00 nonsense")
    link.unlink()
    assert timezone({}, link, named) == offset


def test_a_zone_of_ones_own_is_told_by_its_offset_and_not_by_its_path(tmp_path: Path) -> None:
    own = tmp_path / "secret" / "zone"
    assert timezone({"TZ": f":{own}"}).startswith("UTC")
    code = (
        "from seatrial.environment.machine.variables import timezone;"
        "print(timezone({}, *2 * [NONE]))"
    )
    code = code.replace("NONE", "__import__('pathlib').Path('none')")
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "TZ": "XYZ-5:45"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "UTC+05:45\n"


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (DIGEST, DIGEST),
        (f"registry.example:5000/team/serving@{DIGEST}", DIGEST),
        (f"serving:1.2@{DIGEST}", DIGEST),
        ("serving:1.2", None),
        ("", None),
        (DIGEST[:-1], None),
        (f"{DIGEST}\n", DIGEST),
        (f"token{DIGEST}", None),
    ],
)
def test_an_image_is_known_by_its_digest_alone(told: str, expected: str | None) -> None:
    assert image({"SEATRIAL_IMAGE": told}) == expected
    assert image({}) is None
