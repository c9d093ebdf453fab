"""One watcher of a project compares labels; when it dies, however it dies, another does."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from seatrial.watch.turnstile import Gate

if TYPE_CHECKING:
    from pathlib import Path

HOLDER = """
import sys
from pathlib import Path
from seatrial.watch.turnstile import Gate

gate = Gate()
print(gate.enter(Path(sys.argv[1])), flush=True)
sys.stdin.readline()
"""


def test_only_one_is_inside(tmp_path: Path) -> None:
    first, second = Gate(), Gate()
    assert [first.enter(tmp_path), second.enter(tmp_path), first.enter(tmp_path)] == [
        True,
        False,
        True,
    ]
    assert (first.inside, second.inside) == (True, False)
    second.leave()  # what it does not have it cannot give back
    assert not second.enter(tmp_path)
    first.leave()
    assert (first.inside, second.enter(tmp_path)) == (False, True)
    second.leave()


def test_each_project_has_its_own(tmp_path: Path) -> None:
    """Also one whose home is not there yet."""
    gates = {tmp_path / name: Gate() for name in ("one", "two")}
    assert all(gate.enter(home) for home, gate in gates.items())
    for gate in gates.values():
        gate.leave()


def test_when_the_one_inside_is_killed_another_enters(tmp_path: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    gate = Gate()
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "True\n"
        assert not gate.enter(tmp_path)
    finally:
        holder.kill()
        holder.communicate()
    assert gate.enter(tmp_path)
    gate.leave()
