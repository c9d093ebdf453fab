"""A DAG file of a pipeline that was never written: stages with and without a condition."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from seatrial.engines._call import Call
from seatrial.engines._exported import sealed
from seatrial.engines._outline import Outline, StageOutline
from seatrial.engines.airflow import Airflow

OUTLINE = Outline(
    name="flights_late",
    file="pipeline.yaml",
    stages=(
        StageOutline("check_data", None, ("check_data.check_schema", "check_data.check_schema-2")),
        StageOutline("tell", "!stages.check_data.passed", ("tell.probe",)),
        StageOutline("train_model", None, ("train_model.train",)),
    ),
    schedule="30 2 * * *",
    timezone="Europe/Berlin",
    overlap="skip",
    catch_up="skip",
)
CALL = Call(Path("/srv/flights"), "pipeline.yaml", "/opt/seatrial/bin/python")


def exported(call: Call = CALL, **changes: Any) -> str:
    outline = dataclasses.replace(OUTLINE, **changes)
    return sealed("airflow", outline, Airflow().export(outline, call))
