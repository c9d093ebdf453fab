"""Scripts and styles of the page, compressed, beside what other tools' pages name at the least."""

from __future__ import annotations

import tempfile
from pathlib import Path

from gateway.rivals import MLFLOW
from measuring import Figure
from seatrial.web.assets import Assets
from web import bundle
from web.bundle import ENDINGS

LIMIT = 60_000
PEERS = {
    "MLflow": (MLFLOW, "mlflow/server/js/build/index.html"),
    "Evidently": ("evidently==0.7.23", "evidently/ui/service/assets/index.html"),
    "Dagster": ("dagster-webserver==1.13.27", "dagster_webserver/webapp/build/index.html"),
    "Prefect": ("prefect==3.8.8", "prefect/server/ui/index.html"),
    "Airflow": ("apache-airflow-core==3.3.2", "airflow/ui/dist/index.html"),
}
"""The release, and the page of its wheel that a browser is given first."""


def figures() -> list[Figure]:
    """Ours, all of it; then the peers."""
    with tempfile.TemporaryDirectory() as folder:
        return [_ours(), *(_peer(name, Path(folder)) for name in PEERS)]


def _ours() -> Figure:
    """All that any page of ours uses; each page names all of it."""
    assets = [x for x in Assets.read().by_name.values() if x.name.endswith(ENDINGS)]
    found = bundle.of([asset.content for asset in assets])
    served = sum(len(asset.packed or asset.content) for asset in assets)
    most = max(served, found.packed)
    return Figure(
        name="all scripts and styles of ours, compressed",
        value=served / 1000,
        unit="kB",
        goal=f"under {LIMIT / 1000:g} kB",
        met=most < LIMIT,
        detail=(
            f"as served; gzip -9 {found.packed / 1000:.1f} kB; {found.files} files,"
            f" {found.size / 1000:.0f} kB as they are; the page is whole without scripts"
        ),
    )


def _peer(name: str, folder: Path) -> Figure:
    requirement, page = PEERS[name]
    named, whole = bundle.first_page(bundle.wheel(requirement, folder), page)
    return Figure(
        name=f"scripts and styles that the first page of {name} names, compressed",
        value=named.packed / 1000,
        unit="kB",
        detail=(
            f"gzip -9; {named.files} files, {named.size / 1000:.0f} kB as they are; its folder has"
            f" {whole.packed / 1e6:.1f} MB in {whole.files} files ({requirement})"
        ),
    )
