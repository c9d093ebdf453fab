"""Receivers on free ports of this machine, and a project whose outbox is brought to them."""

from __future__ import annotations

import json
import ssl
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from running import until
from seatrial.ledger.store import Ledger
from seatrial.ledger.tables import DELIVERY
from seatrial.notify.courier import Courier
from seatrial.notify.outbox import Message, post
from seatrial.pipeline.read import read
from seatrial.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from seatrial.pipeline import Pipeline

KEY = "whsec_c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA=="
BIG = 10_000_000


@dataclass(slots=True)
class Receiver:
    """An HTTP server that answers by a script: a status, or one of `hang drip big junk`.

    The last word of the script goes on for ever; what it was sent is kept.
    """

    server: ThreadingHTTPServer
    script: list[str] = field(default_factory=lambda: ["200"])
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    sent_bytes: int = 0
    ended: threading.Event = field(default_factory=threading.Event)

    @property
    def port(self) -> int:
        return int(self.server.server_address[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    def events(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in self.got]

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        headers = {name.lower(): value for name, value in handler.headers.items()}
        body = handler.rfile.read(int(headers["content-length"]))
        self.got.append((headers, body))
        word = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        getattr(self, f"_{word}", lambda asked: self._status(asked, int(word)))(handler)

    def _status(self, handler: BaseHTTPRequestHandler, status: int) -> None:
        handler.send_response(status)
        if status in range(300, 400):
            handler.send_header("Location", f"{self.url}/elsewhere")
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    def _hang(self, _handler: BaseHTTPRequestHandler) -> None:
        self.ended.wait(60)

    def _drip(self, handler: BaseHTTPRequestHandler) -> None:
        """A header that never ends, a byte at a time: no single read ever times out."""
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        while not self.ended.wait(0.05):
            handler.wfile.write(b"a")

    def _big(self, handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(BIG))
        handler.end_headers()
        for _ in range(BIG // 10_000):
            handler.wfile.write(b"x" * 10_000)
            self.sent_bytes += 10_000

    def _junk(self, handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"\x16\x03\x01 this is no HTTP\r\n\r\n")


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that leaves in the middle is what is tested."""


def receiver(tls: ssl.SSLContext | None = None) -> Receiver:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            made.answer(self)

        def log_message(self, *_: object) -> None:
            pass

    server = _Server(("127.0.0.1", 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    made = Receiver(server)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    return made


def close(made: Receiver) -> None:
    made.ended.set()
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def hook() -> Iterator[Receiver]:
    made = receiver()
    yield made
    close(made)


@pytest.fixture
def other_hook() -> Iterator[Receiver]:
    made = receiver()
    yield made
    close(made)


@pytest.fixture
def certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """Of a server called localhost, signed by an authority that this process trusts."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / "certificate.pem"
    file.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.time = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time

    def move(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


@dataclass(slots=True)
class Office:
    """A project with channels, its outbox, and a courier by the test's clock."""

    workspace: Workspace
    ledger: Ledger
    clock: Clock
    environment: dict[str, str] = field(default_factory=lambda: {"OPS_SECRET": KEY})
    logged: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    couriers: list[Courier] = field(default_factory=list)

    def pipeline(self, channels: str, *, private: bool = True, name: str = "delays") -> Pipeline:
        text = (
            f"name: {name}\nstages: [{{name: first, tasks: [promote]}}]\n"
            f"notify:\n  allow_private: {str(private).lower()}\n  channels: [{channels}]\n"
        )
        found = read(text, "p.yaml")
        assert not found.mistakes
        return found

    def webhook(self, url: str, more: str = "") -> Pipeline:
        return self.pipeline(f"webhook: {{url: '{url}', secret_env: OPS_SECRET{more}}}")

    def post(self, key: str = "delays/2", kind: str = "promoted", **data: object) -> None:
        message = Message(
            kind=kind,
            key=key,
            model="delays",
            text=f"delays {key} was told.",
            data={"version": 2, **data},
        )
        self.ledger.write(lambda transaction: post(transaction, message))

    def courier(self, page: Callable[[], str | None] = lambda: None) -> Courier:
        log = lambda event, **fields: self.logged.append((event, fields))  # noqa: E731
        made = Courier(self.workspace, self.ledger, log, self.environment, page=page)
        self.couriers.append(made)
        return made

    def bring(self, courier: Courier, *pipelines: Pipeline) -> None:
        """Turn until nobody is on the way."""
        courier.turn(pipelines)
        until(lambda: courier.turn(pipelines) >= 0 and not courier.busy, "all are back")

    def deliveries(self) -> list[tuple[str, str, int]]:
        with self.ledger.read() as connection:
            rows = connection.execute(DELIVERY.select().order_by(DELIVERY.c.at))
            return [(row.channel.split()[0], row.state, row.attempts) for row in rows]


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    clock = Clock()
    workspace = Workspace(tmp_path / "harbour", tmp_path / "harbour" / ".seatrial", clock)
    workspace.folder.mkdir()
    ledger = Ledger(workspace.ledger, clock)
    made = Office(workspace, ledger, clock)
    yield made
    for courier in made.couriers:
        courier.end()
    ledger.close()
