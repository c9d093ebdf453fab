"""What a web address is told, and what it may answer."""

from __future__ import annotations

import json
import socket
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
import standardwebhooks

from seatrial.errors import PassingError, StoreError
from seatrial.notify import Telling, _wire, channels_of, check
from seatrial.notify.webhook import Webhook

from .conftest import KEY, close, receiver

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator

    from .conftest import Office, Receiver

ENVELOPE = {
    "specversion": "1.0",
    "id": "a" * 32,
    "source": "/seatrial/harbour",
    "type": "dev.seatrial.promoted.v1",
    "subject": "delays/2",
    "time": "2026-01-01T00:00:00+00:00",
    "datacontenttype": "application/json",
    "data": {
        "text": "It serves: Grüße.",
        "kind": "promoted",
        "model": "delays",
        "ledger_head": "0",
    },
}


def _telling(*, private: bool = True, at: Any = None, **environment: str) -> Telling:
    return Telling(
        envelope=ENVELOPE,
        at=at or datetime.now(UTC),
        allow_private=private,
        environment={"OPS_SECRET": KEY, **environment},
    )


def _hook(
    url: str | None = None, variable: str = "OPS_SECRET", url_env: str | None = None
) -> Webhook:
    return Webhook(url=url, url_env=url_env, secret_env=variable)


def _send(url: str, **more: Any) -> None:
    _hook(url).send(_telling(**more))


