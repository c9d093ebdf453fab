"""Numbers that a metric cannot take: why it is undefined on these rows, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from seatrial.metrics import Predictions


def log_difference(y: np.ndarray, predictions: Predictions) -> np.ndarray:
    """[n] log(1 + truth) - log(1 + answer)."""
    truth, answer = np.asarray(y, dtype=np.float64), predictions.label.astype(np.float64)
    return np.asarray(np.log1p(truth) - np.log1p(answer))


def below_minus_one(y: np.ndarray, predictions: Predictions) -> str:
    """Why there is no log of one more than each."""
    return _said(y > -1, "the target") or _said(predictions.label > -1, "the answer")


def no_count(y: np.ndarray, predictions: Predictions) -> str:
    """Why truth and answer cannot be counts."""
    return _said(y >= 0, "the target") or _said(predictions.label > 0, "the answer")


def not_positive(y: np.ndarray, predictions: Predictions) -> str:
    """Why truth and answer cannot be positive."""
    return _said(y > 0, "the target") or _said(predictions.label > 0, "the answer")


def _said(fits: np.ndarray, what: str) -> str:
    rows = int(np.count_nonzero(~np.asarray(fits)))
    return f"{what} is too small for it in {rows} of {len(fits)} rows" if rows else ""
