"""Everything is told at least once, nobody waits for anybody, and what fails is seen."""

from __future__ import annotations

import itertools
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

import pytest

from running import until
from seatrial import workspace
from seatrial.ledger.tables import DELIVERY
from seatrial.ledger.verify import verify
from seatrial.notify import Channel, Listener, _wire, channels_of, courier
from seatrial.notify.courier import deliver, deliveries, trouble

from .conftest import KEY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from seatrial.notify import Telling
    from seatrial.pipeline import Pipeline

    from .conftest import Office, Receiver


def test_a_message_arrives_in_its_envelope(office: Office, hook: Receiver) -> None:
    office.post(reason="every gate passed")
    office.bring(office.courier(), office.webhook(hook.url))
    (event,) = hook.events()
    identity = event.pop("id")
    head = office.ledger.head()
    assert len(identity) == 32
    assert event == {
        "specversion": "1.0",
        "source": "/seatrial/harbour",
        "type": "dev.seatrial.promoted.v1",
        "subject": "delays/2",
        "time": "2026-01-01T00:00:00+00:00",
        "datacontenttype": "application/json",
        "data": {
            "text": "delays delays/2 was told.",
            "kind": "promoted",
            "model": "delays",
            "version": 2,
            "reason": "every gate passed",
            "ledger_head": head,
        },
    }
    assert office.deliveries() == [("webhook", "sent", 1)]
    verify(office.ledger, anchored=head)


def test_a_message_leads_to_the_page_while_there_is_one(office: Office, hook: Receiver) -> None:
    office.post(key="a", review="01J/x")
    office.post(key="b")
    office.bring(office.courier(page=lambda: "https://ml.example"), office.webhook(hook.url))
    links = {event["data"]["link"] for event in hook.events()}
    assert links == {"https://ml.example/reviews/01J%2Fx", "https://ml.example/models/delays"}


def test_it_is_told_once(office: Office, hook: Receiver) -> None:
    office.post()
    pipeline = office.webhook(hook.url)
    for _ in range(3):
        made = office.courier()
        office.bring(made, pipeline)
        made.end()
        office.clock.move(3600)
        office.post()
    assert len(hook.got) == 1


def test_500_then_200(office: Office, hook: Receiver) -> None:
    hook.script = ["500", "200"]
    office.post()
    made, pipeline = office.courier(), office.webhook(hook.url)
    office.bring(made, pipeline)
    (found,) = trouble(office.ledger)
    assert found.channel.startswith("webhook 127.0.0.1 ")
    assert (found.attempts, found.waiting, found.given_up) == (1, 1, 0)
    assert found.error == "127.0.0.1 answers 500 Internal Server Error"
    assert found.since == "2026-01-01T00:00:00+00:00"
    office.bring(made, pipeline)
    assert len(hook.got) == 1  # not before it is due
    office.clock.move(10)
    office.bring(made, pipeline)
    first, second = hook.events()
    assert first == second
    assert hook.got[0][0]["webhook-id"] == hook.got[1][0]["webhook-id"] == first["id"]
    assert trouble(office.ledger) == []


def test_ever_later_and_then_given_up_and_seen(office: Office, hook: Receiver) -> None:
    hook.script = ["503"]
    office.post()
    made, pipeline = office.courier(), office.webhook(hook.url)
    times = []
    began = office.clock()
    for _ in range(100):
        office.bring(made, pipeline)
        times.append((office.clock() - began).total_seconds())
        with office.ledger.read() as connection:
            row = connection.execute(DELIVERY.select()).one()
        if row.state == "given_up":
            break
        office.clock.time = datetime.fromisoformat(row.due)
    pauses = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert pauses == [10, 60, 300, 1800, *[3600] * 23]
    assert times[-1] <= 86400 < times[-1] + 3600
    assert len(hook.got) == len(times)
    (found,) = trouble(office.ledger)
    assert (found.waiting, found.given_up, found.attempts) == (0, 1, len(times))
    office.clock.move(86400 * 6)
    assert trouble(office.ledger)
    office.clock.move(86400 * 2)
    assert trouble(office.ledger) == []
    office.bring(made, pipeline)
    assert len(hook.got) == len(times)


def test_what_is_refused_for_good_is_given_up_at_once(office: Office, hook: Receiver) -> None:
    hook.script = ["413"]
    office.post()
    office.bring(office.courier(), office.webhook(hook.url))
    assert office.deliveries() == [("webhook", "given_up", 1)]
    (found,) = trouble(office.ledger)
    assert "answers 413" in found.error


