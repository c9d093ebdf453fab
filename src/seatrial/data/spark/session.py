"""Which Spark counts the rows of a dataset? One session a process and master, quiet and tidy."""

from __future__ import annotations

import atexit
import logging
import os
import shutil
import signal
import socket
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seatrial.data.sources.scratch import Scratch
from seatrial.data.spark.faults import PATIENCE_S, errors_of_spark, not_started, words_of
from seatrial.errors import FormError, Mistake, PassingError, StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql import SparkSession

    from seatrial.data.dataset import Dataset

ANYWHERE = "local[*]"
"""The master when a dataset names none: every core of this machine."""

_LOCAL = {
    # Nothing listens for anybody but this process.
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
    # The default of 200 is for a cluster: so many tasks cost more than what they do.
    "spark.sql.shuffle.partitions": "8",
}
_QUIET = """\
rootLogger.level = error
rootLogger.appenderRef.stderr.ref = stderr
appender.stderr.type = Console
appender.stderr.name = stderr
appender.stderr.target = SYSTEM_ERR
appender.stderr.layout.type = PatternLayout
appender.stderr.layout.pattern = %d{ISO8601} %p %c: %m%n
"""
_started: dict[str, SparkSession] = {}


def session_of(dataset: Dataset) -> SparkSession:
    """The session that a dataset declares; one that is active in this process is taken as it is.

    Raises StoreError without PySpark or Java, PassingError when nobody answers at the address.
    """
    address = dataset.remote or dataset.master or ANYWHERE
    if address not in _started or _has_ended(_started[address]):
        _started[address] = _remote(dataset) if dataset.remote else _here(dataset, address)
    return _started[address]


def _remote(dataset: Dataset) -> SparkSession:
    """A session of a Spark Connect server, beside whatever else this process has."""
    address = str(dataset.remote)
    try:
        from pyspark.sql.connect.session import SparkSession as Remote  # noqa: PLC0415 - optional
    except ImportError as fault:
        raise _not_installed(dataset, "pyspark[connect]", "Spark Connect", fault) from fault
    _must_answer(dataset, [address.removeprefix("sc://").partition("/")[0]], 15002)
    try:
        session: Any = Remote.builder.remote(address).create()
        session.client.set_retry_policies([_short_patience()])
        session.conf.set("spark.sql.session.timeZone", "UTC")
    except errors_of_spark(OSError) as fault:
        raise not_started(dataset, fault) from fault
    atexit.register(_stop, session)
    return session  # type: ignore[no-any-return] # the two kinds of session are one interface


def _short_patience() -> Any:
    """Try a lost connection again for seconds: PySpark's own policy takes ten minutes."""
    from pyspark.sql.connect.client.retries import DefaultPolicy  # noqa: PLC0415 - optional

    return DefaultPolicy(max_retries=4, max_backoff=int(PATIENCE_S * 1000 / 4))


def _here(dataset: Dataset, master: str) -> SparkSession:
    """The session of this process, which has one Spark at most."""
    try:
        from pyspark.sql import SparkSession  # noqa: PLC0415 - optional
    except ImportError as fault:
        raise _not_installed(dataset, "seatrial[spark]", "PySpark", fault) from fault
    active: SparkSession | None = None
    with suppress(Exception):  # which of its errors says "none" has changed between versions
        active = SparkSession.active()
    if active is not None:
        _same_master(dataset, active)
        return active
    if master.startswith("spark://"):
        _must_answer(dataset, master.removeprefix("spark://").split(","), 7077)
    _must_have_java(dataset)
    return _start(dataset, master)


def _same_master(dataset: Dataset, active: SparkSession) -> None:
    """A process has one Spark: another master than its own cannot be had beside it."""
    master = active.conf.get("spark.master", "")
    if dataset.master and master and dataset.master != master:
        raise FormError(
            Mistake(
                f"dataset {dataset.name!r} is declared on the master {dataset.master}, but this "
                f"process is already connected to {master}",
                where=dataset.place,
                fix="declare the same `master:` for every dataset, or `remote:` for some",
            )
        )


def _start(dataset: Dataset, master: str) -> SparkSession:
    from pyspark.sql import SparkSession  # noqa: PLC0415 - optional

    scratch = Scratch()
    builder = SparkSession.builder.master(master).appName("seatrial")
    settings = {
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.timeType.enabled": "true",
    }
    if master.startswith("local"):
        settings |= {
            **_LOCAL,
            "spark.local.dir": str(scratch.path),
            "spark.sql.warehouse.dir": str(scratch.path / "warehouse"),
        }
    for name, value in settings.items():
        builder = builder.config(name, value)
    log = scratch.path / "spark.log"
    try:
        with _options(scratch.path), _into(log), _same_interrupt():
            session = builder.getOrCreate()
    except errors_of_spark(OSError) as fault:
        said = words_of(log)
        scratch.remove()
        raise not_started(dataset, fault, said) from fault
    # A call that was cut off raises an error, which we tell: Py4J also logs where it happened.
    logging.getLogger("py4j").setLevel(logging.CRITICAL)
    logging.getLogger().addFilter(_is_not_py4j)
    atexit.register(_end, session, scratch)
    return session


