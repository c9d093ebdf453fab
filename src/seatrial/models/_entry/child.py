"""The process in which the project's code or file becomes a model: ``python -m … SCRATCH``.

It reads ``asked.zip`` in the folder SCRATCH, and writes ``made.zip`` there; or ``fault.json``,
where the project is at fault. Nothing that it is given or gives back is unpickled.
"""

from __future__ import annotations

import contextlib
import faulthandler
import json
import os
import resource
import signal
import sys
from dataclasses import asdict
from pathlib import Path

from seatrial.errors import SeatrialError
from seatrial.models._entry import making, request
from seatrial.models._entry.fault import Fault
from seatrial.models._entry.request import ASKED, FAULT, MADE, STACK

_MB = 1 << 20


def main(scratch: Path) -> int:
    """Make the model; 0 when it is made, 1 when the project is at fault."""
    ask = request.read((scratch / ASKED).read_bytes())
    with (scratch / STACK).open("w") as stack:
        faulthandler.enable(stack, all_threads=False)
        faulthandler.register(signal.SIGUSR1, stack, all_threads=False)
        _limit(ask.memory_mb)
        if ask.ready is None:
            sys.path.insert(0, str(ask.folder))
        try:
            kept = making.made(ask)
        except Fault as fault:
            mistakes = [fault.mistake]
        except SeatrialError as error:
            mistakes = [*error.mistakes]
        else:
            _write(scratch / MADE, kept.native())
            return 0
    _write(scratch / FAULT, json.dumps([asdict(each) for each in mistakes]).encode())
    return 1


def _limit(memory_mb: int | None) -> None:
    """First to be ended when the machine runs out of memory; no more than it may take.

    Counted is what it takes beyond now, when the libraries are loaded that everyone needs: how
    much these take depends on the machine's cores.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(OSError):  # not this kernel, or not allowed: then nobody is first
        Path("/proc/self/oom_score_adj").write_text("1000")
    if memory_mb is None:
        return
    status = Path("/proc/self/status").read_text().splitlines()
    held = next((int(line.split()[1]) for line in status if line.startswith("VmData:")), 0)
    most = held * 1024 + memory_mb * _MB
    resource.setrlimit(resource.RLIMIT_DATA, (most, most))


def _write(path: Path, content: bytes) -> None:
    """At once or not at all."""
    part = path.with_suffix(".part")
    part.write_bytes(content)
    part.replace(path)


if __name__ == "__main__":
    code = main(Path(sys.argv[1]))
    sys.stdout.flush()
    sys.stderr.flush()
    # not sys.exit: the project's threads may never end, and what is wanted is written
    os._exit(code)
