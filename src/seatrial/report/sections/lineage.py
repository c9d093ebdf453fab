"""What was the run made of: data, code, seed, and the versions before it?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from seatrial.environment.code import uncommitted
from seatrial.errors import UsageError
from seatrial.ledger.tables import RUN
from seatrial.report.headline import minute
from seatrial.report.section import Code, Facts, Link, Note, Section, Table
from seatrial.report.sections import _manifest
from seatrial.report.sections._manifest import Manifest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from seatrial.outcome import Outcome
    from seatrial.report.section import Cell, Part
    from seatrial.report.sections import Sources

_SHOWN = 12
"""So many changed parameters are named."""


def section(sources: Sources) -> Section:
    """The run, its data, the code, and what it was compared with."""
    own = _manifest.of_run(sources)
    facts = [*_run(sources), *_model(sources), *_parents(sources)]
    if isinstance(own, Manifest):
        facts += _made(own)
    parts: list[Part] = [Facts(tuple(facts))]
    if isinstance(own, Note):
        parts.append(own)
    if data := [*_data(sources, own)]:
        parts.append(Table(heads=("data", "used for", "rows", "fingerprint"), rows=tuple(data)))
    return Section(anchor="lineage", title="Lineage", parts=tuple(parts))


def _run(sources: Sources) -> Iterator[tuple[str, Cell]]:
    account = sources.account
    run, request = account.run, account.run.request
    yield "run", Code(run.id)
    yield "pipeline", f"{run.pipeline} ({Path(str(request['file'])).name})"
    if changes := account.changes:
        more = f" and {len(changes) - _SHOWN} more" if changes[_SHOWN:] else ""
        yield "changed parameters", f"{', '.join(changes[:_SHOWN])}{more}"
    if account.seed is not None:
        yield "seed", str(account.seed)
    yield "begun", f"{minute(run.started)} UTC by {request.get('by', 'nobody known')}"
    yield "ended", f"{minute(run.ended)} UTC" if run.ended else "not ended"
    yield "seatrial", str(request.get("seatrial", "unknown"))
    yield "engine", f"{run.engine} {request.get('once') or ''}".strip()


def _model(sources: Sources) -> Iterator[tuple[str, Cell]]:
    model = sources.account.document["model"]
    if model:
        yield "version", f"{model['name']} version {model['version']}"
        yield "digest", Code(model["digest"])
    else:
        yield "version", "none was registered"


def _made(own: Manifest) -> Iterator[tuple[str, Cell]]:
    """Of what code, and with which seeds."""
    code = own.training.code
    if revision := code.get("revision"):
        yield "code revision", Code(str(revision))
    if said := _code_said(own):
        yield "code", said
    if len(own.training.seeds) > 1:
        yield "seeds of the training", ", ".join(map(str, own.training.seeds))


def _code_said(own: Manifest) -> str:
    code = own.training.code
    if not code:
        return "not in a git repository"
    if trouble := code.get("trouble"):
        return f"its revision is not known: {trouble}"
    if code.get("changed"):
        return uncommitted(code)
    return ""


def _parents(sources: Sources) -> Iterator[tuple[str, Cell]]:
    """What served when the run began, which it was compared with, and the run before it."""
    run = sources.account.run
    if run.pinned is None:
        yield "compared with", "nothing was in production"
    else:
        yield "compared with", _pinned(sources, run.pinned)
    if before := _before(sources):
        yield "run before", Link(before, f"/runs/{before}")


def _pinned(sources: Sources, number: int) -> str:
    run = sources.account.run
    try:
        version = sources.project.registry.version(run.model, number)
    except UsageError:
        return f"{run.model} version {number}, which is no longer known"
    told = f"{version}, registered {minute(version.created)} UTC ({version.digest})"
    manifest = _manifest.of_version(sources, version.digest, str(version))
    if isinstance(manifest, Manifest) and manifest.training.dataset:
        told += f", trained on {manifest.training.dataset} ({manifest.training.fingerprint})"
    return told


def _before(sources: Sources) -> str | None:
    """The newest run of the pipeline that began before this one."""
    run = sources.account.run
    earlier = (
        sa.select(RUN.c.id)
        .where(RUN.c.pipeline == run.pipeline, RUN.c.started <= run.started, RUN.c.id < run.id)
        .order_by(RUN.c.started.desc(), RUN.c.id.desc())
        .limit(1)
    )
    with sources.project.ledger.read() as connection:
        found: str | None = connection.execute(earlier).scalar()
    return found


def _data(sources: Sources, own: Manifest | Note | None) -> Iterator[tuple[Cell, ...]]:
    """Each dataset as it was, once, with all that it was used for."""
    uses: dict[tuple[str, str], list[str]] = {}
    for address, step in sources.steps.items():
        if step.outcome is not None:
            for seen in _seen(step.outcome):
                uses.setdefault(seen, []).append(address.partition(".")[2])
    rows: dict[tuple[str, str], str] = {}
    if isinstance(own, Manifest) and own.training.dataset:
        trained = (own.training.dataset, own.training.fingerprint)
        uses.setdefault(trained, []).append("training")
        rows[trained] = str(own.training.rows or "")
    for (dataset, fingerprint), for_what in uses.items():
        many = rows.get((dataset, fingerprint), "")
        used = ", ".join(dict.fromkeys(for_what))
        yield dataset, used, many, Code(fingerprint)


def _seen(outcome: Outcome) -> Iterator[tuple[str, str]]:
    """The datasets that a step names among its facts."""
    for facts in (outcome.facts, outcome.facts.get("held_out")):
        if isinstance(facts, dict) and {"dataset", "fingerprint"} <= facts.keys():
            yield str(facts["dataset"]), str(facts["fingerprint"])
