"""The processor of any machine, also of one that says nothing."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from seatrial.environment.machine.processor import cores, described, processor

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("text", "model", "flags"),
    [
        ("", "", []),
        ("nonsense\x00\n::::", "", []),
        ("processor\t: 0\nmodel name\t: AMD\nflags\t\t: fpu avx2 avx512_vnni\n", "AMD",
         ["avx2", "avx512_vnni"]),
        ("processor: 0\nmodel name: A\nflags: fma\n\nprocessor: 1\nmodel name: B\nflags: avx\n",
         "A", ["fma"]),
        ("CPU implementer : 0x41\nCPU part : 0xd0c\nFeatures : fp asimd asimddp\n", "0x41 0xd0c",
         ["asimd", "asimddp"]),
        ("model name: ARMv7 Processor rev 4\nFeatures: half thumb neon vfpv4\n",
         "ARMv7 Processor rev 4", ["neon"]),
    ],
)  # fmt: skip
def test_it_is_described_by_what_the_kernel_says(text: str, model: str, flags: list[str]) -> None:
    assert described(text) == {"model": model, "flags": flags}


def test_without_the_files_of_linux_it_is_not_known(tmp_path: Path) -> None:
    nothing = tmp_path / "none"
    found = processor(nothing, nothing, nothing)
    assert (found["model"], found["flags"]) == ("", [])
    assert found["cores"] >= 1
    # A folder in its place, as a container may mount over what it hides.
    assert processor(tmp_path, tmp_path, tmp_path)["model"] == ""


def test_a_system_that_cannot_say_which_cores_are_usable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_getaffinity")
    assert processor()["cores"] == os.cpu_count()


@pytest.mark.parametrize(
    ("granted", "expected"),
    [
        ({}, 4),
        ({"": "max 100000"}, 4),
        ({"": "100000 100000"}, 1),
        ({"": "150000 100000"}, 2),
        ({"": "10000 100000"}, 1),
        ({"": "900000 100000"}, 4),
        ({"": "200000 100000", "a": "max 100000", "a/b": "300000 100000"}, 2),
        ({"a/b": "100000 100000"}, 1),
        ({"": "nonsense"}, 4),
        ({"": "100000 0"}, 4),
    ],
)
def test_a_share_of_the_cores_is_rounded_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, granted: dict[str, str], expected: int
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(4)))
    for folder, line in granted.items():
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
        (tmp_path / folder / "cpu.max").write_text(f"{line}\n")
    assert cores("1:cpu:/old\n0::/a/b\n", tmp_path) == expected


def test_a_container_sees_its_own_group_as_the_root(tmp_path: Path) -> None:
    (tmp_path / "cpu.max").write_text("100000 100000\n")
    for membership in ("0::/\n", "0::/docker/3f2a\n", "0::/../..\n", ""):
        assert cores(membership, tmp_path) == 1
