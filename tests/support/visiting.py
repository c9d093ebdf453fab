"""A browser without a screen and a server: it keeps cookies and says where it comes from."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.applications import Starlette


class Browser:
    """Asks an application as a browser at ``base`` would; redirects are not followed."""

    def __init__(self, app: Starlette, base: str = "http://127.0.0.1:8081") -> None:
        self.app = app
        self.base = base
        self.cookies = httpx.Cookies()
        self.client = ("127.0.0.1", 40_000)

    def get(self, path: str, **more: Any) -> httpx.Response:
        """Look."""
        return self.ask("GET", path, **more)

    def post(
        self, path: str, fields: Mapping[str, str] | None = None, **more: Any
    ) -> httpx.Response:
        """Send a form of one of our own pages."""
        headers = {"Origin": self.base, "Sec-Fetch-Site": "same-origin", **more.pop("headers", {})}
        sent = {name: text for name, text in headers.items() if text is not None}
        return self.ask("POST", path, data=dict(fields or {}), headers=sent, **more)

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Any request."""
        return asyncio.run(self._ask(method, path, **more))

    def log_in(self, token: str, to: str = "/login") -> httpx.Response:
        """Show a token in the form of the login."""
        return self.post("/login", {"token": token, "next": to})

    def word(self, path: str = "/login") -> str:
        """What the forms of a page carry against those of other sites."""
        found = re.search(r'name="csrf" value="([0-9a-f]+)"', self.get(path).text)
        assert found is not None
        return found[1]

    async def _ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False, client=self.client)
        async with httpx.AsyncClient(
            transport=transport, base_url=self.base, cookies=self.cookies
        ) as client:
            response = await client.request(method, path, **more)
            self.cookies = client.cookies
        return response
