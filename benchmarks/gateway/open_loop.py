"""Requests at a constant rate over keep-alive connections, each timed from when it was due.

A request that finds every connection taken waits for one, and that wait counts: a server that
stops for a second is charged with all that would have come in that second. Reads its task as JSON
from standard input and prints one line of JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from dataclasses import dataclass, field
from typing import Any

ANSWER_S = 30.0
Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(slots=True)
class Load:
    """One block of requests."""

    port: int
    raw: bytes
    free: asyncio.Queue[Connection]
    took_s: list[float] = field(default_factory=list)
    failed: int = 0

    async def one(self, due: float) -> None:
        """Send one when a connection is free, and note how long after ``due`` it was answered."""
        reader, writer = await self.free.get()
        try:
            writer.write(self.raw)
            status = await asyncio.wait_for(_answer(reader), ANSWER_S)
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            writer.close()
            self.failed += 1
            self.free.put_nowait(await self.connect())
            return
        self.took_s.append(time.perf_counter() - due)
        self.failed += status != b"200"
        self.free.put_nowait((reader, writer))

    async def connect(self) -> Connection:
        """A connection of its own."""
        return await asyncio.open_connection("127.0.0.1", self.port)


async def _answer(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
    await reader.readexactly(length)
    return head[9:12]


async def _main(asked: dict[str, Any]) -> None:
    load = Load(asked["port"], bytes.fromhex(asked["raw"]), asyncio.Queue())
    for _ in range(asked["connections"]):
        load.free.put_nowait(await load.connect())
    began = time.perf_counter()
    tasks = []
    for number in range(int(asked["per_second"] * asked["seconds"])):
        due = began + number / asked["per_second"]
        # This core is ours: to wait by timer would be late by up to a millisecond.
        while time.perf_counter() < due:  # noqa: ASYNC110
            await asyncio.sleep(0)
        tasks.append(asyncio.create_task(load.one(due)))
    await asyncio.gather(*tasks)
    seconds = time.perf_counter() - began
    took = sorted(load.took_s) or [float("nan")]
    told = {
        "requests": len(tasks),
        "failed": load.failed,
        "seconds": seconds,
        "p50_ms": took[len(took) // 2] * 1e3,
        "p99_ms": took[int(len(took) * 0.99)] * 1e3,
        "max_ms": took[-1] * 1e3,
    }
    print(json.dumps(told))


if __name__ == "__main__":
    asyncio.run(_main(json.load(sys.stdin)))
