"""What a table of many devices costs: ``python -m environment.devices DEVICES PACKAGES``.

Every tenth device lags behind in five packages; every third has another processor.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from data.costs import told
from seatrial.environment import document
from seatrial.environment.capture import capture, fingerprint
from seatrial.environment.table import table


def main(devices: int, packages: int) -> None:
    """Read every capture from its file, as the command does, then compare them all."""
    with tempfile.TemporaryDirectory() as folder:
        for number in range(devices):
            made = _device(number, packages)
            Path(folder, f"device-{number:03}.json").write_text(json.dumps(made))
        began = time.perf_counter()
        captures = {file.stem: document.read(file) for file in sorted(Path(folder).iterdir())}
        read = time.perf_counter()
        found = table(captures)
        compared = time.perf_counter()
    told(read_s=read - began, compare_s=compared - read, rows=len(found.rows))


def _device(number: int, packages: int) -> dict[str, Any]:
    names = [f"package-{place:03}" for place in range(packages)]
    made = capture()
    made["dependencies"] = {
        name: "1.3.9" if number % 10 == 1 and place % (packages // 5) == 0 else "1.4.0"
        for place, name in enumerate(names)
    }
    made["records"] = {
        name: f"sha256:{hash((name, version)) & (1 << 255) - 1:064x}"
        for name, version in made["dependencies"].items()
    }
    made["editable"], made["hidden"], made["unnamed"] = [], {}, []
    if number % 3 == 0:
        made["cpu"] = {**made["cpu"], "model": "Cortex-A76", "flags": ["asimd", "asimddp"]}
    made["hash"] = fingerprint(made)
    return made


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
