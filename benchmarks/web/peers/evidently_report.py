"""Evidently's page of drift: ``evidently_report.py REFERENCE CURRENT PAGE``; both Parquet."""

from __future__ import annotations

import json
import sys
import time

began = time.perf_counter()
import pandas as pd  # noqa: E402
from evidently import Dataset, Report  # noqa: E402
from evidently.presets import DataDriftPreset  # noqa: E402

imported = time.perf_counter()
reference, current = (pd.read_parquet(file) for file in sys.argv[1:3])
loaded = time.perf_counter()
found = Report([DataDriftPreset()]).run(
    Dataset.from_pandas(current), Dataset.from_pandas(reference)
)
judged = time.perf_counter()
found.save_html(sys.argv[3])
drawn = time.perf_counter()
print(
    json.dumps(
        {
            "import_s": imported - began,
            "load_s": loaded - imported,
            "judge_s": judged - loaded,
            "draw_s": drawn - judged,
        }
    )
)
