"""Columns and twelve ranges in great_expectations on pandas: ``… TABLE``, Parquet."""

from __future__ import annotations

import sys

from told import Stages

stages = Stages()
import great_expectations as gx  # noqa: E402
import pandas as pd  # noqa: E402

stages.reached("import_s")
table = pd.read_parquet(sys.argv[1])
stages.reached("load_s")
context = gx.get_context(mode="ephemeral")
asset = context.data_sources.add_pandas("here").add_dataframe_asset("table")
batch = asset.add_batch_definition_whole_dataframe("all").get_batch({"dataframe": table})
suite = gx.ExpectationSuite(
    name="schema",
    expectations=[
        gx.expectations.ExpectTableColumnsToMatchSet(column_set=list(table.columns)),
        *(
            gx.expectations.ExpectColumnValuesToBeBetween(
                column=f"f{i}", min_value=-1e9, max_value=1e9
            )
            for i in range(12)
        ),
    ],
)
found = batch.validate(suite)
stages.reached("job_s")
stages.tell(passed=found.success)
