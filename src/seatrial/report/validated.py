"""What a dataset was found to be, without a run: the page of ``seatrial validate``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from seatrial.report.found import of_task
from seatrial.report.section import Badge, Section
from seatrial.report.sections import distribution, findings, gates
from seatrial.report.sized import sized

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_DRAWN = "check_distribution"
"""Its measures are those of the columns, which have a section of their own."""


def validated(document: Mapping[str, Any], foot: str) -> str:
    """The page of the document that ``seatrial validate --json`` prints."""
    return sized(
        title=f"{document['dataset']}: {document['rows']} rows",
        badge=Badge(str(document["verdict"])),
        lead=[f"{each['check']}: {each['reason']}." for each in document["checks"]],
        sections=tuple(_sections(document)),
        foot=f"{foot} · {document['place']} · {document['fingerprint']}",
    )


def _sections(document: Mapping[str, Any]) -> Iterator[Section]:
    checks = document["checks"]
    judged = tuple(
        part
        for each in checks
        if each["check"] != _DRAWN
        for part in gates.of_task(each["check"], [*_decided(each)])
    )
    if judged:
        yield Section(anchor="gates", title="Gates", parts=judged)
    found = [
        (each["check"], finding, hint)
        for each in checks
        for finding, hint in of_task(each["findings"])
    ]
    if found:
        yield Section(anchor="findings", title="Findings", parts=findings.told(found))
    if document["distribution"]:
        yield distribution.of_document(json.dumps(document["distribution"]).encode())


def _decided(check: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for measure in check["measures"]:
        if measure["limit"] is not None and measure["verdict"] != "skip":
            yield measure
