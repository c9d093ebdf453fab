"""What a model's answers depend on, beside its own file."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

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
        if isinstance(told, dict):
            return cls(
                form=told["form"],
                packages=tuple(told["packages"]),
                providers=tuple(told["providers"]),
                int8=told["int8"],
                saturates=bool(told["saturates"]),
            )
        if "model.pickle" in manifest.get("files", {}):
            return cls(form="pickle")
        return cls(form="onnx", packages=ANSWERING, providers=("CPUExecutionProvider",))
