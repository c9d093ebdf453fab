"""Environment: where was trained what serves, who answers with it, and how these differ."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.routing import Route

from seatrial.errors import RequestError, SeatrialError
from seatrial.ledger import paths
from seatrial.ledger import runs as stored
from seatrial.registry import gateways
from seatrial.registry.registry import PRODUCTION
from seatrial.report.headline import minute
from seatrial.report.section import Badge, Code, Facts, Link, Note, Section, Table
from seatrial.web.drawing import page
from seatrial.web.machine import machine
from seatrial.web.opened import project

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.requests import Request
    from starlette.responses import Response

    from seatrial.environment.demands import Demands
    from seatrial.registry.project import Project
    from seatrial.registry.registry import Version
    from seatrial.report.section import Cell, Part

HERE = "environment"
ROWS = 50

FIELDS = (
    ("python_version", "Python"),
    ("implementation", "implementation"),
    ("platform", "platform"),
    ("architecture", "architecture"),
    ("libc", "C library"),
    ("hash", "hash"),
)
"""What is told of where a version was trained; the table of differences has the rest."""


def environment(request: Request) -> Response:
    """Each version in production, or that of the model that is chosen."""
    opened = project(request)
    known, model = opened.registry.models(), request.query_params.get("model", "")
    if model and model not in known:
        raise RequestError(404, f"there is no model {model!r} in this project")
    serving = [each for each in opened.registry.channels() if each.channel == PRODUCTION]
    serving.sort(key=lambda each: each.since, reverse=True)
    shown = next((each.model for each in serving if each.model == model or not model), None)
    version = None if shown is None else opened.registry.resolve(shown, PRODUCTION)
    sections = [] if version is None else [*_sections(opened, version)]
    return page(
        request,
        "environment.html",
        title="Environment",
        here=HERE,
        models=known,
        model=model or shown or "",
        version=version,
        sections=sections,
    )


def _sections(opened: Project, version: Version) -> Iterator[Section]:
    from seatrial.environment.demands import Demands

    yield _answering(opened, version)
    try:
        demands = Demands.of(opened.registry.manifest(version))
    except SeatrialError as error:
        said = f"Where it was trained cannot be shown: {error.mistakes[0].what}."
        yield Section(anchor="trained", title="Trained", parts=(Note(said, gone=True),))
        return
    yield _trained(demands)
    if demands.environment:
        yield _here(version, demands)
    yield from _devices(opened, version)


def _answering(opened: Project, version: Version) -> Section:
    """Each live gateway: whether it has proven the version, and how its machine differs."""
    said = gateways.readiness(opened.ledger, version.model, version.version)
    rows: list[tuple[Cell, ...]] = []
    for each in gateways.live(opened.ledger, opened.workspace.home):
        told = said.get(each.id)
        rows.append(
            (
                each.address,
                each.host,
                str(each.workers),
                "not yet" if told is None else Badge(told.state),
                _proven(told),
                (told.reason or "no difference that counts") if told is not None else "",
                "" if told is None else minute(told.at),
            )
        )
    heads = ("gateway", "machine", "workers", "stands", "golden rows", "differs in", "said (UTC)")
    table = Table(
        heads=heads,
        rows=tuple(rows[:ROWS]),
        numbers=frozenset({2}),
        left_out=max(0, len(rows) - ROWS),
    )
    none = Note("No gateway is running: `seatrial serve` starts one, with this page.")
    return Section(anchor="gateways", title="Who answers with it", parts=(table if rows else none,))


def _proven(told: gateways.Readiness | None) -> str:
    return "answered equally" if told is not None and told.proven else "not proven"


def _trained(demands: Demands) -> Section:
    known = demands.environment
    facts = [
        (name, Code(str(known[field])) if field == "hash" else str(known[field]))
        for field, name in FIELDS
        if known.get(field)
    ]
    needs = demands.needs
    facts.append(("answers as", needs.form))
    if needs.packages:
        facts.append(("answered by", ", ".join(needs.packages[:ROWS])))
    parts: list[Part] = [Facts(tuple(facts))]
    if not known:
        parts.append(Note("Where it was trained was not recorded."))
    return Section(anchor="trained", title="What it was trained in", parts=tuple(parts))


def _here(version: Version, demands: Demands) -> Section:
    """The machine of this page beside the one it was trained on; as a rule a gateway's too."""
    from seatrial.environment.table import table
    from seatrial.report.sections.environment import of_machines
    from seatrial.report.within import ROOMS, cut

    captures = {f"{version} was trained on": demands.environment, "this machine": machine()}
    try:
        found = table(captures, demands.needs, demands.policy)
    except SeatrialError as error:
        said = f"The two cannot be compared: {error.mistakes[0].what}."
        return Section(anchor="here", title="This machine", parts=(Note(said),))
    made = of_machines(found, "What differs here" if found.rows else "Nothing differs.")
    section = Section(anchor="here", title="This machine", parts=made.parts)
    return cut(section, ROOMS[2])


def _devices(opened: Project, version: Version) -> Iterator[Section]:
    """The machines that its run was shown by captures and proofs."""
    from seatrial.report.sections import sources
    from seatrial.report.sections.environment import section
    from seatrial.report.within import ROOMS, cut

    found = stored.beginning_with(opened.ledger, version.run, 1) if version.run else []
    if not found:
        return
    told = section(sources(opened, found[0]))
    if told is not None:
        link: tuple[str, Cell] = ("run", Link(found[0].id, paths.of_run(found[0].id)))
        parts = (Facts((link,)), *told.parts)
        yield cut(
            Section(anchor="devices", title="Devices it was checked for", parts=parts), ROOMS[1]
        )


ROUTES = (Route("/environment", environment, methods=["GET"], name="environment"),)
