"""A ready ONNX file, made to read and answer as every version does; nothing is trained anew.

Exporters name and shape inputs and outputs as they like. What is served reads one input a column
and answers ``label`` and ``probabilities``. So nodes are put in front of the file's graph and
behind it, and the file's own nodes stay as they are:

1. :mod:`.file` reads it, and refuses what is no ONNX file, or not all of one;
2. :mod:`.inputs` puts in front what turns our columns into its inputs;
3. :mod:`.trial` runs it on rows that any request may bring;
4. :mod:`.outputs` looks at what came out, and puts behind what turns it into our answers;
5. :mod:`.trial` proves that a row is answered alike, alone and among others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.models._ready_onnx.around import Around
from seatrial.models._ready_onnx.file import read
from seatrial.models._ready_onnx.inputs import put_in_front
from seatrial.models._ready_onnx.outputs import put_behind
from seatrial.models._ready_onnx.trial import prove, tried

if TYPE_CHECKING:
    from seatrial.inference.signature import Signature


def normalised(content: bytes, signature: Signature, where: str) -> bytes:
    """The file ``content`` as a version is served; the same bytes for the same file.

    Its inputs are the columns of the signature, FLOAT or STRING ``[n, 1]``; its outputs are
    ``label`` ``[n]`` (INT64 or STRING classes, or FLOAT numbers) and, for classes,
    ``probabilities`` FLOAT ``[n, classes]`` in the signature's order.

    The file may read the columns by their names, in any order, or one matrix ``[n, k]`` in the
    signature's order, of any type of number. For classes it must answer the probabilities of all,
    or of the greater one of two; labels of its own are kept, else the most probable class is.
    A missing value is NaN or ""; where the file wants whole numbers or booleans it becomes 0.

    ``where`` is the file's name, for messages. FormError when it cannot be served.
    """
    around = Around.of(read(content, where), signature, where)
    put_in_front(around)
    trial = tried(around)
    put_behind(around, trial)
    made = around.serialised()
    prove(made, around, trial)
    return made
