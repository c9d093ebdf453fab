"""How are Spark's types called in duckdb's words, which columns carry on every engine?"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from seatrial.data.column import Column, kind_of, quoted

if TYPE_CHECKING:
    from pyspark.sql.types import DataType, StructType

_WORDS = {
    "boolean": "BOOLEAN",
    "byte": "TINYINT",
    "short": "SMALLINT",
    "integer": "INTEGER",
    "long": "BIGINT",
    "float": "FLOAT",
    "double": "DOUBLE",
    "string": "VARCHAR",
    "char": "VARCHAR",
    "varchar": "VARCHAR",
    "date": "DATE",
    "time": "TIME",
    "timestamp": "TIMESTAMP WITH TIME ZONE",
    "timestamp_ntz": "TIMESTAMP",
    "interval": "INTERVAL",
    "daytimeinterval": "INTERVAL",
    "yearmonthinterval": "INTERVAL",
    "binary": "BLOB",
    "void": '"NULL"',
    "variant": "VARIANT",
}
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Field:
    """A column, with its type as Spark writes it."""

    column: Column
    spark: str
    unordered: bool
    """Whether Spark can neither hash nor group its values, only write them as text."""


def fields_of(schema: StructType) -> tuple[Field, ...]:
    """The columns of a data frame, in their order."""
    return tuple(_field(field.name, field.dataType) for field in schema.fields)


def _field(name: str, spark: DataType) -> Field:
    kind = word(spark)
    return Field(Column(name, kind_of(kind), kind), spark.simpleString(), _is_unordered(spark))


def word(spark: DataType) -> str:
    """What duckdb calls a type of Spark.

    >>> from pyspark.sql.types import ArrayType, DecimalType, LongType, StructType
    >>> word(ArrayType(DecimalType(12, 2))), word(StructType().add("a", LongType()))
    ('DECIMAL(12,2)[]', 'STRUCT(a BIGINT)')
    """
    from pyspark.sql import types  # noqa: PLC0415 - only where Spark is asked for

    if isinstance(spark, types.DecimalType):
        return f"DECIMAL({spark.precision},{spark.scale})"
    if isinstance(spark, types.ArrayType):
        return f"{word(spark.elementType)}[]"
    if isinstance(spark, types.MapType):
        return f"MAP({word(spark.keyType)}, {word(spark.valueType)})"
    if isinstance(spark, types.StructType):
        inner = (f"{_identifier(field.name)} {word(field.dataType)}" for field in spark.fields)
        return f"STRUCT({', '.join(inner)})"
    name = spark.typeName()
    return _WORDS.get(name, name.upper())


def _is_unordered(spark: DataType) -> bool:
    from pyspark.sql import types  # noqa: PLC0415 - only where Spark is asked for

    if isinstance(spark, types.ArrayType):
        return _is_unordered(spark.elementType)
    if isinstance(spark, types.StructType):
        return any(_is_unordered(field.dataType) for field in spark.fields)
    return isinstance(spark, types.MapType) or spark.typeName() == "variant"


def _identifier(name: str) -> str:
    return name if _PLAIN.fullmatch(name) else quoted(name)
