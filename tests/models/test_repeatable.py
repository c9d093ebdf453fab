"""The same training gives the same bits in another process, on any number of threads."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from seatrial import extend

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "LOKY_MAX_CPU_COUNT")

ROWS = {"linear": 40_000}
"""So many that sums on two threads come out otherwise, where nothing is done about it."""

# Numbers alone, and beside text.
FIT = """
import hashlib
import sys
import numpy as np
from seatrial.models import Training, get

def told(answer):
    shown = answer.label if answer.probabilities is None else answer.probabilities
    return shown.tobytes()

random = np.random.default_rng(1)
rows = int(sys.argv[2])
numbers = {f"x{i}": random.normal(i, 3, rows).astype(np.float32) for i in range(24)}
numbers["x1"][::9] = np.nan
text = {"t": random.choice(np.array(["a", "b", "c", ""], dtype=object), rows)}
score = sum(c for n, c in numbers.items() if n != "x1") / 20 + (text["t"] == "a")
score = score + random.normal(size=rows)
words = np.array(["high", "low", "middle"], dtype=object)
third = np.digitize(score, np.quantile(score, [0.3, 0.7]))
targets = (
    ("classes", (0, 1), (score > score.mean()).astype(np.int64)),
    ("classes", tuple(words), words[third]),
    ("numbers", (), score.astype(np.float64)),
)
few = {} if sys.argv[1] == "linear" else {"n_estimators": 6}
for features in (numbers, {**numbers, **text}):
    for problem, classes, target in targets:
        fitted = get(sys.argv[1]).fit(Training(features, target, problem, classes, few, 3))
        parts = (fitted.native(), fitted.to_onnx(), told(fitted.predict(features)))
        print(problem, len(classes), *(hashlib.sha256(part).hexdigest()[:12] for part in parts))
"""


@pytest.mark.slow
@pytest.mark.parametrize("word", extend.names("models"))
def test_the_same_bits_on_one_thread_and_on_two(word: str) -> None:
    one, two = fitted(word, "1"), fitted(word, "2")
    assert len(one.splitlines()) == 6
    assert one == two


def fitted(word: str, threads: str) -> str:
    environment = {**os.environ, **dict.fromkeys(THREADS, threads)}
    command = [sys.executable, "-W", "error", "-c", FIT, word, str(ROWS.get(word, 4_000))]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout
