"""Drift by KL divergence in evidently: ``evidently_kl.py REFERENCE CURRENT``, both Parquet."""

from __future__ import annotations

import sys

from told import Stages

stages = Stages()
import pandas as pd  # noqa: E402
from evidently import Dataset, Report  # noqa: E402
from evidently.presets import DataDriftPreset  # noqa: E402

stages.reached("import_s")
reference = pd.read_parquet(sys.argv[1])
current = pd.read_parquet(sys.argv[2])
stages.reached("load_s")
report = Report([DataDriftPreset(method="kl_div", threshold=0.1)])
found = report.run(Dataset.from_pandas(current), Dataset.from_pandas(reference)).dict()
stages.reached("job_s")
stages.tell(columns=len(found["metrics"]) - 1)
