"""Let data that passed, and that a delivered model learned from, be the new reference."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.data.profiles import profile
from seatrial.errors import FormError, StoreError
from seatrial.ledger import replaced
from seatrial.ledger.blobs import digest_of
from seatrial.ledger.replaced import Replaced
from seatrial.outcome import Outcome, Verdict
from seatrial.tasks import VALIDATED, Context, Input, Scope, Task, check_dataset

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from seatrial.data import Rows
    from seatrial.data.profiles.profile import Profile
    from seatrial.errors import Mistake


class UpdateBaseline(Task, frozen=True, kw_only=True):
    """Parameters of ``update_baseline``: the dataset, and the file that its profile replaces."""

    dataset: str
    reference: str

    def inputs(self, scope: Scope) -> Iterable[Input | Path]:
        """The dataset and the profile that stands there now."""
        return (Input(self.dataset), scope.path(self.reference))

    def check(self, scope: Scope) -> Iterable[Mistake]:
        """The dataset is checked and a model is promoted before; the old profile can be read."""
        yield from check_dataset(scope, self.dataset, "dataset")
        if not any(type(task).__name__ == "Promote" for _, task in scope.earlier()):
            yield scope.mistake(
                "update_baseline comes before any promotion, so it would never do anything",
                "reference",
                fix="put it after `- promote: …`, in the same stage or a later one",
            )
        if not _checks(scope, self._plain):
            yield scope.mistake(
                f"nothing checks {self._plain} before it becomes the reference",
                "dataset",
                fix=f"add an earlier task: `- check_distribution: {{dataset: {self._plain}, "
                f"reference: {self.reference}}}`",
            )
        path = scope.path(self.reference)
        try:
            if path.exists():
                profile.read(path)
        except FormError as error:
            for mistake in error.mistakes:
                fix = f"correct it, or delete it: this task writes {self.reference} anew"
                yield scope.mistake(mistake.what, "reference", nearest=mistake.nearest, fix=fix)

    def demands(self, scope: Scope) -> Iterable[str]:
        """When it writes, and what."""
        checks = ", ".join(address for address, _ in _checks(scope, self._plain))
        yield (
            f"{self.reference} becomes a profile of {self._plain}, with new edges and the slices"
            f" it has now, when in this run a model was promoted and these passed: {checks}"
        )
        yield "else it writes nothing and skips; the old profile is kept in the run"

    def run(self, context: Context) -> Outcome:
        """Note what is replaced, then replace it: killed in between, it ends the same."""
        path = context.scope.path(self.reference)
        known = replaced.noted(context.registry.ledger, context.once)
        if known is not None:
            return self._written(context, known)
        table = context.rows(self.dataset)
        unfit = _unchecked(context, self._plain, table) or _not_promoted(context)
        if unfit:
            return Outcome(verdict=Verdict.SKIP, reason=f"{self.reference} stays: {unfit}")
        before = _content(path)
        content = profile.encode(self._new(context, table))
        if before == content:
            reason = f"{self.reference} is a profile of these very rows already"
            return Outcome(verdict=Verdict.PASS, reason=reason)
        change = Replaced(
            run=context.run.id,
            once=context.once,
            file=self.reference,
            before=None if before is None else context.blobs.put(before),
            after=context.blobs.put(content),
        )
        replaced.note(context.registry.ledger, change)
        return self._written(context, change)

    @property
    def _plain(self) -> str:
        return self.dataset.removeprefix(VALIDATED)

    def _new(self, context: Context, table: Rows) -> Profile:
        """The profile of the dataset, with slices by the columns that the old one has."""
        path = context.scope.path(self.reference)
        by = profile.read(path).sliced_by if path.exists() else ()
        return profile.make(table, by)

    def _written(self, context: Context, change: Replaced) -> Outcome:
        """Write what is noted, unless it is there, or somebody else has written meanwhile."""
        path = context.scope.path(self.reference)
        found = _content(path)
        held = None if found is None else digest_of(found)
        if held not in {change.before, change.after}:
            reason = f"{self.reference} stays: somebody else changed it while this run stood still"
            return Outcome(verdict=Verdict.SKIP, reason=reason)
        new = profile.read(context.blobs.file(change.after))
        if held != change.after:
            _write(new, path)
        digests = {"baseline.before": change.before, "baseline.after": change.after}
        old = " (there was none before)" if change.before is None else ""
        return Outcome(
            verdict=Verdict.PASS,
            reason=f"{self.reference} is now a profile of {self._plain}: {new.rows} rows,"
            f" {len(new.columns)} columns{old}",
            facts={
                "baseline": {
                    "file": self.reference,
                    "before": change.before,
                    "after": change.after,
                    "fingerprint": new.fingerprint,
                }
            },
            blobs={name: digest for name, digest in digests.items() if digest is not None},
        )


def _checks(scope: Scope, dataset: str) -> list[tuple[str, Task]]:
    """The earlier tasks that check the dataset."""
    return [
        (address, task)
        for address, task in scope.earlier()
        if task.checks_dataset
        and str(getattr(task, "dataset", "")).removeprefix(VALIDATED) == dataset
    ]


def _unchecked(context: Context, dataset: str, table: Rows) -> str:
    """Why the rows at hand are not known to be good; empty when every check of them passed."""
    checks = [address for address, _ in _checks(context.scope, dataset)]
    said = {address: context.outcomes.get(address) for address in checks}
    for address, outcome in said.items():
        if outcome is None or not outcome.verdict.lets_through:
            return f"{address} did not pass"
        if outcome.facts.get("fingerprint", table.fingerprint) != table.fingerprint:
            return f"{dataset} changed since {address} saw it"
    passed = [o for o in said.values() if o is not None and o.verdict is Verdict.PASS]
    return "" if passed else f"no check of {dataset} passed"


def _not_promoted(context: Context) -> str:
    """Why no model of this run learned enough from them; empty when one was promoted."""
    promoted = [o.facts["promoted"] for o in context.outcomes.values() if "promoted" in o.facts]
    if True in promoted:
        return ""
    if promoted:
        return "the model in production is the same as before, so nothing was promoted"
    return "no model was promoted in this run"


def _write(new: Profile, path: Path) -> None:
    """Write it. What is in the way stops the run, which goes on once that was put right."""
    try:
        profile.write(new, path)
    except FormError as error:
        raise StoreError(*error.mistakes) from error


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
