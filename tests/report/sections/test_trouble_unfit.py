"""What was kept has its form, and does not fit together: it says so, and the rest is drawn."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from tests.report.sections import test_answers, test_shadow

from seatrial.report.as_html import as_html
from seatrial.report.section import Note
from seatrial.report.sections import sections

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.report.sections.made import Begin

STEP = "evaluate.look"


def short(answers: Any) -> None:
    answers["candidate"]["of_classes"]["confusion"].pop()


def uneven(answers: Any) -> None:
    answers["candidate"]["of_classes"]["scores"].append([1, 2])


def uncounted(shadow: Any) -> None:
    shadow["tally"]["candidate_us"]["70"] = None


def nowhere(shadow: Any) -> None:
    shadow["tally"] = {"candidate_us": {"": 1}}


@pytest.mark.parametrize(
    ("name", "kept", "spoiled"),
    [
        ("answers", test_answers.of_classes((0, 1)), short),
        ("answers", test_answers.of_classes((0, 1)), uneven),
        ("shadow", test_shadow.kept(), uncounted),
        ("shadow", test_shadow.kept(), nowhere),
    ],
)
def test_it_is_said_in_its_place(
    begin: Begin, name: str, kept: bytes, spoiled: Callable[[Any], None]
) -> None:
    document = json.loads(kept)
    spoiled(document)
    begun = begin(STEP)
    begun.said(STEP, {name: json.dumps(document).encode()})
    found = {each.anchor: each for each in sections(begun.sources)}
    (note,) = found[name].parts
    assert isinstance(note, Note)
    assert note.gone
    assert "does not fit together" in note.said
    assert "lineage" in found
    assert "does not fit together" in as_html(begun.sources)
