"""What a call takes in a process that has made it before."""

from __future__ import annotations

import json
import statistics
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


TOLD = 3


def tell(call: Callable[[], object]) -> None:
    """Call once, then so often; medians in seconds of wall and of this process, as JSON."""
    call()
    walls, processors = zip(*(_spent(call) for _ in range(TOLD)), strict=True)
    print(json.dumps({"wall_s": statistics.median(walls), "cpu_s": statistics.median(processors)}))


def _spent(call: Callable[[], object]) -> tuple[float, float]:
    cpu, began = time.process_time(), time.perf_counter()
    call()
    return time.perf_counter() - began, time.process_time() - cpu
