"""The child that weighs: ``python -m seatrial.evaluation.speed.memory FOLDER``.

A fresh interpreter that has loaded everything but a version. What its resident memory grows by
at most, while it opens the version and answers, is the version's; of a version that answers from
a process of its own, that process counts whole.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

import msgspec

from seatrial.errors import FormError, StoreError
from seatrial.evaluation.speed.asking import QUESTION, REPLY, MemoryQuestion, MemoryReply
from seatrial.evaluation.speed.timing import TOO_LONG_S, tried
from seatrial.evaluation.speed.waiting import children
from seatrial.inference.served import Served
from seatrial.ledger.blobs import Blobs

if TYPE_CHECKING:
    from collections.abc import Callable

_PEAK, _NOW = "VmHWM:", "VmRSS:"


def main(folder: Path) -> None:
    """Answer the question in the folder."""
    question = msgspec.msgpack.decode((folder / QUESTION).read_bytes(), type=MemoryQuestion)
    (folder / REPLY).write_bytes(msgspec.msgpack.encode(weighed(question)))


def weighed(question: MemoryQuestion) -> MemoryReply:
    """Open and answer; what that took."""
    get = Blobs(Path(question.blobs)).get
    sizes: dict[str, int] = {}

    def read(digest: str) -> bytes:
        content = get(digest)
        sizes[digest] = len(content)
        return content

    _forget_peak()
    before = _resident("self", _NOW)
    version = question.version
    try:
        served = Served.open(version.model, version.version, version.digest, read)
    except (StoreError, FormError) as error:
        return MemoryReply(blocked=str(error))
    per_row_s = 0.0
    for rows, body in question.bodies:
        if per_row_s * rows > TOO_LONG_S:
            break
        began = perf_counter()
        failed = tried(served, body)
        if failed:
            return MemoryReply(failed=failed)
        per_row_s = (perf_counter() - began) / rows
    grown = _resident("self", _PEAK) - before
    others = sum(_resident(str(child), _PEAK) for child in children())
    return MemoryReply(memory=max(grown, 0) + others, size=_model_files(version.digest, get, sizes))


def _model_files(manifest: str, get: Callable[[str], bytes], sizes: dict[str, int]) -> int:
    """Bytes of what was opened, without the manifest and the golden rows."""
    files = msgspec.json.decode(get(manifest))["files"]
    spared = {manifest, files.get("golden.json")}
    return sum(size for digest, size in sizes.items() if digest not in spared)


def _forget_peak() -> None:
    """Let the peak begin anew; where the kernel does not offer it, loading counts a little."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def _resident(process: str, field: str) -> int:
    """Bytes of resident memory."""
    with suppress(OSError):
        for line in Path(f"/proc/{process}/status").read_text().splitlines():
            if line.startswith(field):
                return int(line.split()[1]) * 1024
    return 0


if __name__ == "__main__":
    main(Path(sys.argv[1]))