def test_a_channel_that_hangs_delays_no_other(
    office: Office, hook: Receiver, other_hook: Receiver
) -> None:
    hook.script = ["hang"]
    for number in range(3):
        office.post(f"delays/{number}")
    pipeline = office.pipeline(
        f"webhook: {{url: '{hook.url}', secret_env: OPS_SECRET}},"
        f" webhook: {{url: '{other_hook.url}', secret_env: OPS_SECRET}}"
    )
    made = office.courier()
    made.turn((pipeline,))
    until(lambda: made.turn((pipeline,)) >= 0 and len(other_hook.got) == 3, "the other has all")
    assert len(hook.got) == 1
    assert made.busy
    # a decision is not held up either
    office.post("delays/9")
    until(lambda: made.turn((pipeline,)) >= 0 and len(other_hook.got) == 4, "it hears that too")
    hook.ended.set()


def test_what_was_never_tried_goes_before_what_failed(office: Office, hook: Receiver) -> None:
    hook.script = ["500", "500", "200"]
    made, pipeline = office.courier(), office.webhook(hook.url)
    office.post("old/1")
    office.post("old/2")
    office.bring(made, pipeline)
    office.clock.move(11)
    office.post("new/1")
    office.bring(made, pipeline)
    texts = [event["data"]["text"].split()[1] for event in hook.events()]
    assert texts[2] == "new/1"
    assert sorted(texts) == ["new/1", "old/1", "old/1", "old/2", "old/2"]


# who is told of what


def test_a_channel_is_told_of_what_it_asked_for(office: Office, hook: Receiver) -> None:
    made = office.courier()
    office.post("a", kind="watch_passed")
    office.post("b", kind="rolled_back")
    office.bring(made, office.webhook(hook.url, ", on: [rolled_back, frozen]"))
    assert [event["data"]["kind"] for event in hook.events()] == ["rolled_back"]
    # what was not asked for then does not come later
    office.bring(made, office.webhook(hook.url))
    assert len(hook.got) == 1
    office.post("c", kind="watch_passed")
    office.bring(made, office.webhook(hook.url))
    assert len(hook.got) == 2


def test_a_channel_is_told_of_its_own_model(
    office: Office, hook: Receiver, other_hook: Receiver
) -> None:
    channels = "webhook: {{url: '{}', secret_env: OPS_SECRET}}"
    mine = office.pipeline(channels.format(hook.url))
    yours = office.pipeline(channels.format(other_hook.url), name="others")
    office.post()
    office.bring(office.courier(), mine, yours)
    assert (len(hook.got), len(other_hook.got)) == (1, 0)


def test_a_channel_that_is_added_later_hears_no_old_story(office: Office, hook: Receiver) -> None:
    office.post("old")
    office.clock.move(7200)
    office.post("just now")
    office.clock.move(60)
    made, pipeline = office.courier(), office.webhook(hook.url)
    office.bring(made, pipeline)
    assert [event["data"]["text"] for event in hook.events()] == ["delays just now was told."]
    (noted,) = office.ledger.events(deliveries.SEEN)
    assert noted.body == {"channel": channels_of(pipeline)[0].name}
    verify(office.ledger)


def test_what_happened_while_no_courier_was_at_work_is_told_when_one_is(
    office: Office, hook: Receiver
) -> None:
    pipeline = office.webhook(hook.url)
    first = office.courier()
    office.bring(first, pipeline)
    first.end()
    office.clock.move(86400 * 3)
    office.post()
    office.clock.move(86400 * 3)
    office.bring(office.courier(), pipeline)
    assert len(hook.got) == 1


def test_what_nobody_could_try_for_a_week_is_not_told(office: Office, hook: Receiver) -> None:
    hook.script = ["500", "200"]
    pipeline, made = office.webhook(hook.url), office.courier()
    office.post("tried")
    office.bring(made, pipeline)
    office.post("untried")
    office.clock.move(86400 * 8)
    office.bring(made, pipeline)
    assert len(hook.got) == 1


