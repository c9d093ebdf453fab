"""Ten tasks that do nothing, one after the other, in Airflow."""

from __future__ import annotations

from airflow.sdk import DAG, chain, task


@task
def nothing() -> None:
    """Do nothing."""


with DAG("ten", schedule=None):
    chain(*(nothing.override(task_id=f"nothing_{number}")() for number in range(10)))
