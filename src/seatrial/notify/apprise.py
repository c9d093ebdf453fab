"""Tells any of the services that apprise knows, by the address that its documentation gives."""

from __future__ import annotations

import importlib
import logging
from typing import Any

from seatrial.errors import Mistake, PassingError
from seatrial.notify import Channel, Telling
from seatrial.notify._wire import WITHIN_S, addresses, refuse_private

LOUD = frozenset({"rollback_failed", "frozen", "run_failed"})
"""Kinds that services show as a failure."""


class Apprise(Channel, frozen=True, kw_only=True):
    """Tells what the apprise address in the variable ``url_env`` stands for."""

    url_env: str

    def target(self) -> str:
        """The variable: the address itself is the secret."""
        return f"${self.url_env}"

    def send(self, telling: Telling) -> None:
        """Apprise connects by itself: a private address is refused where no look-up is needed."""
        url = telling.secret(self.url_env)
        apprise = _library()
        asset = apprise.AppriseAsset(app_id="seatrial", app_desc="seatrial", app_url="")
        told = apprise.Apprise(asset=asset)
        if not told.add(url):
            raise PassingError(
                Mistake(f"apprise knows no such address as the one in {self.url_env}")
            )
        for service in told:
            # the host of many services is a part of their secret: no name server hears of it
            host = str(service.host or "").strip("[]")
            host = "127.0.0.1" if host == "localhost" else host
            found = addresses(host, 0, WITHIN_S, numbers_only=True) if host else []
            refuse_private(host, found, allow_private=telling.allow_private)
        how = "failure" if telling.data["kind"] in LOUD else "info"
        body = "\n".join(filter(None, (telling.text, telling.link)))
        # An AppriseResult is falsy when it failed, and never the object False.
        if not told.notify(title="seatrial", body=body, notify_type=how):
            raise PassingError(Mistake(f"apprise could not tell {self.target()}"))


def _library() -> Any:
    """Loaded when something is to be sent: it takes a second to find its services."""
    # what it logs holds addresses with their secrets
    logging.getLogger("apprise").disabled = True
    try:
        return importlib.import_module("apprise")
    except ImportError as error:
        fix = 'pip install "seatrial[notify]"'
        raise PassingError(Mistake("apprise is not installed", fix=fix)) from error
