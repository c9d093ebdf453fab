"""The OpenAPI document of a gateway: what it takes and gives, for generated clients and tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

_DATATYPES = [
    "BOOL", "UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64", "FP16",
    "FP32", "FP64", "BYTES",
]  # fmt: skip

_TEXT = {"type": "string"}
_PARAMETERS = {"type": "object", "additionalProperties": True}
_SCHEMAS: dict[str, Any] = {
    "Error": {
        "type": "object",
        "properties": {"error": {"type": "string", "minLength": 1}},
        "required": ["error"],
    },
    "InputTensor": {
        "type": "object",
        "properties": {
            "name": _TEXT,
            "shape": {"type": "array", "items": {"type": "integer", "minimum": 0}},
            "datatype": {"type": "string", "enum": _DATATYPES},
            "parameters": _PARAMETERS,
            "data": {"type": "array", "items": {}},
        },
        "required": ["name", "shape", "datatype"],
    },
    "OutputTensor": {
        "type": "object",
        "properties": {
            "name": _TEXT,
            "shape": {"type": "array", "items": {"type": "integer"}},
            "datatype": {"type": "string", "enum": _DATATYPES},
            "parameters": _PARAMETERS,
            "data": {"type": "array", "items": {}},
        },
        "required": ["name", "shape", "datatype"],
    },
    "InferRequest": {
        "type": "object",
        "properties": {
            "id": {"type": "string", "maxLength": 256},
            "parameters": _PARAMETERS,
            "inputs": {
                "type": "array",
                "minItems": 1,
                "items": {"$ref": "#/components/schemas/InputTensor"},
            },
            "outputs": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {"name": _TEXT, "parameters": _PARAMETERS},
                    "required": ["name"],
                },
            },
        },
        "required": ["inputs"],
    },
    "InferResponse": {
        "type": "object",
        "properties": {
            "model_name": _TEXT,
            "model_version": _TEXT,
            "id": _TEXT,
            "outputs": {
                "type": "array",
                "items": {"$ref": "#/components/schemas/OutputTensor"},
            },
        },
        "required": ["model_name", "model_version", "id", "outputs"],
    },
    "Label": {
        "type": "object",
        "properties": {
            "id": {"type": "string", "minLength": 1, "maxLength": 256},
            "label": {
                "description": "one label, or a list with one for each row of the request",
                "type": ["string", "number", "array"],
                "items": {"type": ["string", "number"]},
            },
        },
        "required": ["id", "label"],
        "additionalProperties": False,
    },
}


def document(version: str, models: Sequence[str]) -> dict[str, Any]:
    """OpenAPI 3.1 of the gateway as it serves now; ``models`` are the names it knows.

    >>> sorted(document("1", ["m"])["paths"])[0]
    '/metrics'
    """
    model = {"name": "model", "in": "path", "required": True}
    model["schema"] = {"type": "string", **({"enum": [*models]} if models else {})}
    number = {"name": "version", "in": "path", "required": True}
    number["schema"] = {"type": "string", "pattern": "^[0-9]{1,9}$"}
    paths: dict[str, Any] = {
        "/v2": {"get": _get("Server metadata")},
        "/v2/health/live": {"get": _get("The gateway is up")},
        "/v2/health/ready": {"get": _get("Every model answers; 400 until then", 400)},
        "/v2/models": {"get": _get("The names of the models")},
        "/v2/repository/index": {"post": _get("Loaded versions")},
        "/v2/models/{model}/feedback": {"parameters": [model], "post": _feedback()},
        "/metrics": {"get": _metrics()},
    }
    for path, where in (
        ("/v2/models/{model}", [model]),
        ("/v2/models/{model}/versions/{version}", [model, number]),
    ):
        paths[path] = {"parameters": where, "get": _get("Model metadata", 404)}
        for page, told in (
            ("ready", "The version answers"),
            ("config", "The model's configuration in Triton's form"),
            ("stats", "Counts of the worker that answers, in Triton's form"),
        ):
            paths[f"{path}/{page}"] = {"parameters": where, "get": _get(told, 404)}
        paths[f"{path}/infer"] = {"parameters": where, "post": _infer()}
    info = {"title": "seatrial gateway", "version": version, "license": {"name": "Apache-2.0"}}
    return {
        "openapi": "3.1.0",
        "info": info,
        "paths": paths,
        "components": {"schemas": _SCHEMAS},
    }


def _get(told: str, *refusals: int) -> dict[str, Any]:
    return {"summary": told, "responses": {"200": _answer({}), **_refused(*refusals)}}


def _infer() -> dict[str, Any]:
    return {
        "summary": "Predict",
        "requestBody": _body({"$ref": "#/components/schemas/InferRequest"}),
        "responses": {
            "200": _answer({"$ref": "#/components/schemas/InferResponse"}),
            **_refused(400, 404, 413, 415),
        },
    }


def _feedback() -> dict[str, Any]:
    entry = {"$ref": "#/components/schemas/Label"}
    many = {"type": "array", "minItems": 1, "items": entry}
    accepted = {"type": "object", "properties": {"accepted": {"type": "integer"}}}
    return {
        "summary": "Labels of requests that were answered, by their ids",
        "requestBody": _body({"anyOf": [entry, many]}),
        "responses": {"202": _answer(accepted), **_refused(400, 404, 413, 415)},
    }


def _metrics() -> dict[str, Any]:
    content = {"text/plain": {"schema": {"type": "string"}}}
    return {
        "summary": "Metrics for Prometheus",
        "responses": {"200": {"description": "Text exposition format", "content": content}},
    }


def _body(schema: dict[str, Any]) -> dict[str, Any]:
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def _answer(schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": "As asked", "content": {"application/json": {"schema": schema}}}


def _refused(*statuses: int) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Error"}
    content = {"application/json": {"schema": schema}}
    return {str(status): {"description": "Why not", "content": content} for status in statuses}
