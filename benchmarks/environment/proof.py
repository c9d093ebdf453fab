"""One proof of a bundle, told from the side of who asks: ``python -m environment.proof DIR``.

Seconds, and the peak memory of this process; the model is asked in another one.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from data.costs import told
from seatrial.environment.proof.proving import prove

began = time.perf_counter()
proven = prove(Path(sys.argv[1]))
assert proven.ok, proven.said
told(prove_s=time.perf_counter() - began, rows=proven.rows)
