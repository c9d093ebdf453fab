"""A run that was begun by a release which noted less of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from seatrial.report.forms import FORMS

if TYPE_CHECKING:
    from tests.report.sections.made import Begin


@pytest.mark.parametrize("ending", FORMS)
def test_it_has_every_report(begin: Begin, ending: str) -> None:
    begun = begin("look.check_schema")
    begun.said("look.check_schema", {})
    assert "look" in FORMS[ending](begun.sources)
