"""Two versions side by side: what they disagree on, counted as what it is worth."""

from __future__ import annotations

import numpy as np
import pytest

from seatrial.evaluation.comparison import _disagreement
from seatrial.evaluation.labelled import Labelled
from seatrial.evidence import rates
from seatrial.metrics import Predictions, get


def test_rows_of_one_thing_disagree_together() -> None:
    """Of 100 things with 10 rows each, 20 get other answers in all of their rows."""
    truth = np.tile([0, 1], 500)
    things = np.repeat(np.arange(100), 10)
    mine, theirs = Predictions(truth, None, (0, 1)), np.where(things < 20, 1 - truth, truth)
    other = Predictions(theirs, None, (0, 1))
    alone = Labelled("rows", {}, truth, get("accuracy"), None)
    together = Labelled("rows", {}, truth, get("accuracy"), things)
    found = _disagreement(alone, mine, other)
    assert (found.share.value, found.only_first, found.only_second) == (0.2, 200, 0)
    assert (found.share.low, found.share.high) == rates.of_one(200, 1000)
    wider = _disagreement(together, mine, other).share
    assert wider.value == 0.2
    assert (wider.low, wider.high) == pytest.approx(rates.of_one(20, 100), abs=0.005)
