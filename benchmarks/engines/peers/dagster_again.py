"""The job of ten in a process that has run it before; prints seconds as JSON."""

from __future__ import annotations

from again import tell
from dagster import DagsterInstance
from dagster_job import ten_in_one


def run() -> None:
    """One run, kept in the instance as every other."""
    assert ten_in_one.execute_in_process(instance=DagsterInstance.get()).success


tell(run)
