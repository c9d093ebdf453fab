"""One thing is on one side only, told by its key."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from seatrial.data.leakage.shared_keys import shared_keys
from seatrial.errors import FormError

if TYPE_CHECKING:
    from .conftest import Opened


def test_without_a_key_there_is_nothing_to_compare(opened: Opened) -> None:
    assert shared_keys(opened("id,x\n1,2\n"), opened("id,x\n1,2\n", "e.csv")) is None


def test_shared_keys_are_counted_with_examples(opened: Opened) -> None:
    training = opened("id,x\n1,0.1\n2,0.2\n2,0.3\n5,0\n", key="id")
    evaluation = opened("id,x\n3,0.1\n2,0.7\n2,0.8\n5,0.3\n", "e.csv", key="id")
    found = shared_keys(training, evaluation)
    assert found is not None
    assert (found.key, found.values, found.rows) == ("id", 2, 3)
    assert found.examples == (("2", 2, 2), ("5", 4, 4))


@pytest.mark.parametrize("declares", ["training", "evaluation"])
def test_one_declaration_is_enough(opened: Opened, declares: str) -> None:
    key = {"key": "id"}
    training = opened("id,x\n1,2\n2,3\n", **(key if declares == "training" else {}))
    evaluation = opened("id,x\n2,2\n", "e.csv", **(key if declares == "evaluation" else {}))
    found = shared_keys(training, evaluation)
    assert found is not None
    assert found.values == 1


def test_each_side_may_call_its_key_otherwise(opened: Opened) -> None:
    found = shared_keys(
        opened("id,x\n1,2\n2,3\n", key="id"), opened("who,x\n2,2\n", "e.csv", key="who")
    )
    assert found is not None
    assert (found.key, found.values) == ("who", 1)


@pytest.mark.parametrize(
    ("ours", "theirs", "shared"),
    [
        ("7\n8\n", "7.0\n9.5\n", 1),  # whole numbers that a tool wrote as floats
        ("7\n8\n", "7\nx\n", 1),
        ("9007199254740993\n1\n", "9007199254740992\n2\n", 0),  # not told apart as floats
        ("007\n008x\n", "7\n8\n", 0),
        ("\n1\n", "\n2\n", 0),  # missing names nothing
    ],
)
def test_types_neither_hide_nor_invent_a_key(
    opened: Opened, ours: str, theirs: str, shared: int
) -> None:
    lines = [[f"{line},1" for line in text.split("\n")[:-1]] for text in (ours, theirs)]
    tables = [
        opened("\n".join(["id,x", *rows, ""]), name, key="id")
        for rows, name in zip(lines, ("t.csv", "e.csv"), strict=True)
    ]
    found = shared_keys(*tables)
    assert found is not None
    assert found.values == shared


def test_a_missing_key_column_is_a_mistake_of_form(opened: Opened) -> None:
    training = opened("customer_id,x\n1,2\n", key="customer_id")
    with pytest.raises(FormError, match="no column 'customer_id'") as error:
        shared_keys(training, opened("customerid,x\n1,2\n", "e.csv"))
    assert error.value.mistakes[0].nearest == "customerid"


def test_a_key_without_values_is_a_mistake_of_form(opened: Opened) -> None:
    training = opened("id,x\n1,2\n", key="id")
    with pytest.raises(FormError, match="no value in any row"):
        shared_keys(training, opened("id,x\n,2\n,3\n", "e.csv", key="id"))
