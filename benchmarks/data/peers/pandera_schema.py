"""Types and twelve ranges in pandera: ``pandera_schema.py TABLE``, Parquet."""

from __future__ import annotations

import sys

from told import Stages

stages = Stages()
import pandas as pd  # noqa: E402
import pandera.pandas as pa  # noqa: E402

stages.reached("import_s")
table = pd.read_parquet(sys.argv[1])
stages.reached("load_s")
columns = {
    **{f"f{i}": pa.Column(float, pa.Check.in_range(-1e9, 1e9), nullable=True) for i in range(12)},
    **{f"i{i}": pa.Column(int) for i in range(4)},
    **{f"s{i}": pa.Column(None, nullable=True) for i in range(4)},
}
pa.DataFrameSchema(columns).validate(table, lazy=True)
stages.reached("job_s")
stages.tell(columns=len(columns))
