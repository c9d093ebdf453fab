"""A minimal page by ydata-profiling: ``ydata_report.py TABLE PAGE``; the table is Parquet."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

began = time.perf_counter()
import pandas as pd  # noqa: E402
from ydata_profiling import ProfileReport  # noqa: E402

imported = time.perf_counter()
table = pd.read_parquet(sys.argv[1])
loaded = time.perf_counter()
report = ProfileReport(table, minimal=True, progress_bar=False)
report.to_file(Path(sys.argv[2]), silent=True)
drawn = time.perf_counter()
print(
    json.dumps(
        {"import_s": imported - began, "load_s": loaded - imported, "draw_s": drawn - loaded}
    )
)
