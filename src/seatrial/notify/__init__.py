"""Who is told, and how: one file for each word under ``channels:``.

To add one, write ``notify/NAME.py`` with ``class Name(Channel)``: its fields are the parameters
(their types and defaults are what the file may say), ``target`` says whom it tells in a few
words, ``send`` tells it. Secrets are named in the file, by parameters that end in ``_env``, and
read from the environment with ``Telling.secret``. What may differ tomorrow raises
:class:`~seatrial.errors.PassingError` and is tried again; what the receiver will never take
raises :class:`~seatrial.errors.StoreError`. Another package does the same through the entry
point group ``seatrial.notify``. Folders in here are no words: ``outbox`` is what waits to be
told, ``courier`` brings it.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

import msgspec

from seatrial import extend
from seatrial.errors import Mistake, PassingError, nearest
from seatrial.notify._kinds import KINDS
from seatrial.pipeline.parameters import typed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from seatrial.pipeline import ChannelEntry, Pipeline


VARIABLE = "_env"
"""How a parameter ends that names a variable of the environment."""

_CAPITALS = re.compile(r"[A-Z_][A-Z0-9_]*")


class Channel(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Parameters of a word, and how it tells people. ``on`` are the kinds that it tells of."""

    on: tuple[str, ...] = tuple(KINDS)

    def target(self) -> str:
        """Whom it tells, in a few words without any secret: ``ops.example``."""
        raise TypeError(f"{type(self).__name__} has no target()")

    def check(self, scope: Scope) -> Iterable[Mistake]:
        """What is wrong beyond the types of the parameters, told without any network."""
        del scope
        return ()

    def send(self, telling: Telling) -> None:
        """Tell it, once, within some ten seconds. Raise unless it was surely taken."""
        raise TypeError(f"{type(self).__name__} has no send(telling): {telling.id} is not told")


@dataclass(frozen=True, slots=True)
class Scope:
    """What a channel can know of the file that names it."""

    pipeline: Pipeline
    entry: ChannelEntry

    @property
    def allow_private(self) -> bool:
        """Whether private addresses may be called."""
        return self.pipeline.notify.allow_private

    def mistake(self, what: str, key: str, *, nearest: str = "", fix: str = "") -> Mistake:
        """A mistake in one of the channel's parameters, with its place."""
        return Mistake(what, where=self.where(key), nearest=nearest, fix=fix)

    def where(self, key: str) -> str:
        """The place of a parameter, or of the channel when it is not written."""
        path = ("notify", "channels", self.entry.position, self.entry.word, key)
        return str(self.pipeline.where(*path))


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """One message on its way through one channel.

    ``envelope`` is a CloudEvents 1.0 event, ``at`` the time of sending. Sent again, a message has
    the same id and its data the same words; only the ledger's head may be a later one.
    """

    envelope: Mapping[str, object]
    at: datetime
    allow_private: bool
    environment: Mapping[str, str]
    _read: set[str] = field(default_factory=set)

    @property
    def id(self) -> str:
        """The message's id, the same at every attempt."""
        return str(self.envelope["id"])

    @property
    def data(self) -> Mapping[str, object]:
        """What happened; always with ``text``, ``kind``, ``model`` and ``ledger_head``."""
        return cast("Mapping[str, object]", self.envelope["data"])

    @property
    def text(self) -> str:
        """The sentence for people, on one line."""
        return " ".join(str(self.data["text"]).split())

    @property
    def link(self) -> str:
        """Where the web page shows what happened; empty while there is no page."""
        return str(self.data.get("link", ""))

    @property
    def body(self) -> bytes:
        """The envelope as JSON, UTF-8."""
        return json.dumps(self.envelope, ensure_ascii=False, separators=(",", ":")).encode()

    def secret(self, name: str) -> str:
        """A variable of the environment; :class:`PassingError` when it is not there."""
        value = self.environment.get(name, "").strip()
        if not value:
            fix = "set it where `seatrial serve` and `seatrial run` are started"
            raise PassingError(Mistake(f"the environment has no {name}", fix=fix))
        self._read.add(value)
        return value

    def without_secrets(self, text: str) -> str:
        """The text with every secret that was read blotted out, whoever put it there."""
        for value in sorted(self._read, key=len, reverse=True):
            text = text.replace(value, "***")
        return text


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """A channel as one pipeline file has it. ``name`` stays while what it is told by stays."""

    name: str
    model: str
    allow_private: bool
    channel: Channel


def check(pipeline: Pipeline) -> Iterator[Mistake]:
    """Every mistake in the channels of a file, each with its place. No network is used."""
    for entry in pipeline.notify.channels:
        yield from _typed(Scope(pipeline, entry))[0]


def channels_of(pipeline: Pipeline) -> tuple[Listener, ...]:
    """The channels of a file; those with mistakes, which :func:`check` tells, are left out."""
    found: dict[str, Listener] = {}
    for entry in pipeline.notify.channels:
        mistakes, channel = _typed(Scope(pipeline, entry))
        if channel is not None and not mistakes:
            name = _name(pipeline, entry, channel)
            found.setdefault(
                name,
                Listener(
                    name=name,
                    model=pipeline.model,
                    allow_private=pipeline.notify.allow_private,
                    channel=channel,
                ),
            )
    return tuple(found.values())


def _typed(scope: Scope) -> tuple[list[Mistake], Channel | None]:
    """The channel with typed parameters, and every mistake in them."""
    word = scope.entry.word
    if word not in extend.names("notify"):
        return [], None  # the reader has told
    kind = cast("type[Channel]", extend.load("notify", word))
    mistakes, channel = typed(kind, word, scope.entry.parameters, scope.where)
    if channel is not None:
        mistakes += _unheard(scope, channel)
        mistakes += _unnamed(scope)
        mistakes += channel.check(scope)
    return mistakes, channel


def _unheard(scope: Scope, channel: Channel) -> Iterator[Mistake]:
    if not channel.on:
        fix = "name at least one kind, or remove the line for all of them"
        yield scope.mistake(f"{scope.entry.word} is told of nothing", "on", fix=fix)
    for kind in channel.on:
        if kind not in KINDS:
            fix = f"use some of: {', '.join(KINDS)}"
            what = f"there is no kind of message {kind!r}"
            yield scope.mistake(what, "on", nearest=nearest(kind, KINDS), fix=fix)


def _unnamed(scope: Scope) -> Iterator[Mistake]:
    """Parameters that name a variable: what is none may be the secret itself, and is not shown."""
    for key, value in scope.entry.parameters.items():
        if key.endswith(VARIABLE) and not _CAPITALS.fullmatch(str(value)):
            what = f"`{key}` of {scope.entry.word} is no name of a variable in capitals"
            fix = f"write such as {key}: OPS_{key.removesuffix(VARIABLE).upper()}, and set it there"
            yield scope.mistake(what, key, fix=fix)


def _name(pipeline: Pipeline, entry: ChannelEntry, channel: Channel) -> str:
    """Independent of its place in the list and of ``on``; another address is another channel."""
    told_by = {key: value for key, value in entry.parameters.items() if key != "on"}
    said = json.dumps([pipeline.model, entry.word, told_by], sort_keys=True, default=str)
    digest = hashlib.sha256(said.encode()).hexdigest()[:8]
    return f"{entry.word} {channel.target()} {digest}"
