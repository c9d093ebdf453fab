"""Where the time of a proof goes: ``python -m environment.stages DIR`` does what the child does."""

from __future__ import annotations

import itertools
import json
import sys
import time
from pathlib import Path

from data.costs import told
from seatrial.environment.bundles.bundled import GOLDEN, MANIFEST
from seatrial.environment.capture import capture
from seatrial.environment.needs import Needs


def main(folder: Path) -> None:
    """Capture, import, open, answer: as the child does, in its order."""
    manifest = json.loads((folder / MANIFEST).read_bytes())
    moments = [time.perf_counter()]
    capture(deep=Needs.of_manifest(manifest).packages)  # it imports onnxruntime to ask it
    moments.append(time.perf_counter())
    from seatrial.inference import golden  # noqa: PLC0415 - its import is a stage of its own
    from seatrial.inference.opening import open_model  # noqa: PLC0415
    from seatrial.inference.signature import Signature  # noqa: PLC0415
    from seatrial.inference.tolerance import Tolerance  # noqa: PLC0415

    moments.append(time.perf_counter())
    files = manifest["files"]
    places = {digest: folder / name for name, digest in files.items()}
    signature = Signature.from_json(manifest["signature"])
    model = open_model(files, lambda digest: places[digest].read_bytes(), signature, folder.name)
    moments.append(time.perf_counter())
    found = golden.verify(model, (folder / GOLDEN).read_bytes(), Tolerance.of_manifest(manifest))
    moments.append(time.perf_counter())
    assert found.ok
    stages = ("capture_s", "import_s", "open_s", "golden_s")
    spent = (after - before for before, after in itertools.pairwise(moments))
    told(**dict(zip(stages, spent, strict=True)), rows=found.rows)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
