"""The process that proves a bundle: it captures the machine, then lets the model answer.

It writes lines of JSON: ``{"environment": capture}`` before the model is touched, so that a model
which crashes leaves that much; then ``{"proof": {form: …}}``, or ``{"trouble": sentence,
"found_out": whether that is the model's answer}``.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import threading
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seatrial.environment.bundles.bundled import FORMS, GOLDEN, MANIFEST, MATRIX
from seatrial.environment.capture import capture
from seatrial.environment.proof.asked import Question
from seatrial.errors import FormError, Mistake, SeatrialError, StoreError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from seatrial.inference.opening import Answers


def main(arguments: Sequence[str]) -> None:
    """Do what the question says, and write what comes of it to the file that is named."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    threading.Thread(target=_load, daemon=True).start()
    question, result = Question.read(arguments[0]), Path(arguments[1])
    with result.open("x", encoding="utf-8") as file:

        def tell(**told: Any) -> None:
            file.write(json.dumps(told) + "\n")
            file.flush()

        tell(environment=capture(deep=question.packages))
        try:
            tell(proof=_proof(question))
        except ImportError as error:
            tell(trouble=_not_importable(error), found_out=True)
        except FormError as error:
            tell(trouble=str(error), found_out=True)
        except SeatrialError as error:
            tell(trouble=str(error), found_out=False)


def _proof(question: Question) -> dict[str, Any]:
    """Every form of the model, asked the golden rows; FormError when it cannot answer them."""
    # Only now, and only here: a machine that lacks these can still be captured.
    from seatrial.inference import golden  # noqa: PLC0415
    from seatrial.inference.batches import CANNOT_ANSWER  # noqa: PLC0415
    from seatrial.inference.matrix import Matrix  # noqa: PLC0415
    from seatrial.inference.opening import open_model  # noqa: PLC0415
    from seatrial.inference.session import SERVED, Settings  # noqa: PLC0415
    from seatrial.inference.signature import Signature  # noqa: PLC0415
    from seatrial.inference.tolerance import Tolerance  # noqa: PLC0415

    folder = Path(question.folder)
    manifest = json.loads(_verified(folder / MANIFEST, question.digest))
    files: dict[str, str] = manifest["files"]
    places = {digest: folder / name for name, digest in files.items()}
    signature = Signature.from_json(manifest["signature"])
    tolerance = Tolerance.of_manifest(manifest)
    if question.rows_at_once is not None:
        tolerance = replace(tolerance, rows_at_once=question.rows_at_once)
    settings = Settings(threads=0, exact_int8=False) if question.plain else SERVED
    rows = _verified(folder / GOLDEN, files[GOLDEN])

    def read(digest: str) -> bytes:
        return _verified(places[digest], digest)

    def proof(model: Answers) -> dict[str, Any]:
        try:
            found = golden.verify(model, rows, tolerance)
        except CANNOT_ANSWER as error:
            reason = " ".join(str(error).split())[:200]
            raise FormError(Mistake(f"the model fails on its golden rows:\n{reason}")) from error
        return {**asdict(found), "ok": found.ok, "said": found.said}

    model = open_model(files, read, signature, "the bundle", manifest.get("trust"), settings)
    proofs = {next(name for name in FORMS if name in files): proof(model)}
    if MATRIX in files:
        proofs[MATRIX] = proof(Matrix.load(read(files[MATRIX]), signature, settings))
    return proofs


def _verified(file: Path, digest: str) -> bytes:
    """What lies in a file: it may have been changed since the bundle was looked through."""
    try:
        content = file.read_bytes()
    except OSError as error:
        what = f"a file of the bundle cannot be read: {error.strerror}"
        raise StoreError(Mistake(what, where=file.name)) from error
    if f"sha256:{hashlib.sha256(content).hexdigest()}" != digest:
        raise StoreError(Mistake("a file of the bundle changed just now", where=file.name))
    return content


def _not_importable(error: ImportError) -> str:
    name = (error.name or "").partition(".")[0]
    if isinstance(error, ModuleNotFoundError) and name:
        return f"{name} is not installed for this Python\n  fix: pip install {name}"
    return f"a library cannot be loaded here: {error}"


def _load() -> None:
    """Load the libraries while the capture reads files: that saves a fifth of the time."""
    with contextlib.suppress(ImportError):  # told where they are needed
        import onnxruntime  # noqa: F401, PLC0415


def _end_with_parent() -> None:
    """Nobody else would end this process when its parent is killed: then its input ends."""
    os.read(0, 1)
    os._exit(1)
