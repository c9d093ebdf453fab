"""Clients that nobody here wrote, unchanged, against a real gateway."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import numpy as np
import pytest
from open_inference.openapi.client import OpenInferenceClient
from open_inference.openapi.core.api_error import ApiError
from open_inference.openapi.types.inference_request import InferenceRequest
from open_inference.openapi.types.request_input import RequestInput
from tritonclient.http import InferenceServerClient, InferInput, InferRequestedOutput
from tritonclient.utils import InferenceServerException

from running import COLUMNS, MODEL, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from running import Gateway, Project

pytestmark = pytest.mark.slow  # a gateway each

ROWS = np.array([[0.5, 0.5, 0.5], [-2.0, -2.0, 0.0], [0.1, np.nan, 0.3]], np.float32)


@pytest.fixture(scope="module")
def gateway(_delivered: Project, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    folder = tmp_path_factory.mktemp("clients") / "project"
    shutil.copytree(_delivered.folder, folder)
    with serving(type(_delivered)(folder), "--workers", "1") as running:
        yield running


@pytest.fixture
def triton(gateway: Gateway) -> Iterator[Any]:
    client = InferenceServerClient(gateway.address, concurrency=2)
    yield client
    client.close()


def matrix(rows: np.ndarray = ROWS, *, binary: bool = True, datatype: str = "FP32") -> Any:
    given = InferInput("features", list(rows.shape), datatype)
    given.set_data_from_numpy(rows, binary_data=binary)
    return given


def outputs(*, binary: bool) -> list[Any]:
    names = ("label", "probabilities")
    return [InferRequestedOutput(name, binary_data=binary) for name in names]


def test_triton_looks_around(triton: Any) -> None:
    assert triton.is_server_live()
    assert triton.is_server_ready()
    assert triton.is_model_ready(MODEL)
    assert triton.is_model_ready(MODEL, "1")
    assert not triton.is_model_ready("absent")
    assert not triton.is_model_ready(MODEL, "99")
    assert triton.get_server_metadata()["name"] == "seatrial"
    told = triton.get_model_metadata(MODEL)
    assert (told["name"], told["versions"], told["platform"]) == (MODEL, ["1"], "onnx_onnxv1")
    assert [each["name"] for each in told["inputs"]] == [*COLUMNS]
    assert {each["name"] for each in told["outputs"]} == {"label", "probabilities"}
    assert triton.get_model_config(MODEL)["name"] == MODEL
    index = triton.get_model_repository_index()
    assert index == [{"name": MODEL, "version": "1", "state": "READY", "reason": ""}]
    assert triton.get_inference_statistics(MODEL)["model_stats"][0]["version"] == "1"


@pytest.mark.parametrize("binary_in", [True, False])
@pytest.mark.parametrize("binary_out", [True, False])
@pytest.mark.parametrize("packed", [None, "gzip", "deflate"])
def test_triton_infers(triton: Any, *, binary_in: bool, binary_out: bool, packed: str) -> None:
    # JSON has no NaN: the third row is for the binary form
    rows = ROWS if binary_in else ROWS[:2]
    said = triton.infer(
        MODEL,
        [matrix(rows, binary=binary_in)],
        outputs=outputs(binary=binary_out),
        request_id="r-1",
        request_compression_algorithm=packed,
        response_compression_algorithm=packed,
        model_version="1",
    )
    assert said.get_response()["id"] == "r-1"
    assert said.get_response()["model_version"] == "1"
    assert said.as_numpy("label")[:2].tolist() == [1, 0]
    probabilities = said.as_numpy("probabilities")
    assert probabilities.shape == (len(rows), 2)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-6)


def test_triton_by_its_defaults_and_by_column(triton: Any) -> None:
    """A default tritonclient sends binary and asks for nothing in particular."""
    whole = triton.infer(MODEL, [matrix()])
    columns = []
    for place, name in enumerate(COLUMNS):
        given = InferInput(name, [len(ROWS), 1], "FP32")
        given.set_data_from_numpy(ROWS[:, [place]])
        columns.append(given)
    by_column = triton.infer(MODEL, columns)
    for name in ("label", "probabilities"):
        assert whole.as_numpy(name).tolist() == by_column.as_numpy(name).tolist()


def test_triton_asks_without_waiting(triton: Any) -> None:
    asked = [triton.async_infer(MODEL, [matrix()], request_id=str(n)) for n in range(20)]
    assert [each.get_result().get_response()["id"] for each in asked] == [str(n) for n in range(20)]


@pytest.mark.parametrize(
    ("how", "status", "said"),
    [
        ({"model_name": "absent"}, "404", "absent"),
        ({"model_version": "99"}, "404", "99"),
        ({"shape": (3, 5)}, "400", "features"),
        ({"datatype": "BYTES"}, "400", "features"),
        ({"output": "labels"}, "400", "label"),
    ],
)
def test_triton_understands_what_it_did_wrong(
    triton: Any, how: dict[str, Any], status: str, said: str
) -> None:
    rows = np.zeros(how.get("shape", (3, 3)), np.float32)
    given = matrix(rows)
    if how.get("datatype") == "BYTES":
        given = matrix(np.full((3, 3), b"x", dtype=object), datatype="BYTES")
    asked = [InferRequestedOutput(how["output"])] if "output" in how else None
    with pytest.raises(InferenceServerException) as caught:
        triton.infer(
            how.get("model_name", MODEL),
            [given],
            outputs=asked,
            model_version=how.get("model_version", ""),
        )
    assert caught.value.status() == status
    assert said in caught.value.message()


def test_triton_cannot_load_or_unload(triton: Any) -> None:
    for act in (triton.load_model, triton.unload_model):
        with pytest.raises(InferenceServerException, match="loaded by promotion"):
            act(MODEL)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize("binary", [True, False])
def test_kserve(gateway: Gateway, *, binary: bool) -> None:
    # four seconds to import: only where it is used
    from kserve import InferenceRESTClient, InferRequest  # noqa: PLC0415
    from kserve import InferInput as KserveInput  # noqa: PLC0415
    from kserve.inference_client import RESTConfig  # noqa: PLC0415

    async def ask() -> Any:
        client = InferenceRESTClient(RESTConfig(protocol="v2"))
        url = f"http://{gateway.address}"
        assert await client.is_server_live(url)
        assert await client.is_server_ready(url)
        assert await client.is_model_ready(url, MODEL)
        given = KserveInput("features", [2, 3], "FP32")
        given.set_data_from_numpy(ROWS[:2], binary_data=binary)
        asked = InferRequest(MODEL, [given], request_id="k-1")
        said = await client.infer(url, asked, model_name=MODEL)
        await client.close()
        return said

    said = asyncio.run(ask())
    assert said.id == "k-1"
    by_name = {output.name: output.as_numpy() for output in said.outputs}
    assert by_name["label"].tolist() == [1, 0]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_open_inference_openapi(gateway: Gateway) -> None:
    with httpx.Client() as connection:
        url = f"http://{gateway.address}"
        _generated(OpenInferenceClient(base_url=url, httpx_client=connection))


def _generated(client: OpenInferenceClient) -> None:
    client.check_server_liveness()
    client.check_server_readiness()
    client.check_model_readiness(MODEL)
    client.check_model_version_readiness(MODEL, "1")
    assert "binary_tensor_data" in client.read_server_metadata().extensions
    assert client.read_model_metadata(MODEL).name == MODEL
    assert client.read_model_version_metadata(MODEL, "1").versions == ["1"]
    given = RequestInput(name="features", shape=[2, 3], datatype="FP32", data=ROWS[:2].tolist())
    said = client.model_infer(MODEL, request=InferenceRequest(id="o-1", inputs=[given]))
    assert (said.id, said.model_version) == ("o-1", "1")
    said = client.model_version_infer(MODEL, "1", request=InferenceRequest(inputs=[given]))
    assert said.model_name == MODEL
    with pytest.raises(ApiError) as caught:
        client.read_model_metadata("absent")
    assert (caught.value.status_code, "absent" in str(caught.value.body)) == (404, True)


@pytest.mark.slow
def test_schemathesis_finds_nothing(gateway: Gateway) -> None:
    """Thousands of requests by the published OpenAPI, right and wrong."""
    checks = (
        "not_a_server_error,status_code_conformance,content_type_conformance,"
        "response_headers_conformance,response_schema_conformance,unsupported_method"
    )
    said = subprocess.run(
        [
            str(Path(sys.executable).with_name("schemathesis")),
            *("run", f"http://{gateway.address}/openapi.json"),
            *("--checks", checks, "--max-examples", "50", "--seed", "1"),
            *("--phases", "examples,coverage,fuzzing", "--workers", "1"),
        ],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        cwd=gateway.project.folder,
    )
    assert said.returncode == 0, said.stdout[-6000:]
    assert gateway.version() == 1
