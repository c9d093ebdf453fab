"""How a peer tells what it cost: seconds of import, of loading, of the job; its peak memory."""

from __future__ import annotations

import json
import resource
import time
from pathlib import Path


class Stages:
    """``Stages()`` before the imports, ``reached(name)`` after each stage, ``tell()`` at last."""

    def __init__(self) -> None:
        self._at = time.perf_counter()
        self._cost: dict[str, float] = {}

    def reached(self, stage: str) -> None:
        """What has passed since the last stage was ``stage``."""
        now = time.perf_counter()
        self._cost[stage] = now - self._at
        self._at = now

    def tell(self, **more: object) -> None:
        """One line of JSON."""
        used = resource.getrusage(resource.RUSAGE_SELF)
        # rusage would count the memory of who started this program, too
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
        peak_mb = next(int(x.split()[1]) / 1024 for x in lines if x.startswith("VmHWM:"))
        cpu_s = used.ru_utime + used.ru_stime
        print(json.dumps({**self._cost, "cpu_s": cpu_s, "peak_mb": peak_mb, **more}))
