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


def test_what_two_versions_say_of_other_classes_is_drawn_apart(begin: Begin) -> None:
    labels = np.array(["a", "b", "c"] * 20)
    two = most_probable(np.tile([[0.6, 0.4], [0.2, 0.8], [0.3, 0.7]], (20, 1)), ("a", "b"))
    three = most_probable(np.tile(np.eye(3) * 0.7 + 0.1, (20, 1)), ("a", "b", "c"))
    sides = [
        Predictions(each.label, each.probabilities, classes)
        for each, classes in ((two, ("a", "b")), (three, ("a", "b", "c")))
    ]
    kept = written(drawn(labels, (2, sides[0]), (1, sides[1]), dataset="d", fingerprint="f"))
    found = [part for part in made(begin, kept).parts if isinstance(part, Chart)]
    calibrations = [part.table.heads[1] for part in found if part.title == "calibration"]
    assert calibrations == ["probability of b", "probability of the answer"]
    (roc,) = (part for part in found if part.title == "ROC")
    assert roc.table.heads[1:3] == ("of the others, the share called b", "of b, the share found")
    (scores,) = (part for part in found if part.title.startswith("probability of b"))
    assert scores.table.heads == ("bin", "all others", "b")


def test_rows_of_one_class_are_calibrated_by_the_class_that_is_asked_for(begin: Begin) -> None:
    answers = most_probable(np.tile([[0.6, 0.4]], (30, 1)), ("no", "yes"))
    side = Predictions(answers.label, answers.probabilities, ("no", "yes"))
    kept = written(drawn(np.array(["no"] * 30), (2, side), None, dataset="d", fingerprint="f"))
    found = charts(made(begin, kept))
    assert "ROC" not in found
    head, row = found["calibration"].table.heads, found["calibration"].table.rows[0]
    assert (head[1], row[1:3], row[-1]) == ("probability of yes", ("0.4", "0"), "30")


def test_of_many_classes_what_was_right_is_counted_before_they_stand_together(
    begin: Begin,
) -> None:
    labels = np.arange(60) % 30
    answer = np.where(labels >= 25, 25 + (labels + 1) % 5, labels)
    answer[:20] = (labels[:20] + 1) % 20
    side = Predictions(answer, None, tuple(range(30)))
    kept = written(drawn(labels, (2, side), None, dataset="d", fingerprint="f"))
    (chart,) = charts(made(begin, kept)).values()
    assert chart.said.startswith(f"{int((labels == answer).sum())} of 60 rows")


def test_numbers(begin: Begin) -> None:
    found = made(begin, of_numbers())
    residuals = charts(found)["residuals: answer less truth"]
    assert residuals.table.heads == ("bin", "production", "candidate")
    assert len(charts(found)) == 2
    assert residuals.table.rows[0] == ("below -2", "0.0 %", "0.0 %")
    assert residuals.table.rows[-1] == ("above 2", "0.0 %", "0.5 %")


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
