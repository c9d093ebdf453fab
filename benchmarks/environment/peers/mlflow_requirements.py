"""mlflow's environment of a model: requirements inferred by loading it in a process of its own."""

import logging
import tempfile
from pathlib import Path

from told import Stages

stages = Stages()
import mlflow  # noqa: E402
import numpy as np  # noqa: E402
from sklearn.linear_model import LogisticRegression  # noqa: E402

logging.getLogger("mlflow").setLevel(logging.ERROR)
stages.reached("import_s")
model = LogisticRegression().fit(np.arange(20.0).reshape(10, 2), [0, 1] * 5)
with tempfile.TemporaryDirectory() as folder:
    place = str(Path(folder, "model"))
    mlflow.sklearn.save_model(model, place, pip_requirements=[])
    stages.reached("save_s")
    found = mlflow.models.infer_pip_requirements(place, "sklearn")
    stages.reached("job_s")
stages.tell(packages=len(found))
