"""The other process of ``save_and_load``: ``python -m seatrial.evaluation.behaviour._reopened``.

It opens the model that lies in a folder, lets it answer the golden rows there, and prints how
the answers compare.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

from seatrial.errors import SeatrialError
from seatrial.inference import golden
from seatrial.inference.opening import open_model
from seatrial.inference.signature import Signature


def main(folder: Path) -> int:
    """Print the parity as JSON; how the process should exit."""
    request = json.loads((folder / "request.json").read_bytes())
    signature = Signature.from_json(request["signature"])
    kept = (folder / "model").read_bytes()
    try:
        model = open_model(
            request["files"],
            lambda _digest: kept,
            signature,
            request["whose"],
            trust=request["trust"],
        )
        proof = golden.verify(model, (folder / "golden.json").read_bytes())
    except SeatrialError as error:
        print(" ".join(str(error).split()), file=sys.stderr)  # noqa: T201 - to its parent
        return 1
    print(json.dumps(asdict(proof)))  # noqa: T201 - to its parent
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
