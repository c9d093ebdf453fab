"""Does a model type keep its promises: the same model again, the same answers everywhere?"""

from __future__ import annotations

from importlib import metadata
from typing import TYPE_CHECKING

import numpy as np

from seatrial import models
from seatrial.inference.answer import Answer, class_labels
from seatrial.inference.parity import parity
from seatrial.inference.session import Model
from seatrial.inference.signature import Signature
from seatrial.models import Depending, NotExportable, Telling, Training
from seatrial.outcome import Finding
from seatrial.testing._demand import demand

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from seatrial.models import Fitted, Trainer

ROWS = 200
SEED = 1
NO_PARAMETER = "no_such_hyperparameter"
WHERE = "hyperparameters.yaml"
EXTREMES = (3.4e38, -3.4e38, np.inf, -np.inf)


def check_model(word: str, hyperparameters: Mapping[str, object] | None = None) -> None:
    """Raise :class:`AssertionError` with a sentence unless the model type keeps its promises.

    It is fitted on small data of every problem for which its ``check`` has nothing against the
    ``hyperparameters``: two classes, three words, numbers; with missing values and categories.

    >>> check_model("gradient_boosted", {"n_estimators": 5})
    """
    trainer = models.get(word)
    given = dict(hyperparameters or {})
    _refuses_unknown_hyperparameters(word, trainer, given)
    _names_installed_libraries(word, trainer)
    fitted_any = False
    for training in trainings(given):
        if trainer.check(given, WHERE, training.problem):
            continue
        fitted_any = True
        _keeps_promises(word, trainer, training)
    demand(fitted_any, f"the model type {word} fits no problem with its hyperparameters {given}")


def trainings(hyperparameters: Mapping[str, object]) -> Iterator[Training]:
    """Two classes, three classes that are words, and numbers."""
    random = np.random.default_rng(SEED)
    size = random.normal(size=ROWS).astype(np.float32)
    colour = random.choice(np.array(["red", "green", "blue"], dtype=object), ROWS)
    score = size + (colour == "red") + random.normal(scale=0.2, size=ROWS)
    size[::11] = np.nan
    colour[::13] = ""
    features = {"size": size, "colour": colour}
    words = np.array(["high", "low", "middle"], dtype=object)
    sets = (
        ("classes", (0, 1), (score > 0).astype(np.int64)),
        ("classes", ("high", "low", "middle"), words[np.digitize(score, [-0.5, 0.8])]),
        ("numbers", (), score.astype(np.float64)),
    )
    for problem, classes, target in sets:
        yield Training(features, target, problem, classes, hyperparameters, SEED)


def _refuses_unknown_hyperparameters(
    word: str, trainer: Trainer, given: Mapping[str, object]
) -> None:
    mistakes = trainer.check({**given, NO_PARAMETER: 1}, WHERE)
    told = [m for m in mistakes if NO_PARAMETER in m.what and WHERE in m.where]
    demand(told, f"{word} does not refuse an unknown hyperparameter by its name and place")


def _names_installed_libraries(word: str, trainer: Trainer) -> None:
    for library in trainer.libraries if isinstance(trainer, Depending) else ():
        demand(
            any(metadata.distributions(name=library)),
            f"{word} depends on {library!r}, and no package of that name is installed",
        )


def _keeps_promises(word: str, trainer: Trainer, training: Training) -> None:
    data = f"{word} on {training.problem}" + (f" {training.classes}" if training.classes else "")
    fitted, again = trainer.fit(training), trainer.fit(training)
    demand(
        fitted.native() == again.native(),
        f"{data}: the same training gives another model; fix its seed and its order of sums",
    )
    signature = Signature.of(training.features, training.problem, training.classes)
    demand(fitted.signature == signature, f"{data}: its signature is not that of the columns")
    probe = _probe(training.features)
    answer = fitted.predict(probe)
    _has_the_right_shape(data, training, answer)
    restored = trainer.restore(fitted.native(), signature)
    demand(_same(answer, restored.predict(probe)), f"{data}: what is restored answers otherwise")
    _answers_each_row_by_itself(data, fitted, probe, answer)
    _tells_findings(data, fitted, again)
    _exports_itself(data, fitted, again, probe)


