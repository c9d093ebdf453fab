"""What a gateway should have loaded, by what the registry says."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from seatrial.pipeline import Serving
from seatrial.registry.registry import PRODUCTION, STAGING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from seatrial.registry.registry import Registry, Version
    from seatrial.registry.shadows import Shadow

Document = dict[str, Any]

STARTING: Document = {"models": [], "shadows": [], "starting": True}
"""What is wanted before the registry was read."""


def desired(
    registry: Registry, shadows: Sequence[Shadow], serving: Mapping[str, Serving]
) -> Document:
    """Models with the versions to keep loaded, and the shadow tests under way.

    A model keeps what is in production, what is staged (it is prepared before anybody promotes
    it), and what was in production before (a rollback then loads nothing), unless ``serving``
    says ``retain: disk``.
    """
    channels: dict[str, dict[str, int]] = {}
    for each in registry.channels():
        channels.setdefault(each.model, {})[each.channel] = each.version
    models = [
        _model(registry, name, pointed, serving.get(name, Serving()))
        for name, pointed in sorted(channels.items())
    ]
    return {"models": models, "shadows": [_shadow(registry, each) for each in shadows]}


def _model(registry: Registry, name: str, pointed: Mapping[str, int], serving: Serving) -> Document:
    production = pointed.get(PRODUCTION)
    wanted = {production, pointed.get(STAGING)}
    if serving.retain == "memory" and production is not None:
        wanted.add(registry.previous(name))
    versions = [registry.version(name, number) for number in sorted(wanted - {None})]  # type: ignore[type-var,arg-type]
    return {
        "name": name,
        "production": production,
        "delivered": sorted(registry.delivered(name) & wanted),
        "settings": {
            "max_body_mb": serving.max_body_mb,
            "redact": list(serving.redact),
            "keep_days": serving.keep_days,
            "keep_gb": serving.keep_gb,
        },
        "versions": [_version(each) for each in versions if each.collected is None],
    }


def _version(version: Version) -> Document:
    return {"version": version.version, "digest": version.digest}


def _shadow(registry: Registry, shadow: Shadow) -> Document:
    against = registry.version(shadow.model, shadow.against)
    return {
        "id": shadow.id,
        "model": shadow.model,
        "version": shadow.version,
        "digest": registry.version(shadow.model, shadow.version).digest,
        "against": shadow.against,
        "against_digest": against.digest,
        "share_percent": shadow.share_percent,
        "variance": shadow.spec.get("variance"),
        "since_us": _us(shadow.opened),
        "until_us": _us(shadow.until),
    }


def _us(iso: str) -> int:
    return int(datetime.fromisoformat(iso).timestamp() * 1e6)
