"""Clients of a model whose versions switch: keep-alive, and a new connection for each request.

``switch_client.py PORT OUT LEAST``: goes on until it has sent LEAST requests and its standard input
has ended. Reads the body from the file OUT.body, and writes OUT, a structured array with one entry
a request: ``sent`` and ``got`` in nanoseconds since 1970, ``version`` (0: no answer), ``fresh``.
"""

from __future__ import annotations

import asyncio
import re
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

KEPT, FRESH = 12, 4
FIELDS = np.dtype([("sent", "i8"), ("got", "i8"), ("version", "i4"), ("fresh", "?")])
ANSWER_S = 30.0
_VERSION = re.compile(rb'"model_version":"(\d+)"')
_LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)


@dataclass(slots=True)
class Clients:
    """Everything that was sent so far."""

    port: int
    raw: bytes
    least: int
    told: list[tuple[int, int, int, bool]] = field(default_factory=list)
    stopped: bool = False

    @property
    def wanted(self) -> bool:
        """Whether another request is to be sent."""
        return not self.stopped or len(self.told) < self.least

    async def keep(self) -> None:
        """One connection for all; another only when it broke, which counts as a failure."""
        while self.wanted:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            whole = True
            while whole and self.wanted:
                whole = await self._one(reader, writer, time.time_ns(), fresh=False)
            writer.close()

    async def renew(self) -> None:
        """A new connection for each request."""
        while self.wanted:
            sent = time.time_ns()
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            except OSError:
                self.told.append((sent, time.time_ns(), 0, True))
                continue
            await self._one(reader, writer, sent, fresh=True)
            writer.close()

    async def _one(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, sent: int, *, fresh: bool
    ) -> bool:
        try:
            writer.write(self.raw)
            version = await asyncio.wait_for(_answer(reader), ANSWER_S)
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            version = 0
        self.told.append((sent, time.time_ns(), version, fresh))
        return version > 0


async def _answer(reader: asyncio.StreamReader) -> int:
    head = await reader.readuntil(b"\r\n\r\n")
    length = _LENGTH.search(head)
    body = await reader.readexactly(int(length[1]) if length else 0)
    found = _VERSION.search(body)
    return int(found[1]) if found and head[9:12] == b"200" else 0


async def _main(port: int, out: Path, least: int) -> None:
    clients = Clients(port, out.with_suffix(".body").read_bytes(), least)
    tasks = [asyncio.create_task(clients.keep()) for _ in range(KEPT)]
    tasks += [asyncio.create_task(clients.renew()) for _ in range(FRESH)]
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    clients.stopped = True
    await asyncio.gather(*tasks)
    np.save(out, np.array(clients.told, FIELDS))


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])))
