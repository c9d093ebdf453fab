"""Set and resolve an alias in MLflow's registry; prints medians in milliseconds as JSON.

Runs in MLflow's own environment: registry_theirs.py FOLDER MOVES.
"""

from __future__ import annotations

import json
import statistics
import sys
import time

from mlflow import MlflowClient

MODEL = "flights"


def main(folder: str, moves: str) -> None:
    """Two versions, given the alias in turn; each time it is resolved once."""
    client = MlflowClient(
        tracking_uri=f"sqlite:///{folder}/mlflow.db", registry_uri=f"sqlite:///{folder}/mlflow.db"
    )
    client.create_registered_model(MODEL)
    for _ in range(2):
        client.create_model_version(MODEL, source=f"{folder}/model")
    promoted, resolved = [], []
    for number in range(int(moves)):
        wanted = str(1 + number % 2)
        began = time.perf_counter()
        client.set_registered_model_alias(MODEL, "production", wanted)
        between = time.perf_counter()
        found = client.get_model_version_by_alias(MODEL, "production")
        ended = time.perf_counter()
        assert str(found.version) == wanted
        promoted.append((between - began) * 1000)
        resolved.append((ended - between) * 1000)
    print(
        json.dumps({"promote": statistics.median(promoted), "resolve": statistics.median(resolved)})
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
