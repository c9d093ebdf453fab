"""What a model's answers depend on, beside its own file."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

from seatrial.errors import Mistake, StoreError

if TYPE_CHECKING:
    from collections.abc import Mapping

Form = Literal["onnx", "pickle", "any"]
Int8 = Literal["none", "static", "dynamic"]

ANSWERING = ("numpy", "onnxruntime")
"""The packages by which an ONNX model is answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """``form`` "any" means that no model is known, so that everything may matter.

    ``packages`` are the distributions that take part in an answer, by normalised name: all of
    them for "any". ``providers`` are those of onnxruntime that must be there. ``int8`` says
    whether the graph multiplies in 8 bits, with scales from the file ("static") or taken anew
    over each batch ("dynamic": a row's answer depends on its neighbours). ``saturates``: it
    multiplies unsigned by signed bytes of the whole range, which overflow 16 bits on processors
    that have AVX2 but not VNNI, unless the session says ``session.x64quantprecision``.
    """

    form: Form = "any"
    packages: tuple[str, ...] = ()
    providers: tuple[str, ...] = ()
    int8: Int8 = "none"
    saturates: bool = False

    def to_json(self) -> dict[str, Any]:
        """For the manifest; :meth:`of_manifest` reads it back."""
        return {key: list(v) if isinstance(v, tuple) else v for key, v in asdict(self).items()}

    @classmethod
    def of_manifest(cls, manifest: Mapping[str, Any]) -> Needs:
        """What a version needs; told by its form where its manifest is older than that.

        >>> Needs.of_manifest({"files": {"model.onnx": "sha256:ab"}}).packages
        ('numpy', 'onnxruntime')
        """
        told = manifest.get("needs")
        if told is not None:
            return cls._read(told)
        if "model.pickle" in manifest.get("files", {}):
            return cls(form="pickle")
        return cls(form="onnx", packages=ANSWERING, providers=("CPUExecutionProvider",))

    @classmethod
    def _read(cls, told: Any) -> Needs:
        """What a manifest says; a StoreError when that is not in a form that is known here."""
        try:
            found = cls(
                form=told["form"],
                packages=tuple(map(str, told["packages"])),
                providers=tuple(map(str, told["providers"])),
                int8=told["int8"],
                saturates=told["saturates"] is True,
            )
        except (KeyError, TypeError) as error:
            raise _not_known(f"it lacks {error}") from error
        if found.form not in get_args(Form) or found.int8 not in get_args(Int8):
            raise _not_known(f"form {repr(found.form)[:80]}, int8 {repr(found.int8)[:80]}")
        return found


def _not_known(what: str) -> StoreError:
    said = f"what the model needs is written in a way that is not known here: {what}"
    fix = "a later release wrote it? `pip install --upgrade seatrial`; else register it again"
    return StoreError(Mistake(said, "needs in the manifest", fix=fix))
