"""The files that pages need, in memory: their addresses carry what they hold, so they keep."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.responses import Response

from seatrial.errors import RequestError
from seatrial.report.html import style

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from starlette.requests import Request

STATIC = Path(__file__).parent / "static"
STYLE = "style.css"
"""Of the reports, which the pages share."""

TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
"""By the ending of what is served; files of other endings are not."""

FOREVER = "public, max-age=31536000, immutable"
STAMP_DIGITS = 16
SMALLER_THAN = 0.9
"""Of a file's length: beyond, its compressed form is not worth having."""


@dataclass(frozen=True, slots=True)
class Asset:
    """One file; ``packed`` is its gzip, None where that is not much shorter."""

    name: str
    type: str
    content: bytes
    packed: bytes | None

    @property
    def address(self) -> str:
        """Its path, which another content would not have."""
        return f"/static/{hashlib.sha256(self.content).hexdigest()[:STAMP_DIGITS]}/{self.name}"


class Assets:
    """All of them, read once: no request names a file of the disk."""

    def __init__(self, assets: Iterable[Asset]) -> None:
        self.by_name: Mapping[str, Asset] = {asset.name: asset for asset in assets}
        self._by_address = {asset.address: asset for asset in self.by_name.values()}

    @classmethod
    def read(cls) -> Assets:
        """Those of the package."""
        files = {file.name: file.read_bytes() for file in STATIC.iterdir() if file.suffix in TYPES}
        files[STYLE] = style().encode()
        return cls(_asset(name, content) for name, content in sorted(files.items()))

    def address(self, name: str) -> str:
        """Where the file of that name is fetched."""
        return self.by_name[name].address

    def answer(self, request: Request) -> Response:
        """The file at the path of a request; :class:`RequestError` 404 where there is none."""
        asset = self._by_address.get(request.url.path)
        if asset is None:
            raise RequestError(404, "there is no such file: reload the page that asked for it")
        headers = {"Cache-Control": FOREVER}
        content = asset.content
        if asset.packed is not None:
            headers["Vary"] = "Accept-Encoding"
            if "gzip" in request.headers.get("accept-encoding", ""):
                headers["Content-Encoding"] = "gzip"
                content = asset.packed
        return Response(content, media_type=asset.type, headers=headers)


def _asset(name: str, content: bytes) -> Asset:
    packed = gzip.compress(content, mtime=0)
    short = len(packed) < SMALLER_THAN * len(content)
    return Asset(name, TYPES[Path(name).suffix], content, packed if short else None)
