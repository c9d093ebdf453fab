"""The suites find what is wrong with an addition, and let a right one through."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

import seatrial.testing
from seatrial import extend, metrics, testing

if TYPE_CHECKING:
    from collections.abc import Callable

TASK = '''
from seatrial.errors import FileError
from seatrial.outcome import Outcome, Verdict
from seatrial.tasks import Input, Task

class Word(Task, frozen=True, kw_only=True):
    """Is a dataset fresh?"""

    dataset: str
    days: int = 7

    def inputs(self, scope):
        return (Input(self.dataset),)

    def demands(self, scope):
        yield f"{self.dataset} is at most {self.days} days old"

    def run(self, context):
        return Outcome(verdict=Verdict.PASS, reason="fresh")
'''

TASK_FAULTS = {
    "has no docstring": ('    """Is a dataset fresh?"""\n', ""),
    "it has no `run`": ("def run", "def ran"),
    "is not frozen": ("frozen=True, ", "frozen=False, "),
    "must be a class that extends": ("class Word(Task, frozen=True, kw_only=True)", "class Word"),
    "may be anything": ("days: int = 7", "days: __import__('typing').Any = 7"),
    "have no JSON Schema": ("days: int = 7", "days: complex = 7"),
    "default of `days`": ("days: int = 7", 'days: int = "week"'),
    "half re-usable": ("def demands", "def key(self, context): return ''\n    def demands"),
    "must be one line": ('yield f"', 'yield f"\\n'),
    "must be an Input or a Path": ("(Input(self.dataset),)", "(self.dataset,)"),
    "has no place": (
        "def demands",
        "def check(self, scope): return FileError('bad').mistakes\n    def demands",
    ),
    "keys that it does not know": ("frozen=True, ", "frozen=True, forbid_unknown_fields=False, "),
}  # fmt: skip

METRIC = """
import numpy as np
from seatrial.metrics import Metric

def value(y, predictions):
    return float(np.mean(y == predictions.label))

def per_row(y, predictions):
    return (y == predictions.label).astype(float)

Word = Metric(name="others_accuracy", problem="classes", value=value, method="mean",
              per_row=per_row, least=0.0, most=1.0)
"""

METRIC_FAULTS = {
    "calls itself": ('name="others_accuracy"', 'name="other"'),
    "greater_is_better right": ("least=0.0", "greater_is_better=False, least=0.0"),
    "outside its range": ("most=1.0", "most=0.5"),
    "gives": ("(y == predictions.label).astype", "(y != predictions.label).astype"),
    "one number a row": (".astype(float)\n\nWord", ".astype(float)[1:]\n\nWord"),
    "unknown method": ('"mean"', '"guess"'),
    "needs per_row or influence": ("per_row=per_row, ", ""),
    "order of the rows": ("np.mean(y == predictions.label)", "(y == predictions.label)[:9].mean()"),
    "must be a float": ("return float(np.mean(", "return np.float32(np.mean("),
}  # fmt: skip

MODEL = """
from seatrial.models.gradient_boosted import GradientBoosted, Trees

class Word(GradientBoosted):
    pass
"""

MODEL_FAULTS = {
    "does not refuse an unknown hyperparameter": """
    def check(self, hyperparameters, where, problem=""):
        return []
""",
    "gives another model": """
    def fit(self, training):
        import dataclasses
        Word.count = getattr(Word, "count", 0) + 1
        return super().fit(dataclasses.replace(training, target=training.target[::-1])
                           if Word.count % 2 else training)
""",
    "what is restored answers otherwise": """
    def restore(self, native, signature):
        import json
        document = json.loads(native)
        for words in document["categories"].values():
            words.reverse()
        return super().restore(json.dumps(document).encode(), signature)
""",
    "when other rows stand beside it": """
    def fit(self, training):
        fitted = super().fit(training)
        return Beside(fitted.signature, fitted.categories, fitted.text, fitted.booster)

    def restore(self, native, signature):
        read = super().restore(native, signature)
        return Beside(read.signature, read.categories, read.text, read.booster)

class Beside(Trees):
    def predict(self, features):
        import numpy as np
        return super().predict({name: np.roll(column, 1) for name, column in features.items()})
""",
    "its findings must be a tuple of Finding": """
    def fit(self, training):
        class Chatty(Trees):
            findings = ("all went well",)
        fitted = super().fit(training)
        return Chatty(fitted.signature, fitted.categories, fitted.text, fitted.booster)
""",
    "no package of that name is installed": """
    libraries = ("no-such-package",)
