"""The JSON Schema of a pipeline file, for editors: made from the schema of each task's word."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from seatrial import extend
from seatrial.pipeline.datasets import DATABASES, ENGINES
from seatrial.pipeline.fields import LARGEST
from seatrial.pipeline.notes import NAME
from seatrial.pipeline.settings import CHOICES, LARGEST_SEED, LEAKS, LEVELS, RETAIN, RULES

if TYPE_CHECKING:
    from collections.abc import Mapping

Schema = dict[str, Any]

_NAME = f"^{NAME.pattern}$"


def document(task_schemas: Mapping[str, Schema], rules: str = "") -> Schema:
    """JSON Schema 2020-12 of the whole file, from the parameter schema of each task word.

    A word's own ``$defs`` move to the top under WORD.NAME, where its references find them.
    ``rules`` is a pattern of the words under ``environment: {policy: …}``.

    >>> schema = document({"train": {"type": "object"}})
    >>> schema["required"]
    ['name', 'stages']
    >>> list(schema["$defs"]["task"]["anyOf"][0]["properties"])
    ['train']
    """
    definitions: Schema = {}
    words = {word: _hoisted(word, task_schemas[word], definitions) for word in sorted(task_schemas)}
    bare = [word for word, schema in words.items() if not _demands(schema, definitions)]
    definitions["stage"] = _stage()
    definitions["task"] = _task(words, bare)
    definitions["dataset"] = _dataset()
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "seatrial pipeline",
        "description": "From data to a model in production, and back again when it degrades.",
        "type": "object",
        "required": ["name", "stages"],
        "additionalProperties": False,
        "properties": {
            "name": _text("Name of the pipeline, and of its model unless model: says so.", _NAME),
            "schedule": _text("Cron with five fields, such as 0 2 * * * (daily at 02:00)."),
            "stages": {
                "description": "What happens, in order; a stage that does not pass ends the run.",
                "type": "array",
                "minItems": 1,
                "items": {"$ref": "#/$defs/stage"},
            },
            **_optional(rules),
        },
        "$defs": definitions,
    }


def _stage() -> Schema:
    return {
        "type": "object",
        "required": ["name", "tasks"],
        "additionalProperties": False,
        "properties": {
            "name": _text("Name of the stage, unique in the file.", _NAME),
            "condition": _text(
                "A CEL expression over all_previous_stages_passed and stages.<name>.passed."
            ),
            "tasks": {
                "description": "Run in order; the first that does not pass ends the stage.",
                "type": "array",
                "minItems": 1,
                "items": {"$ref": "#/$defs/task"},
            },
        },
    }


def _task(words: Mapping[str, Schema], bare: list[str]) -> Schema:
    with_parameters = {
        "type": "object",
        "minProperties": 1,
        "maxProperties": 1,
        "additionalProperties": False,
        "properties": {
            word: {"anyOf": [schema, {"type": "null"}]} if word in bare else schema
            for word, schema in words.items()
        },
    }
    alone = [{"description": "A task without parameters.", "enum": bare}] if bare else []
    return {
        "description": "One task: its word and its parameters.",
        "anyOf": [with_parameters, *alone],
    }


def _dataset() -> Schema:
    column = {"type": "string", "minLength": 1}
    columns = {"anyOf": [column, {"type": "array", "items": {"type": "string"}}]}
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "path": _text(
                "A file, a folder of Parquet files, a pattern, or an address such as s3://…; "
                "default data/<name>.{parquet,csv,csv.gz,…}."
            ),
            "database": _text(
                "The address of a database, without a password.",
                rf"^({'|'.join(re.escape(scheme) for scheme in DATABASES)})://",
            ),
            "database_env": _text("The environment variable that holds the database's address."),
            "table": _text("The table of the database (or of Spark) that holds the rows."),
            "query": _text("The query whose rows it is; end it with ORDER BY."),
            "target": _text("The column to predict; default target, else label."),
            "key": _text("The entity that a row is about; never on both sides of a test."),
            "time": _text("The column that says when a row was observed."),
            "exclude": {"description": "Columns that are no features.", **columns},
            "engine": {
                "description": "Where the rows are counted; default duckdb, on this machine.",
                "enum": list(ENGINES),
            },
            "master": _text("The master of Spark; default local[*]."),
            "remote": _text("The address of a Spark Connect server.", "^sc://"),
        },
    }


def _optional(rules: str) -> Schema:
    told = {
        "problem": "Whether the target is classes or numbers; default: told by its values.",
        "overlap": "When the last scheduled run still waits; default skip.",
        "catch_up": "Scheduled times that passed while nothing was running; default skip.",
    }
    return {
        "model": _text("Name of the model; default the pipeline's name.", _NAME),
        "metric": _text("The primary metric, a scikit-learn scorer name."),
        "datasets": {
            "description": "Datasets that are not simply data/<name>.*.",
            "type": "object",
            "propertyNames": {"pattern": _NAME},
            "additionalProperties": {"$ref": "#/$defs/dataset"},
        },
        "timezone": _text("IANA time zone of the schedule; default UTC."),
        "seed": {
            "description": "What every draw starts from; a fixed default.",
            "type": "integer",
            "minimum": 0,
            "maximum": LARGEST_SEED,
        },
        **{key: {"description": told[key], "enum": list(CHOICES[key])} for key in CHOICES},
        "notify": _notify(),
        "review": _review(),
        "serving": _serving(),
        "watch": _watch(),
        "leakage": _leakage(),
        "environment": _environment(rules),
    }


def _serving() -> Schema:
    return _mapping(
        "How the model is served, and what is kept of its traffic.",
        max_body_mb=_above_zero("Larger requests are refused; default 16."),
        retain={
            "description": "Where the version before is kept; memory rolls back at once.",
            "enum": list(RETAIN),
        },
        keep_days=_above_zero("Logged traffic older than this is dropped; default 30."),
        keep_gb=_above_zero("The oldest logged traffic beyond this is dropped; default 5."),
        redact={
            "description": "Columns that are never logged.",
            "type": "array",
            "items": {"type": "string"},
        },
    )


def _watch() -> Schema:
    return _mapping(
        "How production is followed after a promotion.",
        hours=_above_zero("How long a version is compared with the one it replaced; default 48."),
        max_hours=_above_zero("How long at most, when labels are few; default 3.5 x hours."),
        rule={"description": "When it rolls back; default balanced.", "enum": list(RULES)},
        metric=_text("A metric that is a mean over rows; default the primary metric."),
        margin=_above_zero("In units of that metric; default the number of the rollback plan."),
        min_labels={
            "description": "Labelled requests below which nothing is said; default 100.",
            "type": "integer",
            "minimum": 1,
        },
        min_coverage_percent=_percent("Labelled share below which none is known good; default 20."),
        errors_percent=_percent("Failed requests that roll back without statistics; default 1."),
        cool_down_hours=_above_zero("After a rollback nothing is promoted so long; default 24."),
    )


def _review() -> Schema:
    return _mapping(
        "Who decides what the evidence cannot, and until when.",
        hours=_above_zero("An item is due after so long; default 24."),
        four_eyes={
            "description": "Whether the author of a run may not approve it; default false.",
            "type": "boolean",
        },
    )


def _leakage() -> Schema:
    told = {
        "rows": "Evaluation rows that were trained on, beyond chance; default fail.",
        "time": "Evaluation rows from before the end of training; default fail.",
        "target": "A feature that gives the target away; default warn.",
    }
    return _mapping(
        "What happens when a model would be judged on what it has seen.",
        **{key: {"description": told[key], "enum": list(LEAKS[key])} for key in told},
        uses={
            "description": "From so many uses on an evaluation set is told to be worn; default 20.",
            "type": "integer",
            "minimum": 1,
        },
    )


def _environment(rules: str) -> Schema:
    return _mapping(
        "How grave it is when machines differ.",
        policy={
            "description": "Levels by rule, where they are not the usual ones.",
            "type": "object",
            **({"propertyNames": {"pattern": rules}} if rules else {}),
            "additionalProperties": {"enum": list(LEVELS)},
        },
    )


def _notify() -> Schema:
    return _mapping(
        "Whom to tell of what.",
        allow_private={
            "description": "Whether private addresses may be called; default false.",
            "type": "boolean",
        },
        channels={
            "description": "Each a word and its parameters, such as webhook: {url: …}.",
            "type": "array",
            "items": {
                "type": "object",
                "minProperties": 1,
                "maxProperties": 1,
                "propertyNames": {"enum": list(extend.names("notify"))},
                "additionalProperties": {"type": "object"},
            },
        },
    )


def _mapping(description: str, **properties: Schema) -> Schema:
    return {
        "description": description,
        "type": "object",
        "additionalProperties": False,
        "properties": properties,
    }


def _above_zero(description: str) -> Schema:
    return {
        "description": description,
        "type": "number",
        "exclusiveMinimum": 0,
        "maximum": LARGEST,
    }


def _percent(description: str) -> Schema:
    return {"description": description, "type": "number", "minimum": 0, "maximum": 100}


def _text(description: str, pattern: str = "") -> Schema:
    return {
        "description": description,
        "type": "string",
        **({"pattern": pattern} if pattern else {"minLength": 1}),
    }


def _hoisted(word: str, schema: Schema, definitions: Schema) -> Schema:
    """The schema without its own definitions, which go to the top under the word's name."""
    for name, definition in schema.get("$defs", {}).items():
        definitions[f"{word}.{name}"] = _pointed(definition, word)
    moved: Schema = _pointed({k: v for k, v in schema.items() if k != "$defs"}, word)
    return moved


def _pointed(node: Any, word: str) -> Any:
    if isinstance(node, list):
        return [_pointed(item, word) for item in node]
    if not isinstance(node, dict):
        return node
    return {
        key: f"#/$defs/{word}.{value.removeprefix('#/$defs/')}"
        if key == "$ref" and isinstance(value, str)
        else _pointed(value, word)
        for key, value in node.items()
    }


def _demands(schema: Schema, definitions: Schema) -> bool:
    """Whether a task needs parameters, so that its bare word is not enough."""
    name = schema.get("$ref", "").removeprefix("#/$defs/")
    return bool(definitions.get(name, schema).get("required"))
