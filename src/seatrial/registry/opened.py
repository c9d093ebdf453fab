"""A registered version, ready to answer: its files are verified before they are used."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, cast

from seatrial.environment.bundles.bundle import write
from seatrial.errors import Mistake, UsageError, nearest
from seatrial.inference.opening import model_digest, open_model
from seatrial.inference.served import Served
from seatrial.inference.signature import Signature

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from seatrial.environment.bundles.bundle import Bundle
    from seatrial.inference.opening import Answers
    from seatrial.registry.registry import Registry, Version


def opened(registry: Registry, version: Version) -> Answers:
    """The version's model."""
    signature, trust = signature_of(registry, version), registry.manifest(version).get("trust")
    files, whose = files_of(registry, version), str(version)
    return open_model(files, partial(registry.blobs.get, of=whose), signature, whose, trust)


def served(registry: Registry, version: Version) -> Served:
    """The version as the gateway opens it."""
    read = partial(registry.blobs.get, of=str(version))
    return Served.open(version.model, version.version, version.digest, read)


def bundled(registry: Registry, version: Version, target: Path) -> Bundle:
    """The version as a bundle for another machine: a new folder, or an archive by its ending."""
    read = partial(registry.blobs.get, of=str(version))
    return write(
        target,
        manifest_bytes=read(version.digest),
        digest=version.digest,
        read=read,
        model=version.model,
        version=version.version,
        created=version.created,
    )


def signature_of(registry: Registry, version: Version) -> Signature:
    """What the version reads and answers."""
    return Signature.from_json(
        cast("Mapping[str, object]", registry.manifest(version)["signature"])
    )


def files_of(registry: Registry, version: Version) -> dict[str, str]:
    """Digests by name, as its manifest has them."""
    return cast("dict[str, str]", registry.manifest(version)["files"])


def digest_of(registry: Registry, version: Version) -> str:
    """The digest of the model file: versions that share it are the same model."""
    return model_digest(files_of(registry, version), str(version))


def named(registry: Registry, text: str) -> Version:
    """The version that ``MODEL@CHANNEL`` or ``MODEL@NUMBER`` names.

    Without ``MODEL@`` the only model of the project is meant. UsageError with what there is.
    """
    models = registry.models()
    if not models:
        fix = "`seatrial run pipeline.yaml` makes one"
        raise UsageError(Mistake("this project has no model yet", fix=fix))
    if text in models:
        what = f"{text!r} does not say which version"
        raise UsageError(Mistake(what, fix=f"write {text}@production, or {text}@1"))
    model, at, which = text.rpartition("@")
    if not at:
        if len(models) != 1:
            raise UsageError(
                Mistake(
                    f"{text!r} does not say of which model: there are {', '.join(models)}",
                    fix=f"write MODEL@VERSION or MODEL@CHANNEL, such as MODEL@{text or 1}",
                )
            )
        model = models[0]
    if model not in models:
        raise UsageError(
            Mistake(
                f"there is no model {model!r}; there are {', '.join(models)}",
                nearest=nearest(model, models),
                fix="`seatrial models` lists them",
            )
        )
    if which.isdecimal():
        return registry.version(model, int(which))
    found = registry.resolve(model, which)
    if found is None:
        channels = [each.channel for each in registry.channels() if each.model == model]
        raise UsageError(
            Mistake(
                f"{model} has no channel {which!r}",
                nearest=nearest(which, channels),
                fix=f"name a version by its number, or one of: {', '.join(channels) or 'none yet'}",
            )
        )
    return found