def _probe(features: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The training rows; in every fifth row of a column the value is missing or was never seen.

    Now and then a number is as large as it can be, or infinite.
    """
    probe = {name: column.copy() for name, column in features.items()}
    for place, column in enumerate(probe.values()):
        column[place::5] = "never seen" if column.dtype == object else np.nan
        for step, extreme in enumerate(EXTREMES):
            if column.dtype != object:
                column[place + step + 1 :: 50] = extreme
    return probe


def _answers_each_row_by_itself(
    data: str, fitted: Fitted, probe: Mapping[str, np.ndarray], answer: Answer
) -> None:
    """The rows backwards, one row alone and no row at all."""
    backwards = fitted.predict({name: column[::-1] for name, column in probe.items()})
    alone = fitted.predict({name: column[:1] for name, column in probe.items()})
    demand(
        parity(_rows(answer, slice(None, None, -1)), backwards).ok
        and parity(_rows(answer, slice(1)), alone).ok,
        f"{data}: a row is answered otherwise when other rows stand beside it",
    )
    none = fitted.predict({name: column[:0] for name, column in probe.items()})
    shape = None if none.probabilities is None else none.probabilities.shape
    wanted = None if answer.probabilities is None else (0, answer.probabilities.shape[1])
    demand(
        none.label.shape == (0,) and shape == wanted,
        f"{data}: no rows must give an answer without rows",
    )


def _rows(answer: Answer, rows: slice) -> Answer:
    table = answer.probabilities
    return Answer(answer.label[rows], None if table is None else table[rows])


def _tells_findings(data: str, fitted: Fitted, again: Fitted) -> None:
    """Where a fit has something to tell, it is findings, and the same ones again."""
    if not isinstance(fitted, Telling):
        return
    told: object = fitted.findings
    demand(
        isinstance(told, tuple) and all(isinstance(each, Finding) for each in told),
        f"{data}: its findings must be a tuple of Finding",
    )
    demand(
        getattr(again, "findings", None) == told,
        f"{data}: the same training has other findings",
    )


def _has_the_right_shape(data: str, training: Training, answer: Answer) -> None:
    n, k = len(training.target), len(training.classes)
    demand(answer.label.shape == (n,), f"{data}: labels must be [{n}], not {answer.label.shape}")
    table = answer.probabilities
    if training.problem == "numbers":
        demand(table is None, f"{data}: numbers have no probabilities")
        demand(np.isfinite(answer.label.astype(float)).all(), f"{data}: an answer is not finite")
        return
    demand(table is not None and table.shape == (n, k), f"{data}: probabilities must be [{n}, {k}]")
    assert table is not None
    demand(
        np.allclose(table.sum(axis=1), 1, atol=1e-5) and (table >= 0).all(),
        f"{data}: the probabilities of a row must add up to 1",
    )
    known = class_labels(training.classes)
    demand(set(answer.label.tolist()) <= set(known.tolist()), f"{data}: a label is no class")
    best = known[table.argmax(axis=1)]
    demand((answer.label == best).all(), f"{data}: a label is not the most probable class")


def _exports_itself(
    data: str, fitted: Fitted, again: Fitted, probe: Mapping[str, np.ndarray]
) -> None:
    """ONNX with the same answers, or the reason why there is none."""
    try:
        exported = fitted.to_onnx()
    except NotExportable as error:
        demand(str(error).strip(), f"{data}: it cannot be exported and does not say why")
        return
    demand(exported == again.to_onnx(), f"{data}: the same training gives another ONNX file")
    proof = parity(fitted.predict(probe), Model.load(exported, fitted.signature).predict(probe))
    demand(
        proof.ok,
        f"{data}: ONNX answers {proof.outside} of {proof.rows} rows otherwise, with missing values"
        f" and unknown categories among them (largest difference {proof.largest_difference:.2g},"
        f" {proof.label_flips} labels flipped)",
    )


def _same(one: Answer, other: Answer) -> bool:
    if not np.array_equal(one.label, other.label):
        return False
    if one.probabilities is None or other.probabilities is None:
        return one.probabilities is other.probabilities
    return bool(np.array_equal(one.probabilities, other.probabilities))
