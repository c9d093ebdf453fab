"""What drawing a page alone costs: ``python -m web.drawn DOCUMENT`` of ``validate --json``."""

from __future__ import annotations

import json
import statistics
import sys
import time
from pathlib import Path

from seatrial.report.validated import validated

TIMES = 5


def main(file: str) -> None:
    """Draw it some times, and tell the first and the median in seconds."""
    document = json.loads(Path(file).read_text(encoding="utf-8"))
    took = []
    for _ in range(TIMES):
        began = time.perf_counter()
        page = validated(document, "seatrial")
        took.append(time.perf_counter() - began)
    told = {"first_s": took[0], "again_s": statistics.median(took[1:]), "bytes": len(page.encode())}
    print(json.dumps(told))


if __name__ == "__main__":
    main(*sys.argv[1:])
