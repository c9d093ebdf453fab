"""Tells a web address: a CloudEvents 1.0 event, signed as Standard Webhooks says."""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import hmac
import http.client
import ssl
import urllib.parse
from dataclasses import dataclass
from typing import TYPE_CHECKING

from seatrial.errors import Mistake, PassingError, StoreError
from seatrial.notify import Channel, Telling
from seatrial.notify._wire import connected

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterable

    from seatrial.notify import Scope
    from seatrial.notify._wire import Deadline

LARGEST_ANSWER = 64 * 1024
"""Bytes of an answer's body that are read; nothing in them matters."""

NEVER = frozenset({400, 410, 413, 415, 422})
"""What a receiver answers to a message that it will not take however often it comes."""

SHORTEST_SECRET = 24
"""Bytes, as Standard Webhooks demands."""

_PORTS = {"https": 443, "http": 80}


class Webhook(Channel, frozen=True, kw_only=True):
    """POSTs to ``url`` (or to the one in the variable ``url_env``), signed by ``secret_env``."""

    secret_env: str
    url: str | None = None
    url_env: str | None = None

    def target(self) -> str:
        """The host, or the variable that holds the address."""
        if self.url is None:
            return f"${self.url_env}"
        return urllib.parse.urlsplit(self.url).hostname or "nowhere"

    def check(self, scope: Scope) -> Iterable[Mistake]:
        """Exactly one address, and one that may be called."""
        if (self.url is None) == (self.url_env is None):
            fix = "write `url: https://…`, or `url_env: NAME` when the address itself is secret"
            yield scope.mistake("webhook needs one of `url` and `url_env`", "url", fix=fix)
        elif self.url is not None:
            try:
                address = _address(self.url)
            except ValueError as error:
                yield scope.mistake(f"`url` of webhook {error}", "url", fix="write https://…")
            else:
                if not address.encrypted and not scope.allow_private:
                    what = "`url` of webhook is not encrypted"
                    fix = "write https://…; http:// goes only to private addresses that are allowed"
                    yield scope.mistake(what, "url", fix=fix)

    def send(self, telling: Telling) -> None:
        """Only an answer from 200 to 299 counts; a redirect is not followed."""
        headers = _headers(telling, _key(telling.secret(self.secret_env), self.secret_env))
        address = self._resolved(telling)
        with connected(
            address.host,
            address.port,
            allow_private=telling.allow_private,
            clear=not address.encrypted,
        ) as (opened, deadline):
            status = _post(address, opened, deadline, telling.body, headers)
        _judge(address, status)

    def _resolved(self, telling: Telling) -> _Address:
        if self.url is not None:
            return _address(self.url)
        name = str(self.url_env)
        try:
            return _address(telling.secret(name))
        except ValueError as error:
            raise PassingError(Mistake(f"the address in {name} {error}")) from error


@dataclass(frozen=True, slots=True)
class _Address:
    encrypted: bool
    host: str
    port: int
    path: str


def _address(url: str) -> _Address:
    """The parts of an address; :class:`ValueError` says what is wrong without repeating it."""
    if not url.isascii() or not url.isprintable() or " " in url:
        raise ValueError("has signs that must be written in percent")
    try:
        parts = urllib.parse.urlsplit(url)
    except ValueError:
        raise ValueError("is no web address") from None
    if parts.scheme not in _PORTS or not parts.hostname:
        raise ValueError("is no web address")
    if parts.username is not None or parts.password is not None:
        raise ValueError("holds a password: put the whole address into a variable, `url_env`")
    try:
        port = parts.port or _PORTS[parts.scheme]
    except ValueError:
        raise ValueError("has no such port") from None
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return _Address(parts.scheme == "https", parts.hostname, port, path)


def _key(secret: str, name: str) -> bytes:
    """The bytes of a secret as Standard Webhooks writes it: ``whsec_`` and base64."""
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except binascii.Error:
        key = b""
    if len(key) < SHORTEST_SECRET:
        what = f"{name} is no secret of at least {SHORTEST_SECRET} bytes in base64"
        fix = 'make one: echo "whsec_$(openssl rand -base64 32)"'
        raise PassingError(Mistake(what, fix=fix))
    return key


def _headers(telling: Telling, key: bytes) -> dict[str, str]:
    """Standard Webhooks: HMAC-SHA256 over ``id.timestamp.body``, base64, version 1.

    Source: https://www.standardwebhooks.com, specification, "Signature scheme".
    """
    seconds = str(int(telling.at.timestamp()))
    signed = b".".join((telling.id.encode(), seconds.encode(), telling.body))
    signature = base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
    return {
        "Content-Type": "application/cloudevents+json; charset=UTF-8",
        "User-Agent": "seatrial",
        "Connection": "close",
        "webhook-id": telling.id,
        "webhook-timestamp": seconds,
        "webhook-signature": f"v1,{signature}",
    }


def _post(
    address: _Address,
    opened: socket.socket,
    deadline: Deadline,
    body: bytes,
    headers: dict[str, str],
) -> int:
    """The status of the answer."""
    connection: http.client.HTTPConnection
    if address.encrypted:
        context = ssl.create_default_context()
        connection = http.client.HTTPSConnection(address.host, address.port, context=context)
        connection.sock = context.wrap_socket(opened, server_hostname=address.host)
    else:
        connection = http.client.HTTPConnection(address.host, address.port)
        connection.sock = opened
    with contextlib.closing(connection):
        try:
            connection.request("POST", address.path, body, headers)
            answer = connection.getresponse()
            deadline.left_s()  # cut within the headers, an answer looks whole
        except ConnectionError:  # some are HTTPException too: RemoteDisconnected
            raise
        except http.client.HTTPException as error:
            raise PassingError(Mistake(f"{address.host} does not answer in HTTP")) from error
        # what comes after the status is read so that the receiver need not notice our leaving
        with answer, contextlib.suppress(OSError, http.client.HTTPException):
            answer.read(LARGEST_ANSWER)
        return answer.status


def _judge(address: _Address, status: int) -> None:
    if status in range(200, 300):
        return
    what = f"{address.host} answers {status} {http.client.responses.get(status, '')}".rstrip()
    if status in range(300, 400):
        raise PassingError(Mistake(what, fix="write the final address: none is followed"))
    raise StoreError(Mistake(what)) if status in NEVER else PassingError(Mistake(what))
