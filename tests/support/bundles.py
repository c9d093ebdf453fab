"""Versions as bundles, made without a pipeline, and the program that proves them."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from seatrial.environment.bundles import bundle, listing
from seatrial.environment.capture import capture
from seatrial.inference import golden
from seatrial.inference.session import Model
from seatrial.models import Training, get
from seatrial.models._matrix import with_matrix_input

if TYPE_CHECKING:
    from collections.abc import Mapping

ROWS = 300
SOURCE = Path(bundle.__file__).parents[2]


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


@dataclass(slots=True)
class Version:
    """A version before it is bundled: the files by name, and the rest of its manifest."""

    files: dict[str, bytes]
    manifest: dict[str, Any] = field(default_factory=dict)

    def write(self, target: Path) -> bundle.Bundle:
        kept = {digest_of(content): content for content in self.files.values()}
        names = {name: digest_of(content) for name, content in self.files.items()}
        manifest = json.dumps({**self.manifest, "files": names}).encode()
        return bundle.write(
            target,
            manifest_bytes=manifest,
            digest=digest_of(manifest),
            read=kept.__getitem__,
            model="flights_late",
            version=3,
            created="2026-11-01T10:00:00+00:00",
        )


def flights_late() -> Version:
    """Two numbers and a word, the classes "late" and "on time"; trained in this very place."""
    exported, rows, signature = _trained()
    files = {"model.onnx": exported, "golden.json": rows, "native": b"not for devices"}
    return Version(files, {"signature": signature, "environment": _here()})


def numbers_only() -> Version:
    """Two numbers in, a number out; with its matrix."""
    random = np.random.default_rng(4)
    features = {name: random.normal(size=ROWS).astype(np.float32) for name in ("a", "b")}
    target = (features["a"] * 3).astype(np.float64)
    fitted = get("linear").fit(Training(features, target, "numbers", (), {}, 1))
    exported = fitted.to_onnx()
    rows = golden.make(Model.load(exported, fitted.signature), features, seed=1)
    joined = with_matrix_input(exported, fitted.signature)
    assert joined is not None
    return Version(
        {"model.onnx": exported, "golden.json": rows, "matrix.onnx": joined},
        {"signature": fitted.signature.to_json(), "environment": _here()},
    )


@cache
def _trained() -> tuple[bytes, bytes, dict[str, object]]:
    random = np.random.default_rng(4)
    features = {name: random.normal(size=ROWS).astype(np.float32) for name in ("dep_delay", "b")}
    carrier = random.choice(np.array(["UA", "DL", "Ärø", ""], dtype=object), ROWS)
    late = np.where((features["dep_delay"] > 0) | (carrier == "DL"), "late", "on time")
    classes: tuple[int | str, ...] = ("late", "on time")
    rows = {**features, "carrier": carrier}
    training = Training(rows, late.astype(object), "classes", classes, {"num_leaves": 4}, 1)
    fitted = get("gradient_boosted").fit(training)
    exported = fitted.to_onnx()
    made = golden.make(Model.load(exported, fitted.signature), rows, seed=1)
    return exported, made, fitted.signature.to_json()


def _here() -> dict[str, Any]:
    return json.loads(json.dumps(capture()))  # type: ignore[no-any-return]


def change(folder: Path, name: str, content: bytes) -> None:
    """Put another file into a bundle, and make its listing agree, as a forger would."""
    (folder / name).write_bytes(content)
    listed = json.loads((folder / listing.NAME).read_bytes())
    listed["files"][name] = {"sha256": digest_of(content), "bytes": len(content)}
    (folder / listing.NAME).write_text(json.dumps(listed))


@dataclass(frozen=True, slots=True)
class Said:
    """How ``python -m seatrial.environment`` ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def environment(
    *words: str | Path, folder: Path | None = None, variables: Mapping[str, str] | None = None
) -> Said:
    """Run ``python -m seatrial.environment`` in a process of its own."""
    ended = subprocess.run(
        [sys.executable, "-m", "seatrial.environment", *map(str, words)],
        cwd=folder,
        env={**os.environ, **(variables or {})},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return Said(ended.returncode, ended.stdout, ended.stderr)
