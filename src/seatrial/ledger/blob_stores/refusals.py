"""What a store refused, in one sentence; and whether it may pass by itself."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from seatrial.errors import Mistake, PassingError, StoreError
from seatrial.ledger.blob_stores import opening
from seatrial.workspace import BLOBS

if TYPE_CHECKING:
    from collections.abc import Iterator

# By name: stores have errors of their own without a common kind, and loading theirs takes long.
_KEYLESS = {"NoCredentialsError", "PartialCredentialsError", "ProfileNotFound"}
_KEYLESS |= {"CredentialRetrievalError", "TokenRetrievalError", "NoAuthTokenError"}
_UNCONNECTED = {"ConnectTimeoutError", "ConnectionTimeoutError"}
_LATE = {"TimeoutError", "ReadTimeoutError"}
_BROKEN_OFF = {"ClientPayloadError", "IncompleteReadError", "ResponseStreamingError"}
_BROKEN_OFF |= {"ConnectionClosedError", "ServerDisconnectedError", "FlexibleChecksumError"}
_WRONG = {"ParamValidationError", "ValueError", "NotImplementedError"}

_FORBIDDEN = {401, 403}
_BUSY = 429
_FAILED = 500

_ADDRESS = f"{BLOBS}, or --blobs where the command has it"
_SECRETS = ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
_AGAIN = "the same command goes on where it stopped; try it again when the store answers"


@dataclass(frozen=True, slots=True)
class _Answer:
    """What a store said: names of its errors, HTTP status and code where there were any."""

    names: set[str]
    status: int
    code: str
    line: str


def told(fault: Exception, doing: str, where: str) -> StoreError:
    """What a store's own error says; ``doing`` is what was tried (``keep a blob``).

    :class:`PassingError` when the next attempt may well succeed.
    """
    answer = _answer(fault)
    late = _late(answer)
    lasting = None if late else _lasting(answer, doing)
    if lasting is not None:
        what, fix = lasting
        return StoreError(Mistake(what, where=where, fix=fix))
    what = f"cannot {doing}: {late or _failed(answer)}"
    return PassingError(Mistake(what, where=where, fix=_AGAIN))


def without_place(fault: Exception) -> bool:
    """Whether the bucket is missing, and not only what should lie in it."""
    answer = _answer(fault)
    return answer.code == "NoSuchBucket" or "bucket does not exist" in answer.line.lower()


def _lasting(answer: _Answer, doing: str) -> tuple[str, str] | None:
    """What is wrong and how to put it right; None when it may pass by itself."""
    names, status, line = answer.names, answer.status, answer.line
    if answer.code == "NoSuchBucket" or "bucket does not exist" in line.lower():
        return "the bucket does not exist", f"make it, or correct its address: {_ADDRESS}"
    if answer.code == "RequestTimeTooSkewed":
        what = "the store refuses requests of this machine: its clock is wrong"
        return what, "set the clock of this machine"
    if "PermissionError" in names or status in _FORBIDDEN:
        fix = "allow these keys to read, write, list and delete below the address"
        return f"the store refuses to {doing}:\n  {line}", fix
    if names & _KEYLESS:
        fix = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or write ~/.aws/credentials"
        return f"there are no keys for the store:\n  {line}", fix
    if names & _WRONG or (status and status < _FAILED and status != _BUSY):
        fix = f"correct the address ({_ADDRESS}), or the settings of the store's own tools"
        return f"cannot {doing}:\n  {line}", fix
    return None


def _late(answer: _Answer) -> str:
    """How the store did not answer, or not to the end; empty when it did, or was not reached."""
    if answer.names & _UNCONNECTED:
        return f"no connection to the store within {opening.CONNECT_S:g} s"
    if "FSTimeoutError" in answer.names:
        return "the store is too slow"
    if answer.names & _LATE:
        return f"the store did not answer within {opening.READ_S:g} s"
    return "the answer broke off" if answer.names & _BROKEN_OFF else ""


def _failed(answer: _Answer) -> str:
    """What it answered, or why it was not reached."""
    if answer.status:
        why = f" ({answer.code})" if answer.code not in {"", str(answer.status)} else ""
        return f"the store answered {answer.status}{why}"
    return f"the store cannot be reached:\n  {answer.line}"


def _answer(fault: Exception) -> _Answer:
    chain = [*_chain(fault)]
    names = {kind.__name__ for each in chain for kind in type(each).__mro__}
    status, code = next((found for each in chain if (found := _http(each))), (0, ""))
    return _Answer(names, status, code, _line(fault))


def _chain(fault: BaseException | None) -> Iterator[BaseException]:
    """The error, and what it was made from."""
    while fault is not None:
        yield fault
        fault = fault.__cause__


def _http(fault: BaseException) -> tuple[int, str] | None:
    """Status and code of an answer, as S3's errors hold them, and those of other stores."""
    response: Any = getattr(fault, "response", None)
    if isinstance(response, dict):
        status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return int(status), str(response.get("Error", {}).get("Code", ""))
    numbers = (getattr(fault, name, None) for name in ("status_code", "status", "code"))
    status = next((each for each in numbers if isinstance(each, int)), None)
    return None if status is None else (status, "")


def _line(fault: Exception) -> str:
    """Its words, on one line and without what nobody else must read."""
    said = re.sub(r"(?<=//)[^/@\s]+@", "", " ".join(str(fault).split()))
    said = re.sub(r"\?[^\s\"']+|^\[Errno \d+\] ", "", said)
    for secret in filter(None, map(os.environ.get, _SECRETS)):
        said = said.replace(secret, "…")
    return said[:200] or type(fault).__name__
