"""Do the machines that will serve answer as the one on which the model was trained?"""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any

from msgspec import Meta, field

from seatrial.environment import document
from seatrial.environment.capture import capture
from seatrial.environment.demands import Demands
from seatrial.environment.machines import Machine, expected_of, machine_of
from seatrial.environment.needs import Needs
from seatrial.environment.policy import WORDS, Policy, mistakes
from seatrial.environment.proof import proving
from seatrial.errors import Mistake, SeatrialError, StoreError
from seatrial.inference.tolerance import Tolerance
from seatrial.ledger.store import canonical
from seatrial.outcome import Outcome
from seatrial.registry.opened import bundled
from seatrial.tasks import Context, Scope, Task
from seatrial.tasks._candidate import candidate
from seatrial.tasks._environment_told import Compared, compared, measures, reason, verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from seatrial.registry.registry import Version

HERE = "this machine"


class CheckEnvironment(Task, frozen=True, kw_only=True):
    """Parameters of ``check_environment``: what is expected, of whom, and how grave it is.

    ``expected`` is a capture or a file of pinned packages, ``serving`` the captures of those who
    will serve. Without them the candidate's training is held against this machine.
    """

    expected: str | None = None
    serving: str | tuple[str, ...] = ()
    # any value, so that a wrong level is told at its line with the nearest one
    policy: dict[str, Annotated[Any, Meta(extra_json_schema={"enum": [*WORDS]})]] = field(
        default_factory=dict
    )
    golden_rows: bool = True

    def inputs(self, scope: Scope) -> Iterable[Path]:
        """The files that it names."""
        yield from (scope.path(name) for name in (self.expected, *self._served) if name)

    def check(self, scope: Scope) -> Iterable[Mistake]:
        """There is something to expect; every file is there and says what it should."""
        if self.expected is None and not scope.follows("train"):
            yield scope.mistake(
                "nothing is expected: no earlier task trains a model, and no file is named",
                "expected",
                fix="`seatrial env capture -o environment.json`, then"
                " `check_environment: {expected: environment.json}`",
            )
        for key, what, near, fix in mistakes(self.policy):
            yield Mistake(what, str(scope.entry.where("policy", key)), nearest=near, fix=fix)
        if self.expected is not None:
            yield from _read(scope, ("expected",), expected_of, self.expected)
        for position, name in enumerate(self._served):
            path = ("serving",) if isinstance(self.serving, str) else ("serving", position)
            yield from _read(scope, path, partial(machine_of, name=name), name)

    def demands(self, scope: Scope) -> Iterable[str]:
        """Who is held against what, by which levels, and whether answers decide."""
        names = ", ".join(self._served) or HERE
        expected = self.expected or "the environment in which the candidate was trained"
        yield f"{names}: no difference of level error from {expected}"
        levels = {**scope.pipeline.environment.policy, **self.policy}
        if levels:
            said = ", ".join(f"{rule}: {level}" for rule, level in levels.items())
            yield f"levels that are not the usual ones: {said}"
        if self._served:
            yield (
                "a machine that brings its proof (`python -m seatrial.environment verify DIR"
                " --json` there) is judged by its answers, the others by their differences"
            )
        elif self._proves(scope):
            yield f"{HERE} answers the candidate's golden rows equally, within its tolerance"
        else:
            yield "no golden rows are answered: the differences alone decide"

    def run(self, context: Context) -> Outcome:
        """Prove where that is possible, compare, settle; every machine is told."""
        version = candidate(context) if context.fact("version") is not None else None
        demanded = self._demanded(context, version)
        machines = [*self._machines(context, version, demanded)]
        found = [compared(each, demanded, version) for each in machines]
        return Outcome(
            verdict=verdict(found),
            reason=reason(found, self.expected or _trained(version)),
            measures=measures(found, demanded.tolerance),
            findings=tuple(finding for each in found for finding in each.findings),
            blobs={"environments": context.blobs.put(_kept(demanded, found))},
        )

    @property
    def _served(self) -> tuple[str, ...]:
        return (self.serving,) if isinstance(self.serving, str) else self.serving

    def _proves(self, scope: Scope) -> bool:
        return self.golden_rows and not self._served and scope.follows("register")

    def _demanded(self, context: Context, version: Version | None) -> Demands:
        """The candidate's demands, with what this task says otherwise."""
        scope = context.scope
        manifest = {} if version is None else context.registry.manifest(version)
        if self.expected is not None:
            environment = expected_of(scope.path(self.expected))
        else:
            environment = _environment(context, manifest)
        levels = {**scope.pipeline.environment.policy, **self.policy}
        return Demands(
            environment=environment,
            needs=Needs() if version is None else Needs.of_manifest(manifest),
            policy=Policy.read(levels, lambda key: str(scope.entry.where("policy", key))),
            tolerance=Tolerance.of_manifest(manifest),
        )

    def _machines(
        self, context: Context, version: Version | None, demanded: Demands
    ) -> Iterator[Machine]:
        for name in self._served:
            yield machine_of(context.scope.path(name), name)
        if self._served:
            return
        if version is not None and self._proves(context.scope):
            yield _proven(context, version)
        else:
            yield Machine(name=HERE, environment=capture(deep=demanded.needs.packages))


def _read(
    scope: Scope, path: tuple[str | int, ...], read: Callable[[Path], object], name: str
) -> Iterator[Mistake]:
    """What is wrong with a file, at the place where it is named."""
    try:
        read(scope.path(name))
    except SeatrialError as error:
        for mistake in error.mistakes:
            what, where = f"{name}: {mistake.what}", str(scope.entry.where(*path))
            yield replace(mistake, what=what, where=where)


def _environment(context: Context, manifest: Mapping[str, Any]) -> Mapping[str, Any]:
    """Where the candidate was trained; the newest training when nothing was registered yet."""
    told = manifest.get("environment")
    if not manifest:
        blobs = [each.blobs for each in context.outcomes.values() if "training" in each.blobs]
        told = json.loads(context.blobs.get(blobs[-1]["training"])).get("environment")
    return document.upgraded(told) if isinstance(told, dict) else {}


def _proven(context: Context, version: Version) -> Machine:
    """What this machine is, and how a process of its own answered the candidate's golden rows."""
    with TemporaryDirectory(prefix="seatrial-") as folder:
        target = Path(folder) / "bundle"
        bundled(context.registry, version, target)
        # what was registered as a pickle runs in this project anyway
        found = proving.prove(target, trust_pickle=True)
    if found.proof is None and not found.found_out:
        what = f"{HERE} could not be proven to answer as {version}: {found.trouble}"
        fix = "put that right, then the same command resumes; or say `golden_rows: false`"
        raise StoreError(Mistake(what, fix=fix))
    return Machine(
        name=HERE,
        environment=found.environment,
        digest=version.digest,
        proof=found.proof or {},
        trouble=found.trouble,
        found_out=found.found_out,
    )


def _trained(version: Version | None) -> str:
    return "the training" if version is None else f"the training of {version}"


def _kept(demanded: Demands, found: Iterable[Compared]) -> bytes:
    """Both sides and what differs, for whoever asks later."""
    both = {
        "expected": demanded.environment,
        "policy": demanded.policy.levels,
        "machines": [each.to_json() for each in found],
    }
    return canonical(both).encode()
