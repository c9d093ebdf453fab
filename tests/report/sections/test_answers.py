"""The answers of candidate and production: side by side, drawn once, and said to be gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from seatrial.evidence.drawn import drawn, written
from seatrial.inference.answer import most_probable
from seatrial.metrics import Predictions
from seatrial.report.section import Chart, Note
from seatrial.report.sections.answers import section

if TYPE_CHECKING:
    from tests.report.sections.made import Begin

    from seatrial.report.section import Section


ONE, OTHER = "test.integration_tests", "test.performance_tests"


def of_classes(classes: tuple[int | str, ...], *, compared: bool = True) -> bytes:
    random = np.random.default_rng(1)
    place = random.integers(0, len(classes), 300)
    labels = np.array(classes, dtype=object)[place]

    def model(skill: float) -> Predictions:
        raw = random.gamma(1.0, size=(300, len(classes)))
        raw += skill * (place[:, None] == range(len(classes)))
        answer = most_probable(raw / raw.sum(axis=1, keepdims=True), classes)
        return Predictions(answer.label, answer.probabilities, classes)

    other = (1, model(1.0)) if compared else None
    return written(drawn(labels, (2, model(3.0)), other, dataset="d", fingerprint="abc"))


def of_numbers(*, compared: bool = True) -> bytes:
    truth = np.linspace(0, 10, 200)
    other = (1, Predictions(truth + 2)) if compared else None
    answers = truth + np.sin(truth)
    answers[0] = 1e9
    mine = (2, Predictions(answers))
    return written(drawn(truth, mine, other, dataset="d", fingerprint="abc"))


def made(begin: Begin, answers: bytes) -> Section:
    begun = begin(ONE, OTHER)
    begun.said(ONE, {"answers": answers})
    found = section(begun.sources)
    assert found is not None
    return found


def charts(found: Section) -> dict[str, Chart]:
    return {part.title: part for part in found.parts if isinstance(part, Chart)}


def notes(found: Section) -> str:
    return "\n".join(part.said for part in found.parts if isinstance(part, Note))


def test_two_classes(begin: Begin) -> None:
    found = made(begin, of_classes(("no", "yes<b>")))
    drawn_now = charts(found)
    assert list(drawn_now) == [
        "truth and answers, candidate (version 2)",
        "truth and answers, production (version 1)",
        "ROC",
        "calibration",
        "probability of yes<b>, candidate (version 2)",
        "probability of yes<b>, production (version 1)",
    ]
    roc = drawn_now["ROC"].table.rows
    assert roc[0][1:3] == ("0", "0")
    assert roc[-1][1:3] == ("1", "1")
    assert "<b>" not in "".join(chart.svg for chart in drawn_now.values())
    assert "300 rows of d (test.integration_tests), fingerprint abc." in notes(found)


def test_many_classes_have_no_roc_and_the_rest_as_one(begin: Begin) -> None:
    found = made(begin, of_classes(tuple(range(30)), compared=False))
    assert list(charts(found)) == ["truth and answers, candidate (version 2)", "calibration"]
    heads = charts(found)["truth and answers, candidate (version 2)"].table.heads
    assert len(heads) == 21
    assert heads[-1] == "11 others"


def test_numbers(begin: Begin) -> None:
    found = made(begin, of_numbers())
    residuals = charts(found)["residuals: answer less truth"]
    assert residuals.table.heads == ("bin", "production", "candidate")
    assert len(charts(found)) == 2
    assert "candidate (version 2): 0 rows lie below the first bin, and 1 above" in notes(found)


def test_numbers_of_a_first_version(begin: Begin) -> None:
    found = made(begin, of_numbers(compared=False))
    residuals = charts(found)["residuals: answer less truth"]
    assert residuals.table.heads == ("bin", "candidate")


def test_the_same_answers_are_drawn_once(begin: Begin) -> None:
    begun = begin(ONE, OTHER)
    for step in (ONE, OTHER):
        begun.said(step, {"answers": of_classes((0, 1))})
    found = section(begun.sources)
    assert found is not None
    assert len(charts(found)) == 6
    assert f"({ONE} and {OTHER})" in notes(found)


def test_what_is_gone_or_unknown_is_said_in_its_place(begin: Begin) -> None:
    begun = begin(ONE, OTHER)
    begun.said(ONE, {"answers": of_classes((0, 1))})
    begun.said(OTHER, {"answers": b'{"format": "seatrial.answers", "version": 9}'})
    begun.lose(ONE, "answers")
    found = section(begun.sources)
    assert found is not None
    gone, unknown = found.parts
    assert isinstance(gone, Note)
    assert isinstance(unknown, Note)
    assert (gone.gone, unknown.gone) == (True, False)
    assert "is missing" in gone.said
    assert "another release" in unknown.said


def test_a_run_without_answers_has_no_such_section(begin: Begin) -> None:
    begun = begin(ONE, OTHER)
    begun.said(ONE, {})
    assert section(begun.sources) is None
