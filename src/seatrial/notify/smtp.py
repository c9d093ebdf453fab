"""Tells people by e-mail: a sentence in the subject, what a machine wants attached."""

from __future__ import annotations

import contextlib
import smtplib
import ssl
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from typing import TYPE_CHECKING, Literal

import msgspec

from seatrial.errors import Mistake, PassingError, StoreError
from seatrial.notify import Channel, Telling
from seatrial.notify._wire import WITHIN_S, connected

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterable, Iterator

    from seatrial.notify import Scope

PORTS = {"starttls": 587, "implicit": 465, "none": 25}
"""What is asked for when the file names no port."""

LONGEST_SUBJECT = 150
_FOR_GOOD = 500


class Smtp(Channel, frozen=True, kw_only=True):
    """Sends from ``from`` to each of ``to`` through ``host``, encrypted as ``tls`` says."""

    host: str
    sender: str = msgspec.field(name="from")
    to: tuple[str, ...]
    port: int | None = None
    tls: Literal["starttls", "implicit", "none"] = "starttls"
    user: str | None = None
    password_env: str | None = None

    def target(self) -> str:
        """The first who gets it, and how many others do."""
        others = f" +{len(self.to) - 1}" if len(self.to) > 1 else ""
        return f"{self.to[0] if self.to else 'nobody'}{others}"

    def check(self, scope: Scope) -> Iterable[Mistake]:
        """Addresses that are some, and a password that nobody overhears."""
        if not self.to:
            yield scope.mistake("smtp has nobody to write to", "to", fix="write to: [ops@example]")
        for key, address in (("from", self.sender), *(("to", address) for address in self.to)):
            if not _is_mailbox(address):
                what = f"{address!r} is no e-mail address"
                yield scope.mistake(what, key, fix="write such as ops@example.org, without a name")
        if not self.host.isascii() or not self.host.isprintable() or not self.host.strip():
            yield scope.mistake("`host` of smtp is no host", "host", fix="write mail.example.org")
        if self.port is not None and self.port not in range(1, 65536):
            yield scope.mistake(f"there is no port {self.port}", "port", fix="write 1 to 65535")
        if (self.user is None) != (self.password_env is None):
            key = "password_env" if self.user is not None else "user"
            yield scope.mistake("smtp needs both `user` and `password_env`, or neither", key)
        if self.tls == "none" and self.user is not None:
            what = "a password is never sent without encryption"
            yield scope.mistake(what, "tls", fix="write starttls or implicit")
        elif self.tls == "none" and not scope.allow_private:
            what = "`tls: none` goes only to private addresses that are allowed"
            yield scope.mistake(what, "tls", fix="write starttls or implicit")

    def send(self, telling: Telling) -> None:
        """Everybody must be taken; who is refused for good is told, and nobody gets it twice."""
        password = telling.secret(self.password_env) if self.password_env else None
        letter = _letter(self, telling)
        port = self.port or PORTS[self.tls]
        allowed, clear = telling.allow_private, self.tls == "none"
        connection = connected(self.host, port, allow_private=allowed, clear=clear)
        with connection as (opened, _), _told(self):
            refused = self._hand_over(opened, port, password, letter)
        if refused:
            # those who were taken have it: sent again, they would have it twice
            raise StoreError(Mistake(f"{self.host} refuses {', '.join(sorted(refused))}"))

    def _hand_over(
        self, opened: socket.socket, port: int, password: str | None, letter: EmailMessage
    ) -> Iterable[str]:
        """Who was refused while others were taken."""
        context = None if self.tls == "none" else ssl.create_default_context()
        if context is not None and self.tls == "implicit":
            opened = context.wrap_socket(opened, server_hostname=self.host)
        with contextlib.closing(_Conversation(self.host, port, opened)) as smtp:
            if context is not None and self.tls == "starttls":
                smtp.starttls(context=context)
            if self.user is not None and password is not None:
                smtp.login(self.user, password)
            refused = smtp.send_message(letter, self.sender, list(self.to))
            with contextlib.suppress(OSError):  # it is taken, however they part
                smtp.quit()
            return refused


