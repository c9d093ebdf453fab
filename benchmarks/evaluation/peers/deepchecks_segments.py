"""Metrics and weak segments in deepchecks on ready answers: ``deepchecks_segments.py TABLE``."""

from __future__ import annotations

import sys
import warnings

from told import Stages

warnings.filterwarnings("ignore")
stages = Stages()
import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
from deepchecks.core.errors import DeepchecksProcessError  # noqa: E402
from deepchecks.tabular import Dataset  # noqa: E402
from deepchecks.tabular.checks import (  # noqa: E402
    SingleDatasetPerformance,
    WeakSegmentsPerformance,
)

stages.reached("import_s")
table = pd.read_parquet(sys.argv[1])
texts = [name for name in table if name.startswith("s") and name != "said"]
p = table.pop("p").to_numpy()
answers, proba = table.pop("label").to_numpy(), np.column_stack([1 - p, p])
table = table.drop(columns=["delay", "said"])
data = Dataset(table, label="late", cat_features=texts)
stages.reached("load_s")
given = {"y_pred": answers, "y_proba": proba, "model_classes": [0, 1]}
scores = ["roc_auc", "neg_log_loss", "f1"]
SingleDatasetPerformance(scorers=scores, n_samples=len(table)).run(data, **given)
stages.reached("metrics_s")
# Of its own accord it looks at 10 000 rows, where it may find nothing to search by and gives up;
# on all of them it takes minutes.
search = WeakSegmentsPerformance(
    alternative_scorer={"roc_auc": "roc_auc"}, segment_minimum_size_ratio=0.01
)
try:
    segments = len(search.run(data, **given).value["weak_segments_list"])
except DeepchecksProcessError:
    segments = 0
stages.reached("segments_s")
stages.tell(segments=segments)