""",
    "ONNX answers": """
    def fit(self, training):
        import dataclasses
        class Wrong(Trees):
            def to_onnx(self):
                from seatrial.models._lightgbm_onnx import export
                turned = {name: words[::-1] for name, words in self.categories.items()}
                return export(self.text, self.signature, turned)
        fitted = super().fit(training)
        return Wrong(fitted.signature, fitted.categories, fitted.text, fitted.booster)
""",
    "fits no problem": """
    def check(self, hyperparameters, where, problem=""):
        from seatrial.errors import Mistake
        found = super().check(hyperparameters, where, problem)
        return found or ([Mistake("not this")] if problem else [])
""",
}


def test_a_right_task_of_another_package(install: Callable[..., None]) -> None:
    install("tasks", "check_freshness", TASK)
    assert "check_freshness" in extend.names("tasks")
    testing.check_task("check_freshness")
    testing.check_task("check_freshness", {"dataset": "training_data"})


@pytest.mark.parametrize("sentence", TASK_FAULTS)
def test_a_faulty_task(install: Callable[..., None], sentence: str) -> None:
    right, wrong = TASK_FAULTS[sentence]
    assert right in TASK
    install("tasks", "check_freshness", TASK.replace(right, wrong))
    with pytest.raises(AssertionError, match=sentence):
        testing.check_task("check_freshness")


def test_a_use_that_the_task_refuses(install: Callable[..., None]) -> None:
    install("tasks", "check_freshness", TASK)
    with pytest.raises(AssertionError, match="refuses a use that should be right"):
        testing.check_task("check_freshness", {"dataset": "sample", "days": "many"})


def test_a_right_metric_of_another_package(install: Callable[..., None]) -> None:
    install("metrics", "others_accuracy", METRIC)
    testing.check_metric("others_accuracy")


@pytest.mark.parametrize("sentence", METRIC_FAULTS)
def test_a_faulty_metric(install: Callable[..., None], sentence: str) -> None:
    right, wrong = METRIC_FAULTS[sentence]
    assert right in METRIC
    install("metrics", "others_accuracy", METRIC.replace(right, wrong))
    with pytest.raises(AssertionError, match=sentence):
        testing.check_metric("others_accuracy")


def test_a_metric_that_differs_from_scikit_learn(monkeypatch: pytest.MonkeyPatch) -> None:
    other = replace(metrics.get("accuracy"), name="jaccard_macro")
    monkeypatch.setattr(metrics, "get", lambda _word: other)
    with pytest.raises(AssertionError, match="scikit-learn says"):
        testing.check_metric("jaccard_macro")


def test_a_right_model_of_another_package(install: Callable[..., None]) -> None:
    install("models", "trees", MODEL)
    testing.check_model("trees", {"n_estimators": 5})


@pytest.mark.parametrize("sentence", MODEL_FAULTS)
def test_a_faulty_model(install: Callable[..., None], sentence: str) -> None:
    install("models", "trees", MODEL.replace("    pass\n", MODEL_FAULTS[sentence]))
    with pytest.raises(AssertionError, match=sentence):
        testing.check_model("trees", {"n_estimators": 5})


ENGINE = """
from seatrial.engines.embedded import Embedded

class Word(Embedded):
    def run(self, work, run, *, wait):
        return super().run(work, run, wait=wait)
"""


def test_a_right_engine_of_another_package(install: Callable[..., None]) -> None:
    install("engines", "patient", ENGINE)
    testing.check_engine("patient")


def test_an_engine_that_does_nothing(install: Callable[..., None]) -> None:
    source = ENGINE.replace("return super().run(work, run, wait=wait)", "return run")
    install("engines", "idle", source)
    with pytest.raises(AssertionError, match="left the run running"):
        testing.check_engine("idle")


def test_an_engine_that_skips_the_gates(install: Callable[..., None]) -> None:
    cheat = (
        "from seatrial.ledger import runs\n"
        "        runs.end(work.project.ledger, run.id, runs.State.FINISHED, 'pass', None)\n"
        "        return runs.get(work.project.ledger, run.id)"
    )
    source = ENGINE.replace("return super().run(work, run, wait=wait)", cheat)
    install("engines", "hasty", source)
    with pytest.raises(AssertionError, match="the first 4 and no others must be done"):
        testing.check_engine("hasty")


def test_the_suites_are_public_and_an_unknown_one_is_told() -> None:
    for name in testing.__all__:
        assert callable(getattr(testing, name))
    with pytest.raises(AttributeError, match="check_everything"):
        seatrial.testing.check_everything  # noqa: B018
