"""What a version was made from, read as far as the sections need it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import msgspec

from seatrial.report.sections._kept import read

if TYPE_CHECKING:
    from seatrial.report.section import Note
    from seatrial.report.sections import Sources


class Training(msgspec.Struct, frozen=True):
    """How the version was trained; what its release did not record has no value."""

    source: str | dict[str, str] = ""
    dataset: str = ""
    fingerprint: str = ""
    rows: int | None = None
    target: str = ""
    problem: str = ""
    classes: tuple[Any, ...] = ()
    features: tuple[tuple[str, str], ...] = ()
    hyperparameters: dict[str, Any] = {}
    seed: int | None = None
    seeds: tuple[int, ...] = ()
    code: dict[str, Any] = {}


class Parity(msgspec.Struct, frozen=True):
    """How the served form was proven equal to what was trained."""

    rows: int = 0
    largest_difference: float | None = None


class Golden(msgspec.Struct, frozen=True):
    """Rows whose answers are kept, to prove a machine by."""

    rows: int = 0


class Manifest(msgspec.Struct, frozen=True):
    """A version."""

    format: Literal["seatrial.version/1"]
    training: Training = Training()
    parity: Parity = Parity()
    golden: Golden = Golden()
    metrics: dict[str, float | None] = {}
    environment: dict[str, Any] = {}
    trust: str | None = None


def of_run(sources: Sources) -> Manifest | Note | None:
    """Of the version that the run registered; ``None`` when it registered none."""
    for address in reversed([*sources.steps]):
        content = sources.blob(address, "manifest")
        if content is not None:
            return read(content, Manifest, "The manifest of its version")
    return None


def of_version(sources: Sources, digest: str, called: str) -> Manifest | Note:
    """Of any version."""
    return read(sources.kept(digest, called), Manifest, f"The manifest of {called}")


def made_by(training: Training) -> str:
    """What fitted it, as the file names it.

    >>> made_by(Training(source="linear")), made_by(Training(source={"artifact": "m.onnx"}))
    ('linear', 'artifact m.onnx')
    """
    if isinstance(training.source, str):
        return training.source
    known = ((word, training.source.get(word)) for word in ("entrypoint", "artifact"))
    return next((f"{word} {value}" for word, value in known if value), "")
