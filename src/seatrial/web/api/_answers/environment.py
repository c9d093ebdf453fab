"""Who answers with what serves, and on which machines."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct


class Answering(Struct):
    """A live gateway: what it said of the version, and whether golden rows proved it there."""

    id: str
    address: str
    host: str
    workers: int
    state: str | None
    proven: bool
    reason: str | None
    at: str | None


class MachineField(Struct):
    """In what machines differ from the first: their values, in the order of ``names``."""

    field: str
    values: list[str | None]
    differs: list[bool]
    level: Literal["error", "warn", "info", "same"]


class Machines(Struct):
    """As ``seatrial env compare --all --json``: the machines by ``names``."""

    names: list[str]
    rows: list[MachineField]
    equal: int


class ModelEnvironment(Struct):
    """Who answers with what is in production; ``trouble`` says why machines are not compared."""

    model: str
    version: int | None
    gateways: list[Answering]
    machines: Machines | None
    trouble: str
