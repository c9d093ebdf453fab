"""Documents as the tasks keep them: what sections are drawn from."""

from __future__ import annotations

from typing import Any


def distribution(columns: int, name: str = "column_") -> dict[str, Any]:
    """A comparison in which every column moved, each farther than the next."""
    return {
        "format": "seatrial.distribution",
        "version": 1,
        "dataset": "april",
        "fingerprint": "sha256:0",
        "rows": 2100,
        "reference": {"dataset": "march", "fingerprint": "sha256:1", "rows": 2100},
        "measure": "kl",
        "unit": "nats",
        "approximate": False,
        "verdict": "fail",
        "columns": [_column(f"{name}{i}", 0.2 + 0.1 * (columns - i)) for i in range(columns)],
    }


def _column(name: str, value: float) -> dict[str, Any]:
    edges = [float(i) for i in range(19)]
    bins = [f"{name} in ({i - 1}, {i}]" for i in range(20)]
    return {
        "column": name,
        "slice": None,
        "kind": "number",
        "type": "DOUBLE",
        "value": value,
        "low": value - 0.1,
        "high": value + 0.1,
        "limit": 0.1,
        "verdict": "fail",
        "edges": edges,
        "names": bins,
        "reference": _counts([100 for _ in bins], 100),
        "current": _counts([10 * i for i in range(20)], 200),
        "contributors": [{"name": bins[0], "before": 0.05, "now": 0.0}],
        "unlisted": [],
    }


def _counts(counts: list[int], nulls: int) -> dict[str, Any]:
    return {
        "rows": sum(counts) + nulls,
        "counts": counts,
        "other": 0,
        "nulls": nulls,
        "nans": 0,
        "infinities": 0,
        "minimum": 0.0,
        "maximum": 20.0,
        "mean": 9.5,
        "deviation": None,
    }


def slices(*names: str) -> dict[str, Any]:
    """Slices with production beside them, and the worst that was found."""
    numbers = {"value": 0.8, "low": 0.75, "high": 0.85, "verdict": "pass"}
    reported = {**numbers, "verdict": "skip"}
    return {
        "version": 1,
        "dataset": "validation_data",
        "fingerprint": "sha256:0",
        "rows": 2500,
        "metric": "accuracy",
        "greater_is_better": True,
        "limit": 0.7,
        "slices": [
            {
                "name": name,
                "named": False,
                "rows": 800,
                "why": "",
                "labels": {"0": 600, "1": 200},
                "measure": {**numbers, "value": 0.8 + 0.001 * i},
                "degradation": {**reported, "value": 0.01, "low": 0.0, "high": 0.02},
            }
            for i, name in enumerate(names)
        ],
        "worst": {
            "name": "delay >= 11",
            "rows": 600,
            "searched": 3857,
            "beyond_chance": True,
            "labels": {},
            "measure": reported,
            "rest": reported,
        },
    }


def environments(libc: str) -> dict[str, Any]:
    """Two machines: one that differs and answers alike, and one that answers otherwise."""
    difference = {
        "level": "warn",
        "field": "libc",
        "expected": "glibc 2.36",
        "got": libc,
        "why": "another C library rounds otherwise",
        "fix": "",
    }
    proof = {"ok": True, "said": "", "rows": 256, "largest_difference": 1e-7}
    wrong = {"ok": False, "said": "3 rows differ", "rows": 256, "largest_difference": "inf"}
    return {
        "expected": {},
        "policy": {},
        "machines": [
            {
                "name": "pi",
                "environment": {},
                "digest": "",
                "proof": {"model.onnx": proof},
                "trouble": "",
                "differences": [difference, {**difference, "level": "info", "field": "kernel"}],
            },
            {"name": "mars", "proof": {"model.onnx": wrong}, "differences": []},
        ],
    }


def manifest(**changes: Any) -> dict[str, Any]:
    """Of a version."""
    return {
        "format": "seatrial.version/1",
        "model": "told",
        "files": {},
        "training": {
            "source": "gradient_boosted",
            "dataset": "training_data",
            "fingerprint": "sha256:fa7d",
            "rows": 7500,
            "target": "late",
            "problem": "classes",
            "classes": [0, 1],
            "features": [["delay", "number"], ["origin", "string"]],
            "hyperparameters": {"n_estimators": 60},
            "seed": 7,
            "seeds": [7, 8],
            "code": {"revision": "0a1b", "dirty": ["fit.py"], "changed": 1, "digest": "sha256:2"},
        },
        "environment": {"python_version": "3.11.7", "os": "Linux", "machine": "x86_64"},
        "parity": {"rows": 7500, "largest_difference": 1.8e-7},
        "golden": {"rows": 256},
        "metrics": {"accuracy": 0.94},
        **changes,
    }