class _Conversation(smtplib.SMTP):
    """SMTP over a connection that is already there."""

    def __init__(self, host: str, port: int, opened: socket.socket) -> None:
        self._opened = opened
        here = opened.getsockname()[0]
        # an address literal (RFC 5321, 4.1.3): our name is nobody's business, and takes a look-up
        name = f"[IPv6:{here}]" if ":" in here else f"[{here}]"
        super().__init__(host, port, local_hostname=name, timeout=WITHIN_S)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        del host, port, timeout
        return self._opened


@contextlib.contextmanager
def _told(channel: Smtp) -> Iterator[None]:
    """What a mail server refuses, by its code alone: its words may hold anything."""
    host = channel.host
    try:
        yield
    except smtplib.SMTPAuthenticationError as error:
        what = f"{host} answers {error.smtp_code}: it does not take the password of {channel.user}"
        raise PassingError(Mistake(what)) from error
    except smtplib.SMTPRecipientsRefused as error:
        codes = sorted({code for code, _ in error.recipients.values()})
        what = f"{host} refuses every recipient: {', '.join(map(str, codes))}"
        raise _refusal(what, codes[0]) from error
    except (smtplib.SMTPDataError, smtplib.SMTPSenderRefused) as error:
        raise _refusal(f"{host} answers {error.smtp_code}", error.smtp_code) from error
    except smtplib.SMTPResponseException as error:
        raise PassingError(Mistake(f"{host} answers {error.smtp_code}")) from error
    except smtplib.SMTPNotSupportedError as error:
        raise PassingError(Mistake(f"{host} offers no encryption or no log-in")) from error
    except smtplib.SMTPServerDisconnected as error:
        if isinstance(error.__context__, TimeoutError):
            raise TimeoutError from error  # smtplib calls a silence an end
        raise PassingError(Mistake(f"{host} ended the conversation")) from error


def _refusal(what: str, code: int) -> StoreError:
    return (StoreError if code >= _FOR_GOOD else PassingError)(Mistake(what))


def _letter(channel: Smtp, telling: Telling) -> EmailMessage:
    text = telling.text
    short = text if len(text) <= LONGEST_SUBJECT else f"{text[: LONGEST_SUBJECT - 1]}…"
    letter = EmailMessage()
    letter["Subject"] = f"[seatrial] {short}"
    letter["From"] = channel.sender
    letter["To"] = ", ".join(channel.to)
    letter["Date"] = format_datetime(datetime.fromisoformat(str(telling.envelope["time"])))
    letter["Message-ID"] = f"<{telling.id}@{channel.sender.partition('@')[2]}>"
    letter["Auto-Submitted"] = "auto-generated"  # RFC 3834: no holiday replies
    told = {
        "What": telling.data["kind"],
        "Model": telling.data["model"],
        "When": telling.envelope["time"],
        "Where": telling.link or None,
        "Ledger": telling.data["ledger_head"],
    }
    lines = [f"{name}: {value}" for name, value in told.items() if value is not None]
    letter.set_content("\n".join([text, "", *lines, ""]))
    letter.add_attachment(
        telling.body, maintype="application", subtype="cloudevents+json", filename="message.json"
    )
    return letter


def _is_mailbox(address: str) -> bool:
    """Whether it is a plain address: what mail servers take without quotes or a name.

    >>> _is_mailbox("ops@example.org"), _is_mailbox("Ops <ops@example.org>")
    (True, False)
    """
    local, at, domain = address.partition("@")
    plain = address.isascii() and address.isprintable()
    return bool(
        plain
        and local
        and at
        and domain
        and not set(address) & set(' <>(),;:"[]\\')
        and "@" not in domain
    )
