"""Structured logs: JSON lines, and no flood."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seatrial.gateway import log

if TYPE_CHECKING:
    import pytest


def test_of_many_in_a_second_a_few_are_told_and_the_rest_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now, told = [100.0], []

    def write(event: str, **fields: Any) -> None:
        told.append((event, fields))

    monkeypatch.setattr("time.monotonic", lambda: now[0])
    spare = log.sparing(write, 2)
    for number in range(5):
        spare("refused", number=number)
    now[0] = 101.5
    spare("refused", number=5)
    assert told == [
        ("refused", {"number": 0}),
        ("refused", {"number": 1}),
        ("refused", {"number": 5, "left_out": 3}),
    ]
