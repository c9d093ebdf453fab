"""Have a version's files in the folder, for processes that read nothing but that."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from seatrial.ledger.blobs import Blobs


def bring(blobs: Blobs, manifest: str, of: str = "") -> None:
    """Fetch what of a version is not whole here; ``manifest`` is its digest.

    Without a store what is here is all there is, and nothing is looked at. StoreError when it
    cannot be had.
    """
    if blobs.store is None:
        return
    for digest in json.loads(blobs.get(manifest, of))["files"].values():
        blobs.get(digest, of)
