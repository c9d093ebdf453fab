"""What went wrong in Spark, and who must act: the owner of the data, or nobody but time?"""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

from seatrial.errors import FormError, Mistake, PassingError, SeatrialError, StoreError, nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from seatrial.data.dataset import Dataset

PATIENCE_S = 10.0
"""So long is waited for somebody to answer."""

_LINE = 160
"""No more than this many characters of Spark's own message are shown."""

_FORM = re.compile(
    r"PARSE_|UNRESOLVED_|MISSING_|AMBIGUOUS_|COLUMN_|FAILED_READ_FILE|CANNOT_READ|MALFORMED|"
    r"UNABLE_TO_INFER|INVALID_|UNSUPPORTED|CONVERSION|CAST_|NUMERIC|DATATYPE|DIVIDE_BY|ARITHMETIC"
)
"""How the names begin that Spark gives to errors in queries and files."""

_FORM_TEXT = re.compile(r"is not a Parquet file|Malformed|CSV header does not conform")
_LOST = re.compile(
    r"(Connect|UnknownHost|Socket|Timeout|AccessDenied|AWS\w*|NoSuchBucket)Exception\b|"
    r"Connection refused|StatusCode\.UNAVAILABLE|status code: 403|403 Forbidden|"
    r"ClassNotFoundException: Class org\.apache\.hadoop"
)


@contextmanager
def told(dataset: Dataset, names: Callable[[], Sequence[str]] | None = None) -> Iterator[None]:
    """Errors of Spark, as ours. ``names`` are the tables or files one of which may be meant."""
    try:
        yield
    except (SeatrialError, KeyboardInterrupt):
        raise
    except errors_of_spark() as fault:
        raise _as_ours(dataset, fault, names) from fault


def not_started(dataset: Dataset, fault: Exception, said: str = "") -> StoreError | FormError:
    """The error for a session that could not be had; ``said`` is what the JVM said last."""
    ended = _condition(fault) == "JAVA_GATEWAY_EXITED"  # then only the JVM said why
    line = (said if ended else "") or _line(fault)
    if re.search(r"parse Master URL|Master must either be", f"{line} {fault}"):
        return FormError(
            Mistake(
                f"dataset {dataset.name!r}: {dataset.master!r} is no master of Spark",
                where=dataset.place,
                fix="write such as `master: local[2]`, spark://HOST:7077, yarn or k8s://HOST",
            )
        )
    # What is wrong on this machine does not pass by itself; a cluster may.
    elsewhere = dataset.remote or not (dataset.master or "local").startswith("local")
    raised = PassingError if elsewhere else StoreError
    return raised(
        Mistake(
            f"dataset {dataset.name!r}: Spark does not start:\n  {line}",
            # Behind a semicolon there may be a token.
            where=(dataset.remote or dataset.master or "this machine").partition(";")[0],
            fix="see that Java is 17 or newer, and that memory and the address are right",
        )
    )


def words_of(log: Path) -> str:
    """The line of a log that says most: the first error, else the last line."""
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    errors = [line for line in lines if re.search(r"rror|xception", line)]
    said = (errors or lines[-1:] or [""])[0].strip()
    return re.sub(r'^Exception in thread "main" [\w.]+: ', "", said)[:_LINE]


def errors_of_spark(*more: type[Exception]) -> tuple[type[Exception], ...]:
    """What a call of Spark may raise: PySpark's errors, those of its bridges, a lost line."""
    from py4j.protocol import Py4JError  # noqa: PLC0415 - optional
    from pyspark.errors import PySparkException  # noqa: PLC0415 - optional

    found = (PySparkException, Py4JError, ConnectionError, *more)
    try:
        from grpc import RpcError  # noqa: PLC0415 - only with Spark Connect
    except ImportError:
        return found
    return (*found, RpcError)


def _as_ours(
    dataset: Dataset, fault: Exception, names: Callable[[], Sequence[str]] | None
) -> SeatrialError:
    text, condition = str(fault), _condition(fault)
    where = dataset.place
    if condition in {"TABLE_OR_VIEW_NOT_FOUND", "SCHEMA_NOT_FOUND"}:
        missing = re.search(r"(?:view|schema) (\S+) cannot be found", text)
        wanted = missing[1].replace("`", "") if missing else dataset.table or ""
        return FormError(
            Mistake(
                f"dataset {dataset.name!r}: Spark knows no table {wanted!r}",
                where=where,
                nearest=nearest(wanted, names() if names else ()),
                fix="correct the name; one of another catalogue is written CATALOGUE.SCHEMA.TABLE",
            )
        )
    if condition == "PATH_NOT_FOUND":
        near = nearest(dataset.path.name, names() if names else ()) if dataset.path else ""
        what = f"dataset {dataset.name!r}: there is nothing at its path"
        return FormError(
            Mistake(what, where=where, nearest=near, fix="correct the path under `datasets:`")
        )
    line = _line(fault)
    is_form = _FORM.match(condition) or _FORM_TEXT.search(text)
    if _LOST.search(text) or not is_form:
        return PassingError(
            Mistake(
                f"dataset {dataset.name!r}: Spark could not finish:\n  {line}",
                where=where,
                fix="look at Spark's own log; when nothing is wrong there, run again",
            )
        )
    return FormError(
        Mistake(
            f"dataset {dataset.name!r} cannot be read by Spark:\n  {line}",
            where=where,
            fix="correct the query, or write the files again from their source",
        )
    )


def _condition(fault: Exception) -> str:
    condition = getattr(fault, "getCondition", lambda: None)()
    return str(condition or "")


def _line(fault: Exception) -> str:
    """The sentence of an error that says most: the innermost cause that Spark names."""
    lines = [line.strip() for line in str(fault).splitlines() if line.strip()]
    told = [line for line in lines if not line.startswith("An error occurred while calling")]
    said = next((line for line in told if "MALFORMED_RECORD" in line), "")
    said = said or (told[0].lstrip(": ") if told else type(fault).__name__)
    said = re.sub(r" SQLSTATE: \w+|^Caused by: |\borg\.apache\.spark\.[\w.]*:? ?", "", said)
    return re.sub(r"^\[[A-Z_.]+\] ", "", said)[:_LINE]
