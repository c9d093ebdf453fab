"""mlflow.models.evaluate on ready answers: ``mlflow_evaluate.py classes|numbers TABLE``."""

from __future__ import annotations

import sys
import tempfile

from told import Stages

stages = Stages()
import mlflow  # noqa: E402
import pandas as pd  # noqa: E402

stages.reached("import_s")
job, path = sys.argv[1:]
table = pd.read_parquet(path)
# its evaluator fails on the type that pandas 3 has for text
texts = [name for name in table if name.startswith("s") and name != "said"]
table = table.astype(dict.fromkeys(texts, object))
stages.reached("load_s")
kind, target, said = {
    "classes": ("classifier", "late", "label"),
    "numbers": ("regressor", "delay", "said"),
}[job]
with tempfile.TemporaryDirectory() as folder:
    mlflow.set_tracking_uri(f"sqlite:///{folder}/mlflow.db")
    mlflow.create_experiment("quality", artifact_location=f"file://{folder}/artifacts")
    mlflow.set_experiment("quality")
    stages.reached("store_s")
    with mlflow.start_run():
        found = mlflow.models.evaluate(
            data=table,
            targets=target,
            predictions=said,
            model_type=kind,
            evaluators="default",
            evaluator_config={"log_model_explainability": False},
        )
    stages.reached("job_s")
stages.tell(metrics=len(found.metrics))
