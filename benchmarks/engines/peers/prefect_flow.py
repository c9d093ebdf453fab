"""Ten tasks that do nothing, one after the other, in Prefect: ``python prefect_flow.py``."""

from __future__ import annotations

from prefect import flow, task


@task
def nothing() -> None:
    """Do nothing."""


@flow
def ten() -> None:
    """Call it ten times."""
    for _ in range(10):
        nothing()


if __name__ == "__main__":
    ten()
