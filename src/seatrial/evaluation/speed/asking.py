"""What the measuring children are asked, and what they say: values that go through a file."""

from __future__ import annotations

import msgspec

QUESTION, REPLY = "question.msgpack", "reply.msgpack"


class Body(msgspec.Struct, frozen=True, array_like=True):
    """A request's body, and the length of its JSON when raw tensors follow."""

    content: bytes
    json_length: int | None = None


class Opened(msgspec.Struct, frozen=True):
    """A version to open: as the gateway does, by the digest of its manifest."""

    model: str
    version: int
    digest: str


class Kind(msgspec.Struct, frozen=True):
    """Requests of so many rows: ``bodies`` has a list for each version, of the same rows.

    In each round ``most`` pairs are asked, or as many as use up ``budget_s`` evenly over all
    rounds, but ``least`` whatever it takes.
    """

    rows: int
    bodies: list[list[Body]]
    most: int
    least: int
    budget_s: float


class TimingQuestion(msgspec.Struct, frozen=True):
    """Which versions shall answer which requests, small ones first, how many rounds long."""

    blobs: str
    versions: list[Opened]
    kinds: list[Kind]
    rounds: int
    seed: int


class Times(msgspec.Struct, frozen=True):
    """Nanoseconds of each request of one kind, in order: a list for each version.

    ``own`` is ``wall`` without the time in which the processor was given to others. ``round``
    numbers the round of each.
    """

    round: list[int]
    wall: list[list[int]]
    own: list[list[int]]


class Failed(msgspec.Struct, frozen=True):
    """The version (by its place in the question) that could not answer, and why."""

    place: int
    why: str


class TimingReply(msgspec.Struct, frozen=True):
    """Times by rows of a request, without those that would take too long.

    ``waiting_known`` is False where the kernel does not tell who waited.
    """

    times: dict[int, Times]
    waiting_known: bool
    failed: Failed | None = None
    blocked: str = ""
    """Why nothing could be opened; empty when all was."""


class MemoryQuestion(msgspec.Struct, frozen=True):
    """A version, and the requests that it shall answer: rows and body, small ones first."""

    blobs: str
    version: Opened
    bodies: list[tuple[int, Body]]


class MemoryReply(msgspec.Struct, frozen=True):
    """Bytes: what it took at most beyond the empty interpreter, and the files that it opened."""

    memory: int = 0
    size: int = 0
    failed: str = ""
    """Why it did not answer."""
    blocked: str = ""
    """Why it could not be opened."""
