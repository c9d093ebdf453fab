"""The bins of a comparison as a document, from which a picture can be drawn without the data."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

from seatrial.data.drift.bins import ORDERED, names_of, rows_of

if TYPE_CHECKING:
    from seatrial.data import Rows
    from seatrial.data.drift.compared import Compared
    from seatrial.data.drift.judging import Drift
    from seatrial.data.profiles.profile import Profile
    from seatrial.data.shape import ColumnProfile

FORMAT = "seatrial.distribution"
VERSION = 1


def document(drift: Drift, profile: Profile, rows: Rows) -> dict[str, object]:
    """The counts of every column and slice, now and in the reference, and how they were judged.

    The counts are in the order of the bins; those of numbers and times lie between ``edges``, the
    others are of ``values``. Every column has as many ``names`` as bins, to be written beside
    them.
    """
    return {
        "format": FORMAT,
        "version": VERSION,
        "dataset": drift.dataset,
        "fingerprint": rows.fingerprint,
        "rows": rows.rows,
        "reference": {
            "dataset": profile.dataset,
            "fingerprint": profile.fingerprint,
            "rows": profile.rows,
        },
        "measure": drift.divergence.word,
        "unit": drift.divergence.unit,
        "approximate": drift.divergence.approximate,
        "verdict": str(drift.verdict),
        "columns": [_column(each) for each in drift.compared],
    }


def written(found: dict[str, object]) -> bytes:
    """The document as one line of JSON; the same comparison gives the same bytes."""
    return json.dumps(found, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def _column(each: Compared) -> dict[str, object]:
    pair, measure = each.pair, each.measure
    reference, part = pair.reference, pair.within
    bins: dict[str, object] = (
        {"edges": [*reference.edges]}
        if reference.kind in ORDERED
        else {"values": [*reference.values]}
    )
    return {
        "column": reference.name,
        "slice": None if part is None else {"column": part.column, "value": part.value},
        "kind": reference.kind,
        "type": reference.type,
        "value": measure.value,
        "low": measure.low,
        "high": measure.high,
        "limit": measure.limit,
        "verdict": str(measure.verdict),
        **bins,
        "names": names_of(reference),
        "reference": _counts(reference),
        "current": _counts(pair.current),
        "contributors": [
            {"name": change.name, "before": change.before, "now": change.now}
            for change in each.changes
        ],
        "unlisted": [{"value": value, "rows": rows} for value, rows in pair.unlisted],
    }


def _counts(column: ColumnProfile) -> dict[str, object]:
    moments = {
        "minimum": column.minimum,
        "maximum": column.maximum,
        "mean": column.mean,
        "deviation": column.deviation,
    }
    return {
        "rows": rows_of(column),
        "counts": [*column.counts],
        "other": column.other,
        "nulls": column.nulls,
        "nans": column.nans,
        "infinities": column.infinities,
        **{
            name: None if value is None or not math.isfinite(value) else value
            for name, value in moments.items()
        },
    }
