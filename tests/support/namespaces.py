"""A machine with a network of its own, and one cable to the rest of the world."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class Island:
    """``here`` is this side's address of the cable, ``words`` come before what is run there."""

    name: str
    here: str

    @property
    def words(self) -> tuple[str, ...]:
        return ("ip", "netns", "exec", self.name)

    def unplug(self) -> None:
        """Nothing arrives any more, and nobody is told."""
        _ip("link", "set", f"{self.name}-a", "down")

    def plug_in(self) -> None:
        _ip("link", "set", f"{self.name}-a", "up")


@contextmanager
def island() -> Iterator[Island]:
    """Skips where this process may not make one: that takes the rights of root."""
    name = f"sea{secrets.token_hex(3)}"
    net = f"10.213.{secrets.randbelow(250)}"
    if os.geteuid() != 0 or shutil.which("ip") is None:
        pytest.skip("network namespaces take root, and the program ip")
    if subprocess.run(["ip", "netns", "add", name], check=False, capture_output=True).returncode:
        pytest.skip("network namespaces are not allowed here")
    near, far = f"{name}-a", f"{name}-b"
    try:
        _ip("link", "add", near, "type", "veth", "peer", "name", far)
        _ip("link", "set", far, "netns", name)
        _ip("addr", "add", f"{net}.1/30", "dev", near)
        _ip("link", "set", near, "up")
        _ip("-n", name, "addr", "add", f"{net}.2/30", "dev", far)
        _ip("-n", name, "link", "set", far, "up")
        yield Island(name, f"{net}.1")
    finally:
        subprocess.run(["ip", "link", "del", near], check=False, capture_output=True)
        _ip("netns", "del", name)


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)