@pytest.mark.parametrize("back_s", [1800, 7200, 86400 * 40])
def test_a_clock_that_is_put_back_holds_nothing_up(
    office: Office, hook: Receiver, back_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook.script = ["500", "200"]
    monkeypatch.setattr(courier, "SURELY_S", 0.0)
    pipeline, made = office.webhook(hook.url), office.courier()
    office.post("before")
    office.bring(made, pipeline)
    office.clock.move(-back_s)
    office.post("after")
    office.bring(made, pipeline)
    office.clock.move(3600)
    office.bring(made, pipeline)
    texts = [event["data"]["text"].split()[1] for event in hook.events()]
    assert sorted(texts) == ["after", "before", "before"]


# couriers


def test_two_couriers_tell_once(office: Office, hook: Receiver) -> None:
    pipeline = office.webhook(hook.url)
    one, other = office.courier(), office.courier()
    office.bring(one, pipeline)
    for number in range(5):
        office.post(f"delays/{number}")
        other.turn((pipeline,))
        office.bring(one, pipeline)
        assert not other.busy
    assert len(hook.got) == 5
    one.end()
    office.post("delays/9")
    office.bring(other, pipeline)
    assert len(hook.got) == 6


def test_a_courier_that_ended_keeps_the_lock_until_its_last_is_back(
    office: Office, hook: Receiver
) -> None:
    hook.script = ["hang"]
    office.post()
    pipeline, one, other = office.webhook(hook.url), office.courier(), office.courier()
    one.turn((pipeline,))
    until(lambda: hook.got, "it is on its way")
    one.end()
    other.turn((pipeline,))
    assert not other.busy
    hook.script = ["200"]
    hook.ended.set()
    until(lambda: other.turn((pipeline,)) >= 0 and other._held, "the lock is free")


def test_deliver_tries_once_what_is_due(office: Office, hook: Receiver) -> None:
    hook.script = ["500", "200"]
    office.environment = {}
    for number in range(3):
        office.post(f"delays/{number}")
    pipeline = office.webhook(hook.url)
    os.environ["OPS_SECRET"] = KEY
    try:
        deliver(office.workspace, office.ledger, [pipeline])
    finally:
        del os.environ["OPS_SECRET"]
    assert len(hook.got) == 3
    states = [state for _, state, _ in office.deliveries()]
    assert sorted(states) == ["due", "sent", "sent"]


def test_deliver_waits_no_longer_than_it_was_asked_to(
    office: Office, hook: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPS_SECRET", KEY)
    hook.script = ["hang"]
    office.post()
    deliver(office.workspace, office.ledger, [office.webhook(hook.url)], within_s=0.2)
    assert office.deliveries() == [("webhook", "due", 0)]
    hook.ended.set()


def test_a_folder_that_cannot_be_written_fails_no_command(office: Office) -> None:
    (office.workspace.home / "courier").mkdir()
    deliver(office.workspace, office.ledger, [office.webhook("http://127.0.0.1:1/")])


def test_deliver_with_nothing_to_tell_makes_no_event(office: Office) -> None:
    deliver(office.workspace, office.ledger, [office.pipeline("")])
    assert not list(office.ledger.events())


SENDER = """
import sys
from pathlib import Path
from seatrial import workspace
from seatrial.ledger.store import Ledger
from seatrial.notify.courier import Courier, deliveries
from seatrial.pipeline.read import read_file

folder = Path(sys.argv[1])
place = workspace.at(folder)
if sys.argv[2] == "forget":  # it is killed after the sending and before the note
    deliveries.sent = lambda *_: (print("told", flush=True), sys.stdin.read())
courier = Courier(place, Ledger(place.ledger, place.clock), lambda event, **_: None)
while True:
    courier.rest(courier.turn([read_file(folder / "pipeline.yaml")]))
"""


def test_kill_9_between_the_sending_and_the_note_tells_it_again_with_the_same_id(
    office: Office, hook: Receiver
) -> None:
    office.workspace = workspace.at(office.workspace.folder)
    office.clock.time = workspace.now()
    (office.workspace.folder / "pipeline.yaml").write_text(office.webhook(hook.url).text)
    office.post()

    def start(how: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", SENDER, str(office.workspace.folder), how],
            env={**os.environ, "OPS_SECRET": KEY},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    for how in ("forget", "note"):
        with start(how) as process:
            if how == "forget":
                assert process.stdout is not None
                assert process.stdout.readline() == "told\n"
            else:
                until(lambda: office.deliveries() == [("webhook", "sent", 1)], "it is noted")
            process.send_signal(signal.SIGKILL)
    first, second = hook.events()
    assert first["id"] == second["id"]
    assert [headers["webhook-id"] for headers, _ in hook.got] == [first["id"]] * 2


def test_what_cannot_be_noted_is_not_told_again_and_again(
    office: Office, hook: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seatrial.ledger.store.BUSY_TIMEOUT_MS", 20)
    hook.script = ["hang"]
    office.ledger.close()  # the next connections are as impatient as the test
    pipeline, made = office.webhook(hook.url), office.courier()
    office.post()
    made.turn((pipeline,))
    until(lambda: hook.got, "it is on its way")
    with closing(sqlite3.connect(office.workspace.ledger)) as rival:
        rival.execute("BEGIN IMMEDIATE")
        hook.script = ["200"]
        hook.ended.set()
        until(lambda: [event for event, _ in office.logged if event == "in_the_way"], "locked")
        for _ in range(3):
            made.turn((pipeline,))
        assert len(hook.got) == 1
        assert made.busy
        rival.rollback()
    office.bring(made, pipeline)
    assert len(hook.got) == 1


# what fails


class Odd(Channel, frozen=True, kw_only=True):
    """A channel of somebody else."""

    how: str = "raises"
    gate: ClassVar[threading.Event] = threading.Event()

    def target(self) -> str:
        return self.how

    def send(self, telling: Telling) -> None:
        if self.how == "raises":
            raise RuntimeError(f"no luck with {telling.secret('OPS_SECRET')}")
        self.gate.wait(60)


@pytest.fixture
def odd(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Odd]]:
    """Every pipeline has this channel, once a test has set how it is."""
    Odd.gate.clear()

    def listeners(pipeline: Pipeline) -> tuple[Listener, ...]:
        channel = Odd(how=pipeline.name)
        name = f"odd {channel.how}"
        return (Listener(name=name, model="delays", allow_private=True, channel=channel),)

    monkeypatch.setattr(courier, "channels_of", listeners)
    yield Odd
    Odd.gate.set()


@pytest.mark.usefixtures("odd")
def test_whatever_a_channel_raises_is_a_failure_of_the_channel(office: Office) -> None:
    office.post()
    office.bring(office.courier(), office.pipeline("", name="raises"))
    (found,) = trouble(office.ledger)
    assert found.error == "RuntimeError: no luck with ***"


def test_a_channel_that_never_comes_back_is_seen(
    office: Office, odd: type[Odd], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(courier, "OVERDUE_S", 0.0)
    office.post()
    pipeline, made = office.pipeline("", name="hangs"), office.courier()
    made.turn((pipeline,))
    until(lambda: made.turn((pipeline,)) >= 0 and trouble(office.ledger), "it is seen")
    (found,) = trouble(office.ledger)
    assert found.error == "has not come back within 0 s"
    office.clock.move(60)
    made.turn((pipeline,))
    assert len(made._trips) == 1  # no second thread for it
    odd.gate.set()
    office.bring(made, pipeline)
    assert office.deliveries() == [("odd", "sent", 1)]
    assert trouble(office.ledger) == []


def test_a_missing_variable_is_told_and_tried_again(office: Office, hook: Receiver) -> None:
    office.environment.clear()
    office.post()
    pipeline, made = office.webhook(hook.url), office.courier()
    office.bring(made, pipeline)
    (found,) = trouble(office.ledger)
    assert found.error.startswith("the environment has no OPS_SECRET (set it where")
    office.environment["OPS_SECRET"] = KEY
    office.clock.move(10)
    office.bring(made, pipeline)
    assert len(hook.got) == 1


def test_a_faulty_channel_is_logged_and_the_others_are_told(office: Office, hook: Receiver) -> None:
    office.post()
    good = f"webhook: {{url: '{hook.url}', secret_env: OPS_SECRET}}"
    made = office.courier()
    office.bring(made, office.pipeline(f"webhook: {{}}, {good}"))
    assert len(hook.got) == 1
    told = [fields for event, fields in office.logged if event == "channel_not_usable"]
    assert told[0]["where"] == "p.yaml:5:14"


def test_no_secret_is_kept_or_shown_anywhere(
    office: Office, hook: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_wire, "WITHIN_S", 0.3)
    address = f"{hook.url}?token=hush-hush"
    office.environment["OPS_URL"] = address
    office.post()
    pipeline = office.pipeline(
        "webhook: {url_env: OPS_URL, secret_env: OPS_SECRET},"
        " smtp: {host: localhost, port: 1, from: a@b, to: [a@b], user: u, password_env: OPS_URL},"
        " apprise: {url_env: OPS_URL}"
    )
    made = office.courier()
    for word in ("hang", "302", "junk"):
        hook.script = [word]
        office.bring(made, pipeline)
        office.clock.move(3600)
    office.ledger.close()
    stored = b"".join(file.read_bytes() for file in office.workspace.home.glob("ledger.db*"))
    shown = stored + repr((office.logged, trouble(office.ledger))).encode()
    assert len(hook.got) >= 3
    for secret in (b"hush-hush", KEY.encode(), KEY.removeprefix("whsec_").encode()):
        assert secret not in shown


def test_importing_the_folder_loads_nothing_heavy() -> None:
    heavy = "smtplib", "http.client", "ssl", "sqlalchemy", "apprise"
    program = f"import sys, seatrial.notify; print([m for m in {heavy} if m in sys.modules])"
    told = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert told.stdout == "[]\n"
