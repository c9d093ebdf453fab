"""A store that refuses, fails, is slow or lies: what is told, and what is tried again."""

from __future__ import annotations

import http.server
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from seatrial.errors import PassingError, StoreError
from seatrial.ledger.blob_stores import opening, store
from seatrial.ledger.blobs import digest_of, open_blobs
from stores import aim

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from seatrial.ledger.blobs import Blobs

pytestmark = pytest.mark.slow  # a store that makes them wait

CONTENT = b"content" * 1000
DIGEST = digest_of(CONTENT)
MOVED = 301
SECRET = "hush-hush"  # noqa: S105 - it must not be told


@dataclass
class Sea:
    """What a server answers from now on; ``asked`` counts requests."""

    status: int = 200
    code: str = ""
    body: bytes = CONTENT
    cut: bool = False
    wait_s: float = 0.0
    drop: bool = False
    calm_after: int = 10**9
    asked: list[str] = field(default_factory=list)


def _error(code: str) -> bytes:
    return f"<Error><Code>{code}</Code><Message>so says {code}</Message></Error>".encode()


@pytest.fixture
def sea(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sea]:
    """A server that an S3 client takes for S3, whose answers a test chooses."""
    said = Sea()
    stop = threading.Event()

    class Answer(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            said.asked.append(f"{self.command} {self.path}")
            while length := int(self.headers.get("Content-Length", 0)):
                self.rfile.read(length)
                break
            now = Sea() if len(said.asked) > said.calm_after else said
            stop.wait(now.wait_s)
            if now.drop:
                self.close_connection = True
                return
            body = _error(now.code) if now.code else now.body
            self.send_response(now.status)
            self.send_header("Content-Length", str(len(body)))
            if now.status == MOVED:
                self.send_header("x-amz-bucket-region", "eu-west-1")
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body[: len(body) // 2] if now.cut else body)
            self.close_connection = self.close_connection or now.cut

        do_HEAD = do_PUT = do_POST = do_GET  # noqa: N815 - the names are the server's

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever, args=[0.01])
    thread.start()
    aim(monkeypatch, f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setattr(store, "PAUSES_S", (0.01, 0.01))
    yield said
    stop.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def blobs(sea: Sea, tmp_path: Path) -> Blobs:
    del sea
    return open_blobs(tmp_path, "s3://harbour/flights")


def _refused(kind: type[StoreError], act: Callable[[], object]) -> str:
    with pytest.raises(StoreError) as caught:
        act()
    assert type(caught.value) is kind, caught.value
    told = str(caught.value)
    assert len(told.splitlines()) <= 6
    assert "  where: s3://harbour/flights" in told
    assert "  fix: " in told
    assert SECRET not in told
    return told


@pytest.mark.parametrize(
    ("status", "code", "said"),
    [
        (403, "AccessDenied", "the store refuses to read a blob:\n  so says AccessDenied"),
        (403, "InvalidAccessKeyId", "the store refuses to read a blob"),
        (403, "SignatureDoesNotMatch", "the store refuses to read a blob"),
        (403, "RequestTimeTooSkewed", "its clock is wrong"),
        (404, "NoSuchBucket", "the bucket does not exist"),
        (404, "NoSuchKey", "a blob of m version 3 is missing"),
        (400, "InvalidRequest", "cannot read a blob:\n  so says InvalidRequest"),
        (301, "PermanentRedirect", "cannot read a blob"),
    ],
)
def test_what_does_not_pass_is_told_at_once(
    sea: Sea, blobs: Blobs, status: int, code: str, said: str
) -> None:
    sea.status, sea.code = status, code
    told = _refused(StoreError, lambda: blobs.get(DIGEST, of="m version 3"))
    assert said in told
    assert len(sea.asked) == (2 if status == MOVED else 1)  # once more in the region that it names
    assert not list(blobs.all())


@pytest.mark.parametrize(
    ("status", "code", "said"),
    [
        (500, "InternalError", "the store answered 500 (InternalError)"),
        (503, "SlowDown", "the store answered 503 (SlowDown)"),
        (503, "ServiceUnavailable", "the store answered 503"),
        (502, "", "the store answered 502"),
        (429, "TooManyRequests", "the store answered 429"),
    ],
)
def test_what_may_pass_is_tried_a_few_times(
    sea: Sea, blobs: Blobs, status: int, code: str, said: str
) -> None:
    sea.status, sea.code, sea.body = status, code, b"<html>sorry</html>"
    assert said in _refused(PassingError, lambda: blobs.get(DIGEST))
    assert len(sea.asked) == 3
    assert "cannot keep a blob: the store answered" in _refused(
        PassingError, lambda: blobs.put(CONTENT)
    )
    assert not list(blobs.all())
    sea.asked.clear()
    sea.calm_after = 2
    assert blobs.get(DIGEST) == CONTENT


def test_puts_that_are_refused(sea: Sea, blobs: Blobs) -> None:
    sea.status, sea.code = 403, "AccessDenied"
    told = _refused(StoreError, lambda: blobs.put(CONTENT))
    assert told.startswith("the store refuses to keep a blob")
    assert "allow these keys to read, write, list and delete below the address" in told
    assert "the store refuses to look for a blob" in _refused(StoreError, lambda: blobs.has(DIGEST))
    assert blobs.store
    kept = blobs.store.kept()
    assert "the store refuses to list the blobs" in _refused(StoreError, lambda: list(kept))


def test_an_answer_that_breaks_off(sea: Sea, blobs: Blobs) -> None:
    sea.cut = True
    assert "the answer broke off" in _refused(PassingError, lambda: blobs.get(DIGEST))
    sea.drop = True
    assert "broke off" in _refused(PassingError, lambda: blobs.get(DIGEST))
    assert not list(blobs.all())
    assert not list(blobs.partial())


@pytest.mark.parametrize("body", [b"", CONTENT[:-1], CONTENT + b"?", b"something else"])
def test_an_answer_that_is_something_else(sea: Sea, blobs: Blobs, body: bytes) -> None:
    sea.body = body
    told = _refused(StoreError, lambda: blobs.get(DIGEST, of="m version 3"))
    assert "a blob of m version 3 no longer matches its digest" in told
    assert not list(blobs.all())


def test_a_store_that_does_not_answer(
    sea: Sea, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each request has its time; what failed so late is not tried again here."""
    assert (opening.CONNECT_S, opening.READ_S) == (5, 30)
    monkeypatch.setattr(opening, "READ_S", 0.3)
    monkeypatch.setattr(store, "QUICK_S", 0.2)
    blobs = open_blobs(tmp_path, "s3://harbour/flights")
    sea.wait_s = 60.0
    for act in (lambda: blobs.get(DIGEST), lambda: blobs.put(CONTENT)):
        sea.asked.clear()
        assert "the store did not answer within 0.3 s" in _refused(PassingError, act)
        assert len(sea.asked) == 1


def test_a_store_that_takes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It accepts the connection, and reads no more of a large blob than fits in between."""
    monkeypatch.setattr(opening, "READ_S", 0.3)
    monkeypatch.setattr(store, "QUICK_S", 0.2)
    monkeypatch.setattr(opening, "CONNECT_S", 0.3)
    monkeypatch.setattr(store, "SLOWEST_BYTES_PER_S", 1 << 26)
    with _deaf() as address:
        aim(monkeypatch, address)
        blobs = open_blobs(tmp_path, "s3://harbour/flights")
        told = _refused(PassingError, lambda: blobs.put(bytes(64 << 20)))
    assert "the store is too slow" in told or "did not answer" in told


@contextmanager
def _deaf() -> Iterator[str]:
    class Deaf(http.server.BaseHTTPRequestHandler):
        def handle(self) -> None:
            stop.wait()

    stop = threading.Event()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Deaf)
    thread = threading.Thread(target=server.serve_forever, args=[0.01])
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    stop.set()
    server.shutdown()
    thread.join()
    server.server_close()


def test_nobody_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for who in ("", f"me:{SECRET}@"):
        aim(monkeypatch, f"http://{who}127.0.0.1:9")
        blobs = open_blobs(tmp_path, "s3://harbour/flights")
        told = _refused(PassingError, lambda: blobs.get(DIGEST))  # noqa: B023 - called at once
        assert "cannot read a blob: the store cannot be reached" in told


def test_no_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    aim(monkeypatch, "http://127.0.0.1:9")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    blobs = open_blobs(tmp_path, "s3://harbour/flights")
    assert "there are no keys for the store" in _refused(StoreError, lambda: blobs.get(DIGEST))
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    other = open_blobs(tmp_path, "s3://harbour/flights")
    assert "there are no keys for the store" in _refused(StoreError, lambda: other.get(DIGEST))
    bad = open_blobs(tmp_path, "s3://Not A Bucket".replace(" ", "_"))
    monkeypatch.delenv("AWS_PROFILE")
    with pytest.raises(StoreError):
        bad.get(DIGEST)


def test_a_full_disk_here_is_told(sea: Sea, blobs: Blobs, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    assert sea.status == 200
    monkeypatch.setattr("seatrial.ledger.blobs.os.fsync", full)
    with pytest.raises(StoreError, match="No space left"):
        blobs.get(DIGEST)
    assert not list(blobs.partial())
