"""Several machines share a ledger, and each has a courier: people are told once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from postgres import postgres
from running import until
from seatrial.ledger.store import Ledger
from seatrial.ledger.verify import verify
from seatrial.notify.courier import CLAIMED_S
from shared_places import new_schema

from .conftest import Office

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postgres import Server

    from .conftest import Receiver

__all__ = ["postgres"]


@pytest.fixture
def offices(office: Office, postgres: Server) -> Iterator[tuple[Office, Office]]:
    """Two machines; their clock is the same, as a shared ledger's is."""
    place, made = new_schema(postgres), []
    for name in ("port", "starboard"):
        folder = office.workspace.folder / name
        folder.mkdir()
        workspace = replace(office.workspace, folder=folder, home=folder / ".seatrial")
        made.append(Office(workspace, Ledger(place, office.clock), office.clock))
    yield made[0], made[1]
    for each in made:
        for courier in each.couriers:
            courier.end()
        each.ledger.close()


def test_of_two_machines_one_brings_a_message(
    offices: tuple[Office, Office], hook: Receiver
) -> None:
    one, other = offices
    pipeline, couriers = one.webhook(hook.url), [each.courier() for each in offices]
    for number in range(4):
        one.post(f"delays/{number}")
        for courier in couriers:
            courier.turn((pipeline,))
        until(
            lambda: all(c.turn((pipeline,)) >= 0 and not c.busy for c in couriers), "all are back"
        )
    assert len(hook.got) == 4
    assert other.deliveries() == [("webhook", "sent", 1)] * 4
    verify(one.ledger)


def test_what_a_machine_hangs_on_is_brought_by_another(
    offices: tuple[Office, Office], hook: Receiver
) -> None:
    one, other = offices
    hook.script = ["hang", "200"]
    pipeline, hangs, goes = one.webhook(hook.url), one.courier(), other.courier()
    one.post()
    hangs.turn((pipeline,))
    until(lambda: hook.got, "it is on its way")
    goes.turn((pipeline,))
    assert not goes.busy
    one.clock.move(CLAIMED_S)
    other.bring(goes, pipeline)
    hook.ended.set()
    one.bring(hangs, pipeline)  # it comes back after all
    assert len({headers["webhook-id"] for headers, _ in hook.got}) == 1
    assert len(hook.got) == 2
    assert other.deliveries() == [("webhook", "sent", 1)]
