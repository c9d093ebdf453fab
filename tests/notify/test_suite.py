"""`check_notifier` lets a right channel through and finds what is wrong with others."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest

from seatrial import extend
from seatrial.errors import Mistake, PassingError
from seatrial.notify import Channel, Telling
from seatrial.testing import check_notifier

USE = {"team": "ops", "key_env": "PAGER"}


class Pager(Channel, frozen=True, kw_only=True):
    """Rings somebody."""

    team: str
    key_env: str

    def target(self) -> str:
        return self.team

    def send(self, telling: Telling) -> None:
        telling.secret(self.key_env)
        raise PassingError(Mistake(f"{self.team} does not answer"))


class NoDocstring(Pager, frozen=True, kw_only=True):
    def target(self) -> str:
        return self.team

    def send(self, telling: Telling) -> None:
        del telling


class Lax(Channel, frozen=True, kw_only=True, forbid_unknown_fields=False):
    """Takes any key."""

    def target(self) -> str:
        return "somebody"

    def send(self, telling: Telling) -> None:
        del telling


class Untyped(Pager, frozen=True, kw_only=True):
    """Takes anything as a parameter."""

    extra: Any = None
    target = Pager.target
    send = Pager.send


class Mute(Channel, frozen=True, kw_only=True):
    """Never sends."""

    def target(self) -> str:
        return "somebody"


class Wordy(Pager, frozen=True, kw_only=True):
    """Says too much."""

    send = Pager.send

    def target(self) -> str:
        return f"{self.team}\n" * 5


class Careless(Pager, frozen=True, kw_only=True):
    """Tells its secret."""

    target = Pager.target

    def send(self, telling: Telling) -> None:
        raise PassingError(Mistake(f"no luck with {telling.secret(self.key_env)}"))


class Blunt(Pager, frozen=True, kw_only=True):
    """Raises what it likes."""

    target = Pager.target

    def send(self, telling: Telling) -> None:
        telling.secret(self.key_env)
        raise OSError


class Heedless(Pager, frozen=True, kw_only=True):
    """Reads no secret, and takes everything for told."""

    told: ClassVar[list[str]] = []
    target = Pager.target

    def send(self, telling: Telling) -> None:
        self.told.append(telling.text)


FAULTS: dict[str, type] = {
    "has no docstring": NoDocstring,
    "accepts keys that it does not know": Lax,
    "may be anything": Untyped,
    "has no `send`": Mute,
    "in a few words": Wordy,
    "tells a secret": Careless,
    "must raise a PassingError or a StoreError": Blunt,
    "names the variable that is missing": Heedless,
    "must be a class that extends": dict,
}


def _install(monkeypatch: pytest.MonkeyPatch, kind: type) -> None:
    known = (*extend.names("notify"), "pager")
    monkeypatch.setattr(extend, "names", lambda _kind: known)
    monkeypatch.setattr(extend, "load", lambda _kind, _word: kind)


def test_a_right_channel(monkeypatch: pytest.MonkeyPatch) -> None:
    _install(monkeypatch, Pager)
    check_notifier("pager")
    check_notifier("pager", USE)


def test_a_use_that_the_channel_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    _install(monkeypatch, Pager)
    with pytest.raises(AssertionError, match="refuses a use that should be right"):
        check_notifier("pager", {"team": 5, "key_env": "PAGER"})


@pytest.mark.parametrize("sentence", FAULTS)
def test_a_faulty_channel(monkeypatch: pytest.MonkeyPatch, sentence: str) -> None:
    _install(monkeypatch, FAULTS[sentence])
    with pytest.raises(AssertionError, match=sentence):
        check_notifier("pager", USE)
