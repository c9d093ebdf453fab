"""Minimum functionality: a file of cases is read, and each that fails is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from behaving import Plain, scored, signature_of
from seatrial.errors import FormError
from seatrial.evaluation.behaviour.case_file import read_cases
from seatrial.evaluation.behaviour.cases import Case, cases
from seatrial.inference.answer import most_probable

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from seatrial.evaluation.behaviour.case_file import CaseFile
    from seatrial.inference.signature import Signature

    Read = Callable[..., CaseFile]

LATE = signature_of(numbers=("delay",), texts=("carrier",))
WORDS = signature_of(numbers=("delay",), classes=("early", "late", "on time"))
MINUTES = signature_of(numbers=("delay",), classes=())
model = scored(
    lambda f: np.clip(np.nan_to_num(f["delay"], nan=0.0) / 100, 0, 1),
    numbers=("delay",),
    texts=("carrier",),
)


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def of(text: str, signature: Signature = LATE, target: str = "late") -> CaseFile:
        (tmp_path / "cases.csv").write_text(text)
        return read_cases(tmp_path / "cases.csv", signature, target, "cases.csv")

    return of


def test_cases_that_hold_pass(read: Read) -> None:
    file = read("delay,carrier,late,at_least,at_most\n90,AA,1,0.8,\n10,,0,,0.2\n,AA,0,,\n")
    assert file.left_out == ()
    found = cases(model, file.features, file.cases)
    assert found.ok
    (measure,) = found.measures
    assert (measure.name, measure.value, measure.n) == ("behaviour.cases", 0, 3)
    assert np.isnan(file.features["delay"][2])
    assert file.features["carrier"].tolist() == ["AA", "", "AA"]


def test_each_case_that_fails_is_told_with_its_row_its_name_and_why(read: Read) -> None:
    file = read(
        "name,delay,carrier,late,at_least,why\n"
        "two hours,90,AA,0,0.95,nobody makes up for that\n"
        ",90,AA,1,,\n"
        "none,0,AA,,0.5,\n"
    )
    found = cases(model, file.features, file.cases)
    assert found.measures[0].value == 2
    first, second = found.findings("cases.csv")
    assert first.what == (
        "case in row 1 (two hours): the label is 1, not 0 (which has 0.1)"
        " and the probability of 1 is 0.9, not at least 0.95"
    )
    assert (first.where, first.hint) == ("cases.csv", "nobody makes up for that")
    assert second.what == "case in row 3 (none): the probability of 1 is 0, not at least 0.5"


def test_a_feature_without_a_column_is_missing_in_every_case(read: Read) -> None:
    file = read("delay,late\n90,1\n")
    assert file.left_out == ("carrier",)
    assert file.features["carrier"].tolist() == [""]
    assert read("carrier,at_most\nAA,0.5\n").left_out == ("delay",)


def test_a_class_may_be_named_whose_probability_is_bounded(read: Read) -> None:
    text = "delay,class,at_least,at_most\n5,on time,0.5,\n5,late,,0.1\n"
    file = read(text, WORDS, "arrival")
    table = np.array([[0.1, 0.3, 0.6]] * 2)
    found = cases(
        Plain(WORDS, lambda _: most_probable(table, ("early", "late", "on time"))),
        file.features,
        file.cases,
    )
    (fault,) = found.faults
    assert fault.what == "case in row 2: the probability of 'late' is 0.3, not at most 0.1"


def test_numbers_are_expected_within_a_tolerance(read: Read) -> None:
    text = "delay,arrival,tolerance,at_most\n5,10,2,\n5,10,6,\n5,,,4\n"
    file = read(text, MINUTES, "arrival")
    found = cases(
        scored(lambda f: f["delay"], numbers=("delay",), classes=()), file.features, file.cases
    )
    assert [fault.what for fault in found.faults] == [
        "case in row 1: the answer is 5, not 10 ± 2",
        "case in row 3: the answer is 5, not at most 4",
    ]


def test_whole_numbers_and_booleans_are_classes_as_files_write_them(read: Read) -> None:
    for text in (
        "delay,late\n1,1\n2,0\n",
        "delay,late\n1,true\n2,false\n",
        "delay,late\n1,1.0\n2,0.0\n",
    ):
        assert [case.expected for case in read(text).cases] == [1, 0]


def test_a_feature_named_as_a_word_is_the_feature(read: Read) -> None:
    signature = signature_of(numbers=("tolerance",), texts=("name",))
    file = read("tolerance,name,late\n3,x,1\n", signature)
    assert file.features["tolerance"].tolist() == [3.0]
    assert file.cases == (Case(row=1, expected=1),)


MISTAKES = {
    "a column that is none": (
        "dellay,carrier,late\n1,AA,1\n",
        LATE,
        ["the column 'dellay' is no feature of the model", "nearest: delay"],
    ),
    "no feature at all": ("late\n1\n", LATE, ["has no column that the model reads"]),
    "a case that demands nothing": (
        "delay,late\n1,1\n2,\n",
        LATE,
        ["the case demands nothing", "cases.csv, row 2", "`late`, `at_least` or `at_most`"],
    ),
    "a label that is no class": (
        "delay,late\n1,on tme\n",
        WORDS,
        ["'on tme' is no class of the model", "did you mean 'on time'?"],
    ),
    "a number that is no class": ("delay,late\n1,7\n", LATE, ["7 is no class", "one of: 0, 1"]),
    "whose probability": (
        "delay,at_least\n1,0.5\n",
        WORDS,
        ["does not say of which class", "one of: early, late, on time"],
    ),
    "no probability": ("delay,at_least\n1,50\n", LATE, ["50 is no probability"]),
    "no tolerance": ("delay,late\n1,5\n", MINUTES, ["says no tolerance", "add a column"]),
    "a class of numbers": ("delay,class,at_most\n1,x,5\n", MINUTES, ["has no classes"]),
    "text for a number": (
        "delay,late\nsoon,1\n",
        LATE,
        ["'soon' where a number is expected", "an empty cell is a missing value"],
    ),
    "nothing": ("", LATE, ["cases.csv"]),
    "only a header": ("delay,late\n", LATE, ["cases.csv"]),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_in_the_file_is_told_with_its_place(read: Read, mistake: str) -> None:
    text, signature, said = MISTAKES[mistake]
    with pytest.raises(FormError) as caught:
        read(text, signature)
    for part in said:
        assert part in str(caught.value)
    assert all(len(str(each).splitlines()) <= 6 for each in caught.value.mistakes)


def test_every_mistake_is_told_at_once(read: Read) -> None:
    with pytest.raises(FormError) as caught:
        read("delay,late\n1,\n2,9\n3,\n")
    assert len(caught.value.mistakes) == 3


def test_a_model_that_fails_on_the_cases_fails_them_all(read: Read) -> None:
    file = read("delay,late\n1,1\n2,0\n")

    def fails(_: object) -> np.ndarray:
        raise ValueError("no")

    found = cases(scored(fails, numbers=("delay",), texts=("carrier",)), file.features, file.cases)
    assert found.measures[0].value == 2
    assert str(found) == "asked all 2 cases, it fails: no"


def test_a_bound_is_kept_by_the_nearest_number_that_the_model_can_say() -> None:
    demanded = (Case(row=1, at_least=0.9), Case(row=2, at_most=0.7))
    assert float(np.float32(0.9)) < 0.9
    found = cases(scored(lambda _: np.array([0.9, 0.7])), {"a": np.zeros(2)}, demanded)
    assert found.ok


def test_nan_keeps_no_bound() -> None:
    demanded = (Case(row=1, at_least=0.0), Case(row=2, at_most=1.0))
    found = cases(scored(lambda _: np.full(2, np.nan)), {"a": np.zeros(2)}, demanded)
    assert found.measures[0].value == 2
