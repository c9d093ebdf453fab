"""How does a dataset become a data frame? Files, a table of the catalogue, or a query."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import unquote

from seatrial.data.dataset import SUFFIXES
from seatrial.data.sources.refusals import unique_names
from seatrial.data.spark.inferring import typed
from seatrial.errors import FormError, Mistake

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import DataFrame, SparkSession

    from seatrial.data.dataset import Dataset

_CSV = {
    # One dialect, as everywhere else: RFC 4180, empty fields missing, ragged rows refused.
    "quote": '"',
    "escape": '"',
    "multiLine": "true",
    "mode": "FAILFAST",
    "encoding": "UTF-8",
    "maxColumns": "100000",
}
_SPECIAL = re.compile(r"([\[\]{}*?,\\^])")
_PARTITION = re.compile(r"/([^/=]+)=[^/]*(?=/)")


def read_frame(dataset: Dataset, session: SparkSession) -> DataFrame:
    """The rows of a dataset, typed as duckdb types them. Nothing but headers is read yet."""
    if dataset.query:
        return session.sql(dataset.query)
    if dataset.table:
        return session.table(dataset.table)
    place = path_of(dataset)
    suffix = _suffix(place)
    if suffix.startswith((".csv", ".tsv")):
        texts = _texts(dataset, session, place, "\t" if suffix[:4] == ".tsv" else ",")
        return typed(session, texts).persist()  # parsing is what costs: once is enough
    if suffix.startswith((".json", ".ndjson")):
        lines = not suffix.startswith(".json") or suffix.startswith(".jsonl")
        read = session.read.option("mode", "FAILFAST").option("multiLine", str(not lines).lower())
        return read.json(place).persist()
    if suffix == ".parquet" or not suffix:
        return _whole_numbers(session.read.parquet(place), place)
    raise FormError(
        Mistake(
            f"dataset {dataset.name!r}: Spark does not read {suffix} files",
            where=dataset.place,
            fix="convert it to Parquet, CSV or JSON lines, or leave out `engine: spark`",
        )
    )


def path_of(dataset: Dataset) -> str:
    """The path as Spark takes it: a file or folder that exists matches only itself.

    >>> from pathlib import Path
    >>> from seatrial.data.dataset import Dataset
    >>> path_of(Dataset("d", Path("/data/flights-*.parquet")))
    'file:///data/flights-*.parquet'
    """
    if dataset.path is None:
        return dataset.address or ""
    path = str(dataset.path.absolute())
    is_pattern = not dataset.path.exists() and any(sign in path for sign in "*?[{")
    return "file://" + (path if is_pattern else _SPECIAL.sub(r"\\\1", path))


def tables_of(session: SparkSession, table: str) -> list[str]:
    """The tables that may have been meant, written as ``table`` is."""
    schema = table.rpartition(".")[0]
    with suppress(Exception):  # a catalogue that cannot list has no nearest name
        names = [entry.name for entry in session.catalog.listTables(schema or None)]
        return [f"{schema}.{name}" if schema else name for name in names]
    return []


def files_beside(path: Path | None) -> list[str]:
    """The names beside a file of this machine that does not exist."""
    folder = path.parent if path is not None else None
    return [file.name for file in folder.iterdir()] if folder and folder.is_dir() else []


def _suffix(place: str) -> str:
    name = place.rstrip("/").lower()
    return max((suffix for suffix in SUFFIXES if name.endswith(suffix)), key=len, default="")


def _texts(dataset: Dataset, session: SparkSession, place: str, delimiter: str) -> DataFrame:
    """Every field of CSV files as text, under the names of their header."""
    from pyspark.sql.types import StringType, StructField, StructType  # noqa: PLC0415 - optional

    # Spark would rename equal names; so the header is read as a row of its own. (By lines:
    # looking into whole files, Spark would take a path for a pattern twice.)
    by_line = {**_CSV, "multiLine": "false", "mode": "PERMISSIVE", "sep": delimiter}
    header = session.read.options(**by_line).csv(place).head(1)
    names = [name or "" for name in header[0]] if header else []
    marked = bool(names) and names[0].startswith("\ufeff")
    names = [name.removeprefix("\ufeff") for name in names]
    unique_names(dataset, names)
    schema = StructType([StructField(name, StringType()) for name in names])
    # Each file's header must say the same, but for a byte order mark, which Spark keeps.
    read = session.read.options(**_CSV).options(sep=delimiter, header="true")
    return read.options(enforceSchema=str(marked).lower()).schema(schema).csv(place)


def _whole_numbers(frame: DataFrame, place: str) -> DataFrame:
    """Numbers in the names of folders are BIGINT, as duckdb types them; Spark says INTEGER."""
    from pyspark.sql.types import IntegerType  # noqa: PLC0415 - optional

    files = frame.inputFiles()[:1]
    below = unquote(files[0]).partition(unquote(place).rstrip("/").rpartition("/")[2])[2]
    keys = set(_PARTITION.findall(below)) if files else set()
    for field in frame.schema.fields:
        if field.name in keys and isinstance(field.dataType, IntegerType):
            frame = frame.withColumn(field.name, frame[f"`{field.name}`"].cast("bigint"))
    return frame
