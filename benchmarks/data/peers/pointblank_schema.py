"""Types and twelve ranges in pointblank on polars: ``pointblank_schema.py TABLE``, Parquet."""

from __future__ import annotations

import sys

from told import Stages

stages = Stages()
import pointblank as pb  # noqa: E402
import polars as pl  # noqa: E402

stages.reached("import_s")
table = pl.read_parquet(sys.argv[1])
stages.reached("load_s")
check = pb.Validate(table).col_schema_match(
    pb.Schema(
        columns=[(name, str(kind)) for name, kind in table.schema.items()],
    )
)
for i in range(12):
    check = check.col_vals_between(f"f{i}", -1e9, 1e9, na_pass=True)
found = check.interrogate()
stages.reached("job_s")
stages.tell(passed=found.all_passed())
