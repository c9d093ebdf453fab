"""A minimal profile in ydata-profiling: ``ydata_profile.py TABLE``, Parquet."""

from __future__ import annotations

import sys

from told import Stages

stages = Stages()
import pandas as pd  # noqa: E402
from ydata_profiling import ProfileReport  # noqa: E402

stages.reached("import_s")
table = pd.read_parquet(sys.argv[1])
stages.reached("load_s")
found = ProfileReport(table, minimal=True, progress_bar=False).get_description()
stages.reached("job_s")
stages.tell(columns=len(found.variables))
