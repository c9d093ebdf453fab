"""What our checks cost: ``python -m data.ours JOB FILE …`` prints JSON; imports are left out.

``profile TABLE OUTPUT`` · ``check TABLE BASELINE`` · ``drift REFERENCE TABLE`` (the profile is made
first) · ``schema TABLE`` · ``leakage TRAINING EVALUATION``.
"""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

# What the jobs would import when they begin is imported before the clock starts, as of the peers.
import scipy.special  # noqa: F401

from data.costs import told
from data.tables import COLUMNS, FLOATS, INTEGERS
from seatrial.data.dataset import Dataset
from seatrial.data.drift import judging as drift
from seatrial.data.drift.limits import Limits
from seatrial.data.leakage import shared_rows as leakage
from seatrial.data.profiles import profile
from seatrial.data.schema import checking as schema
from seatrial.data.schema.demands import ColumnDemand, Demands
from seatrial.data.table import open_table

if TYPE_CHECKING:
    from collections.abc import Callable

DEMANDS = Demands(
    columns={
        **{name: ColumnDemand(type="number", min=-1e9, max=1e9) for name in FLOATS},
        **{name: ColumnDemand(type="integer") for name in INTEGERS},
        **{name: ColumnDemand(type="string") for name in COLUMNS if name.startswith("s")},
    }
)
"""Types of all columns, and twelve ranges."""


def main(job: str, *files: str) -> None:
    """Do it once, and tell."""
    began = time.perf_counter()
    stages = _JOBS[job](*(Path(file) for file in files))
    told(**stages, job_s=time.perf_counter() - began)


def _profile(table: Path, output: Path) -> dict[str, float]:
    profile.write(profile.make(open_table(Dataset("now", table))), output)
    return {}


def _check(table: Path, baseline: Path) -> dict[str, float]:
    began = time.perf_counter()
    rows = open_table(Dataset("now", table))
    opened = time.perf_counter()
    assert not schema.check(rows, DEMANDS, datetime.now(UTC)).broken
    checked = time.perf_counter()
    assert drift.compare(profile.read(baseline), rows, Limits()).measures
    # The digest is taken beside the scans; whoever records the verdict waits for it.
    assert rows.fingerprint
    ended = time.perf_counter()
    return {"open_s": opened - began, "schema_s": checked - opened, "drift_s": ended - checked}


def _drift(reference: Path, table: Path) -> dict[str, float]:
    made = profile.make(open_table(Dataset("reference", reference)))
    assert drift.compare(made, open_table(Dataset("now", table)), Limits()).measures
    return {}


def _schema(table: Path) -> dict[str, float]:
    assert not schema.check(open_table(Dataset("now", table)), DEMANDS, datetime.now(UTC)).broken
    return {}


def _leakage(training: Path, evaluation: Path) -> dict[str, float]:
    known, asked = open_table(Dataset("training", training)), open_table(Dataset("now", evaluation))
    assert known.fingerprint
    assert asked.fingerprint
    began = time.perf_counter()
    found = leakage.shared_rows(known, asked, COLUMNS)
    return {"compare_s": time.perf_counter() - began, "shared": found.shared}


_JOBS: dict[str, Callable[..., dict[str, float]]] = {
    "profile": _profile,
    "check": _check,
    "drift": _drift,
    "schema": _schema,
    "leakage": _leakage,
}

if __name__ == "__main__":
    main(*sys.argv[1:])
