"""Ten ops that do nothing, one after the other, in Dagster: a process for each, or all in one."""

from __future__ import annotations

from dagster import Definitions, In, Nothing, in_process_executor, job, op


@op(ins={"before": In(Nothing)})
def nothing() -> None:
    """Do nothing."""


@op
def first() -> None:
    """Do nothing, after nothing."""


@job
def ten() -> None:
    """Each op in a process of its own, as is the default."""
    done = first()
    for _ in range(9):
        done = nothing(done)


@job(executor_def=in_process_executor)
def ten_in_one() -> None:
    """All ops in the process of the run."""
    done = first()
    for _ in range(9):
        done = nothing(done)


defs = Definitions(jobs=[ten, ten_in_one])
