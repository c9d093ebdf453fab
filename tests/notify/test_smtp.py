"""What people get by e-mail, over real conversations with a real mail server."""

from __future__ import annotations

import asyncio
import email
import email.policy
import json
import socket
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import TYPE_CHECKING, Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

from seatrial.errors import PassingError, StoreError
from seatrial.notify import Telling, _wire, channels_of, check
from seatrial.notify.smtp import Smtp

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator

    from .conftest import Office

ACCOUNT = {"user": "ops", "password_env": "MAIL"}
HORSE = "correct horse battery"
ENVELOPE = {
    "specversion": "1.0",
    "id": "b" * 32,
    "source": "/seatrial/harbour",
    "type": "dev.seatrial.rolled_back.v1",
    "time": "2026-01-01T00:00:00+00:00",
    "datacontenttype": "application/json",
    "data": {
        "text": "delays went back to 1:\r\nBcc: everybody@example.org Grüße.",
        "kind": "rolled_back",
        "model": "delays",
        "ledger_head": "c" * 64,
    },
}


@dataclass(slots=True)
class PostOffice:
    """A mail server that takes, or refuses by code, and keeps what it got."""

    refuse: dict[str, str] = field(default_factory=dict)
    data: str = "250 taken"
    got: list[tuple[str, list[str], EmailMessage]] = field(default_factory=list)

    async def handle_RCPT(  # noqa: N802 - its name there
        self, _server: Any, _session: Any, envelope: Any, to: str, _: Any
    ) -> str:
        if to in self.refuse:
            return self.refuse[to]
        envelope.rcpt_tos.append(to)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 - likewise
        self, _server: Any, _session: Any, envelope: Any
    ) -> str:
        letter = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(letter, EmailMessage)
        self.got.append((envelope.mail_from, envelope.rcpt_tos, letter))
        return self.data


def _authenticated(_server: Any, _session: Any, _envelope: Any, _how: str, data: Any) -> AuthResult:
    assert isinstance(data, LoginPassword)
    right = (data.login, data.password) == (b"ops", HORSE.encode())
    return AuthResult(success=right, handled=False)


Start = "Callable[..., tuple[PostOffice, int]]"