@pytest.fixture
def brief(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten seconds are what is promised; a test has less."""
    monkeypatch.setattr(_wire, "WITHIN_S", 0.4)


def test_a_receiver_that_follows_the_standards_takes_it(hook: Receiver) -> None:
    _send(hook.url)
    ((headers, body),) = hook.got
    assert headers["content-type"] == "application/cloudevents+json; charset=UTF-8"
    assert headers["webhook-id"] == ENVELOPE["id"]
    assert json.loads(body) == ENVELOPE
    assert standardwebhooks.Webhook(KEY).verify(body, headers) == ENVELOPE


def test_a_body_that_was_changed_on_the_way_is_found_out(hook: Receiver) -> None:
    _send(hook.url)
    ((headers, body),) = hook.got
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        standardwebhooks.Webhook(KEY).verify(body.replace(b"delays", b"others"), headers)


@pytest.mark.parametrize("status", ["200", "201", "202", "204", "299"])
def test_taken(hook: Receiver, status: str) -> None:
    hook.script = [status]
    _send(hook.url)


@pytest.mark.parametrize("status", ["401", "404", "408", "429", "500", "503"])
def test_perhaps_later(hook: Receiver, status: str) -> None:
    hook.script = [status]
    with pytest.raises(PassingError, match=f"127.0.0.1 answers {status}"):
        _send(hook.url)


@pytest.mark.parametrize("status", ["400", "410", "413", "415", "422"])
def test_never(hook: Receiver, status: str) -> None:
    hook.script = [status]
    with pytest.raises(StoreError, match=f"answers {status}") as raised:
        _send(hook.url)
    assert not isinstance(raised.value, PassingError)


@pytest.mark.parametrize("status", ["301", "302", "303", "307", "308"])
def test_a_redirect_is_not_followed(hook: Receiver, status: str) -> None:
    hook.script = [status]
    with pytest.raises(PassingError, match="none is followed"):
        _send(hook.url)
    assert len(hook.got) == 1


@pytest.mark.usefixtures("brief")
@pytest.mark.parametrize("how", ["hang", "drip"])
def test_slow_receivers_are_left(hook: Receiver, how: str) -> None:
    hook.script = [how]
    with pytest.raises(PassingError, match=r"127.0.0.1:\d+ took longer than 0.4 s"):
        _send(hook.url)


@pytest.mark.usefixtures("brief")
def test_a_receiver_that_accepts_and_says_nothing_is_left() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(PassingError, match="took longer"):
            _send(f"http://127.0.0.1:{port}/")
        with pytest.raises(PassingError, match="took longer"):
            _send(f"https://127.0.0.1:{port}/")  # no handshake ever


def test_ten_megabytes_of_answer_are_not_read(hook: Receiver) -> None:
    hook.script = ["big"]
    _send(hook.url)
    assert hook.sent_bytes < 9_000_000  # the rest is refused by a connection that is gone


def test_what_is_no_http(hook: Receiver) -> None:
    hook.script = ["junk"]
    with pytest.raises(PassingError, match="does not answer in HTTP"):
        _send(hook.url)


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(PassingError, match="Connection refused"):
        _send(f"http://127.0.0.1:{port}/")


# encryption


@pytest.fixture
def tls_hook(certificate: ssl.SSLContext) -> Iterator[Receiver]:
    made = receiver(certificate)
    yield made
    close(made)


def test_a_certificate_of_that_name_is_trusted(tls_hook: Receiver) -> None:
    _send(f"https://localhost:{tls_hook.port}/hook?a=1")
    assert tls_hook.events() == [ENVELOPE]
    ((headers, _),) = tls_hook.got
    assert headers["host"] == f"localhost:{tls_hook.port}"


def test_a_certificate_of_another_name_is_not(tls_hook: Receiver) -> None:
    with pytest.raises(PassingError, match=r"not valid for '127.0.0.1'"):
        _send(f"https://127.0.0.1:{tls_hook.port}/")
    assert not tls_hook.got


def test_a_certificate_of_an_unknown_authority_is_not(
    tls_hook: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(PassingError, match="self-signed certificate"):
        _send(f"https://localhost:{tls_hook.port}/")
    assert not tls_hook.got


# secrets


def test_a_variable_that_is_missing_is_named() -> None:
    with pytest.raises(PassingError, match="the environment has no NOWHERE"):
        _hook("https://ops.example/", "NOWHERE").send(_telling())


@pytest.mark.parametrize("value", ["whsec_short", "not base64 at all!", "whsec_c2VjcmV0"])
def test_a_secret_that_is_none_is_not_repeated(value: str) -> None:
    with pytest.raises(PassingError, match="OPS is no secret of at least 24 bytes") as raised:
        _hook("https://ops.example/", "OPS").send(_telling(OPS=value))
    assert value not in str(raised.value)


def test_an_address_from_the_environment(hook: Receiver) -> None:
    channel = _hook(url_env="OPS_URL")
    channel.send(_telling(OPS_URL=hook.url))
    assert hook.events() == [ENVELOPE]
    assert channel.target() == "$OPS_URL"
    for wrong in ("nonsense", "ftp://x/", "http://x:99999/", "https://a:b@x/", "https://x/a b"):
        with pytest.raises(PassingError, match="the address in OPS_URL") as raised:
            channel.send(_telling(OPS_URL=wrong))
        assert wrong not in str(raised.value)


# the file


@pytest.mark.parametrize(
    ("channel", "place", "what", "near"),
    [
        ("{url: 'https://ops.example'}", "5:14", "webhook needs `secret_env`", ""),
        ("{secret_env: S}", "5:14", "one of `url` and `url_env`", ""),
        ("{secret_env: S, url: 'https://a', url_env: U}", "5:39", "one of `url` and", ""),
        ("{secret_env: S, url: 'ftp://a'}", "5:39", "is no web address", ""),
        ("{secret_env: S, url: 'http://a'}", "5:39", "is not encrypted", ""),
        ("{secret_env: S, url: 'https://u:p@a'}", "5:39", "holds a password", ""),
        ("{secret_env: S, ulr: 'https://a'}", "5:39", "does not know the key 'ulr'", "url"),
        ("{secret_env: S, url: 'https://[::1'}", "5:39", "is no web address", ""),
        ("{secret_env: whsec_hush, url: 'https://a'}", "5:24", "no name of a variable", ""),
        ("{secret_env: S, url: 5}", "5:39", "`url` of webhook cannot be 5", ""),
        ("{secret_env: S, url: 'https://a', on: [promotet]}", "5:57", "no kind", "promoted"),
        ("{secret_env: S, url: 'https://a', on: []}", "5:57", "told of nothing", ""),
    ],
)
def test_mistakes_in_the_file(
    office: Office, channel: str, place: str, what: str, near: str
) -> None:
    pipeline = office.pipeline(f"webhook: {channel}", private=False)
    mistake, *_ = check(pipeline)
    assert (mistake.where, mistake.nearest) == (f"p.yaml:{place}", near)
    assert what in mistake.what
    assert "hush" not in str(mistake)
    assert channels_of(pipeline) == ()


def test_a_channels_name_stays_wherever_it_stands_and_whatever_it_is_told_of(
    office: Office,
) -> None:
    one = "webhook: {url: 'https://ops.example/a', secret_env: S}"
    other = "webhook: {url: 'https://ops.example/b', secret_env: S}"
    edited = "webhook: {on: [promoted], secret_env: S, url: 'https://ops.example/a'}"
    first, second = channels_of(office.pipeline(f"{one}, {other}"))
    (moved, again) = channels_of(office.pipeline(f"{other}, {edited}"))
    assert (first.name, second.name) == (again.name, moved.name)
    assert first.name.startswith("webhook ops.example ")
    assert first.name != second.name


def test_the_envelope_is_a_cloud_event() -> None:
    """The required attributes, as the JSON Schema of CloudEvents 1.0.2 demands them."""
    schema = {
        "type": "object",
        "required": ["id", "source", "specversion", "type"],
        "properties": {
            "id": {"type": "string", "minLength": 1},
            "source": {"type": "string", "minLength": 1, "format": "uri-reference"},
            "specversion": {"const": "1.0"},
            "type": {"type": "string", "minLength": 1},
            "subject": {"type": "string", "minLength": 1},
            "time": {"type": "string", "format": "date-time"},
        },
    }
    jsonschema.validate(ENVELOPE, schema)