@contextmanager
def _same_interrupt() -> Iterator[None]:
    """Ctrl-C stays what it was: Spark's own answer to it asks the JVM, in the midst of a call."""
    before = signal.getsignal(signal.SIGINT)
    try:
        yield
    finally:
        with suppress(ValueError, TypeError):  # another thread than the main one; not set by Python
            signal.signal(signal.SIGINT, before)


def _is_not_py4j(record: logging.LogRecord) -> bool:
    """Py4J also logs without a name."""
    return "py4j" not in Path(record.pathname).parts


@contextmanager
def _options(folder: Path) -> Iterator[None]:
    """Options of the JVM for its start alone, added to those that the user has set."""
    logging = folder / "log4j2.properties"
    logging.write_text(_QUIET)
    before = os.environ.get("SPARK_SUBMIT_OPTS")
    given = [f"-Djava.io.tmpdir={folder}", f"-Dderby.system.home={folder}"]
    if "SPARK_CONF_DIR" not in os.environ and "SPARK_HOME" not in os.environ:
        given.append(f"-Dlog4j2.configurationFile={logging.as_uri()}")
    os.environ["SPARK_SUBMIT_OPTS"] = " ".join([*given, before or ""]).strip()
    try:
        yield
    finally:
        if before is None:
            del os.environ["SPARK_SUBMIT_OPTS"]
        else:
            os.environ["SPARK_SUBMIT_OPTS"] = before


@contextmanager
def _into(log: Path) -> Iterator[None]:
    """What a program that is started here says goes into a file: our output is a document."""
    kept = [os.dup(1), os.dup(2)]
    with log.open("wb") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    try:
        yield
    finally:
        for number, before in enumerate(kept, start=1):
            os.dup2(before, number)
            os.close(before)


def _has_ended(session: SparkSession) -> bool:
    """Whether somebody has stopped a session since."""
    stopped = getattr(session, "is_stopped", None)  # of Spark Connect
    if stopped is not None:
        return bool(stopped)
    context = getattr(session.sparkContext, "_jsc", None)
    return context is None or bool(context.sc().isStopped())


def _end(session: SparkSession, scratch: Scratch) -> None:
    """Stop Spark, wait for its JVM, which removes files of its own last, and remove the rest."""
    from pyspark import SparkContext  # noqa: PLC0415 - optional

    _stop(session)
    gateway: Any = SparkContext._gateway  # noqa: SLF001 - the JVM outlives stop(), and only this ends it
    with suppress(Exception):
        gateway.shutdown()
        gateway.proc.stdin.close()
        gateway.proc.wait(PATIENCE_S)
    scratch.remove()


def _stop(session: SparkSession) -> None:
    with suppress(Exception):  # it may be gone already, and so may its server
        session.stop()


def _must_have_java(dataset: Dataset) -> None:
    home = os.environ.get("JAVA_HOME")
    if home and os.access(Path(home, "bin", "java"), os.X_OK):
        return
    if not home and shutil.which("java"):
        return
    where = f"JAVA_HOME={home}" if home else "PATH"
    raise StoreError(
        Mistake(
            f"dataset {dataset.name!r}: Spark needs Java, and there is none",
            where=where,
            fix="install it (17 or newer): `apt install default-jre-headless`; or set JAVA_HOME",
        )
    )


def _must_answer(dataset: Dataset, places: list[str], default: int) -> None:
    """Spark itself would try for minutes where nobody listens."""
    told = ""
    for place in places:
        host, _, port = place.partition(":")
        try:
            socket.create_connection((host, int(port or default)), PATIENCE_S / 2).close()
        except (OSError, ValueError) as fault:
            told = told or str(getattr(fault, "strerror", None) or fault)
        else:
            return
    raise PassingError(
        Mistake(
            f"dataset {dataset.name!r}: no Spark answers: {told}",
            where=", ".join(places),
            fix=f"start it, or correct `datasets: {dataset.name}: {{…}}`",
        )
    )


def _not_installed(dataset: Dataset, wanted: str, what: str, fault: ImportError) -> StoreError:
    return StoreError(
        Mistake(
            f"dataset {dataset.name!r} needs {what}: {str(fault).splitlines()[0]}",
            where=dataset.place,
            fix=f"pip install '{wanted}'",
        )
    )