@pytest.fixture
def start() -> Iterator[Callable[..., tuple[PostOffice, int]]]:
    """Opens a post office: `implicit` is a context for encryption from the first byte."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    opened: list[asyncio.Server] = []

    def begin(implicit: Any = None, **how: Any) -> tuple[PostOffice, int]:
        office = PostOffice()
        coming = loop.create_server(
            lambda: SMTP(office, hostname="post", loop=loop, **how), "127.0.0.1", 0, ssl=implicit
        )
        server = asyncio.run_coroutine_threadsafe(coming, loop).result(timeout=30)
        opened.append(server)
        return office, int(server.sockets[0].getsockname()[1])

    yield begin
    asyncio.run_coroutine_threadsafe(_end(opened), loop).result(timeout=30)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


async def _end(opened: list[asyncio.Server]) -> None:
    for server in opened:
        server.close()
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


def _telling(*, private: bool = True, **environment: str) -> Telling:
    return Telling(
        envelope=ENVELOPE, at=datetime.now(UTC), allow_private=private, environment=environment
    )


def _channel(port: int, **more: Any) -> Smtp:
    to = more.pop("to", ("ops@example.org",))
    host = more.pop("host", "localhost")
    return Smtp(host=host, port=port, sender="sea@example.org", to=to, **more)


def test_a_letter_for_people_with_the_event_attached(start: Any) -> None:
    handler, port = start()
    _channel(port, tls="none", to=("ops@example.org", "more@example.org")).send(_telling())
    ((sender, to, letter),) = handler.got
    assert (sender, to) == ("sea@example.org", ["ops@example.org", "more@example.org"])
    sentence = "delays went back to 1: Bcc: everybody@example.org Grüße."
    assert letter["Subject"].split() == f"[seatrial] {sentence}".split()
    assert letter["Bcc"] is None
    assert letter["Message-ID"] == f"<{'b' * 32}@example.org>"
    assert letter["Auto-Submitted"] == "auto-generated"
    body = letter.get_body()
    assert body is not None
    assert body.get_content().splitlines()[0] == sentence
    assert f"Ledger: {'c' * 64}" in body.get_content()
    (attached,) = letter.iter_attachments()
    assert attached.get_content_type() == "application/cloudevents+json"
    assert json.loads(attached.get_content()) == ENVELOPE


def test_starttls_is_the_default_and_the_password_goes_through_it(
    start: Any, certificate: ssl.SSLContext
) -> None:
    handler, port = start(
        tls_context=certificate,
        require_starttls=True,
        authenticator=_authenticated,
        auth_required=True,
    )
    channel = _channel(port, **ACCOUNT)
    channel.send(_telling(MAIL=HORSE))
    assert len(handler.got) == 1
    with pytest.raises(PassingError, match="535: it does not take the password of ops") as raised:
        channel.send(_telling(MAIL="wrong horse"))
    assert "wrong" not in str(raised.value)
    with pytest.raises(PassingError, match="the environment has no MAIL"):
        channel.send(_telling())


def test_implicit_tls(start: Any, certificate: ssl.SSLContext) -> None:
    handler, port = start(implicit=certificate)
    _channel(port, tls="implicit").send(_telling())
    assert len(handler.got) == 1


def test_a_server_without_encryption_gets_nothing(start: Any) -> None:
    handler, port = start()
    with pytest.raises(PassingError, match="offers no encryption"):
        _channel(port).send(_telling())
    assert not handler.got


def test_a_certificate_that_nobody_trusts(
    start: Any, certificate: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    handler, port = start(tls_context=certificate)
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(PassingError, match="self-signed certificate"):
        _channel(port).send(_telling())
    assert not handler.got


def test_a_private_address_is_refused(start: Any) -> None:
    handler, port = start()
    with pytest.raises(PassingError, match="no public address"):
        _channel(port, tls="none").send(_telling(private=False))
    assert not handler.got


@pytest.mark.parametrize(
    ("refuse", "data", "kind", "sentence"),
    [
        ({"ops@example.org": "450 later"}, "", PassingError, "every recipient: 450"),
        ({"ops@example.org": "550 who?"}, "", StoreError, "every recipient: 550"),
        ({}, "451 busy", PassingError, "answers 451"),
        ({}, "554 no such words", StoreError, "answers 554"),
    ],
)
def test_refusals(
    start: Any, refuse: dict[str, str], data: str, kind: type[StoreError], sentence: str
) -> None:
    handler, port = start()
    handler.refuse, handler.data = refuse, data
    with pytest.raises(StoreError, match=sentence) as raised:
        _channel(port, tls="none").send(_telling())
    assert type(raised.value) is kind


def test_who_was_taken_gets_it_once_and_who_was_not_is_told(start: Any) -> None:
    handler, port = start()
    handler.refuse = {"gone@example.org": "550 gone"}
    channel = _channel(port, tls="none", to=("ops@example.org", "gone@example.org"))
    with pytest.raises(StoreError, match=r"refuses gone@example.org") as raised:
        channel.send(_telling())
    assert not isinstance(raised.value, PassingError)
    assert len(handler.got) == 1


@pytest.mark.parametrize("greeting", [b"", b"2", b"220 hi\r\n"])
def test_a_server_that_hangs_or_drips(monkeypatch: pytest.MonkeyPatch, greeting: bytes) -> None:
    monkeypatch.setattr(_wire, "WITHIN_S", 0.4)
    ended = threading.Event()

    def drip(listening: socket.socket) -> None:
        with listening.accept()[0] as opened:
            opened.sendall(greeting)
            while greeting and not ended.wait(0.05):
                try:
                    opened.sendall(b"2")
                except OSError:
                    return
            ended.wait(30)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=drip, args=(listening,))
        thread.start()
        with pytest.raises(PassingError, match="took longer than"):
            _channel(listening.getsockname()[1], host="127.0.0.1", tls="none").send(_telling())
        ended.set()
        thread.join()


def test_a_server_that_hangs_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def hang_up() -> None:
            listening.accept()[0].close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        with pytest.raises(PassingError, match=r"ended the conversation|reset by peer"):
            _channel(listening.getsockname()[1], host="127.0.0.1", tls="none").send(_telling())
        thread.join()


@pytest.mark.parametrize(
    ("parameters", "what"),
    [
        ("host: m, from: a@b", "needs `to`"),
        ("host: m, from: a@b, to: []", "nobody to write to"),
        ("host: m, from: a@b, to: a@b", "`to` of smtp cannot be 'a@b'"),
        ("host: m, from: 'A <a@b>', to: [a@b]", "no e-mail address"),
        ("host: m, from: a@b, to: [b]", "'b' is no e-mail address"),
        ('host: m, from: a@b, to: ["a@b\\nBcc: c@d"]', "no e-mail address"),
        ("host: ' ', from: a@b, to: [a@b]", "is no host"),
        ("host: m, from: a@b, to: [a@b], port: 0", "no port 0"),
        ("host: m, from: a@b, to: [a@b], user: u", "both `user` and"),
        ("host: m, from: a@b, to: [a@b], password_env: P", "both `user` and"),
        ("host: m, from: a@b, to: [a@b], tls: ssl", "`tls` of smtp cannot be 'ssl'"),
        ("host: m, from: a@b, to: [a@b], tls: none", "only to private addresses"),
        ("host: m, from: a@b, to: [a@b], tls: none, user: u, password_env: P", "a password is"),
    ],
)
def test_mistakes_in_the_file(office: Office, parameters: str, what: str) -> None:
    (mistake,) = check(office.pipeline(f"smtp: {{{parameters}}}", private=False))
    assert what in mistake.what
    assert mistake.where.startswith("p.yaml:5:")


def test_its_name_says_whom_it_tells(office: Office) -> None:
    (listener,) = channels_of(office.pipeline("smtp: {host: m, from: a@b, to: [ops@b, c@b]}"))
    assert listener.name.startswith("smtp ops@b +1 ")
