"""The usual way to shadow, for comparison: nginx `mirror` at 5 % to a candidate that takes 5 s.

nginx must be installed (Debian: nginx-light).
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from gateway import bodies, load, project, rivals
from gateway.blocks import BLOCK_S, Block, Lane, failed, in_turn, middle
from gateway.server import free_port, started
from measuring import Figure

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from gateway.bodies import Request
    from gateway.load import Sent
    from gateway.server import Server

PER_SECOND = 100
SLOW_S = 5
ROUNDS = 3
_CONFIGURATION = """\
daemon off; master_process off; pid {folder}/pid; error_log stderr crit;
events {{ worker_connections 1024; }}
http {{
  access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  upstream production {{ server 127.0.0.1:{production}; keepalive 16; }}
  split_clients "$request_id" $drawn {{ {share}% 1; * 0; }}
  server {{
    listen 127.0.0.1:{port};
    proxy_http_version 1.1; proxy_set_header Connection "";
    location / {{ {mirror} proxy_pass http://production; }}
    location = /mirror {{
      internal;
      if ($drawn = 0) {{ return 204; }}
      proxy_pass http://127.0.0.1:{candidate}$request_uri;
    }}
  }}
}}
"""


def figures() -> list[Figure]:
    """p99 with and without the mirror."""
    nginx = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if nginx is None:
        raise RuntimeError("nginx is not installed (Debian: apt-get install nginx-light)")
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        made = project.copy(scratch / "project")
        model = scratch / "model.onnx"
        model.write_bytes(project.onnx_of(made))
        production, one = stack.enter_context(rivals.bare(model, scratch))
        candidate = stack.enter_context(_candidate(one))
        lanes = [
            Lane(name, stack.enter_context(_nginx(nginx, scratch / name, *ports, share)), one)
            for name, share in (("off", 0), ("mirror", 5))
            for ports in [(production.port, candidate.port)]
        ]
        found = in_turn(lanes, _steady, ROUNDS)
    off, on = found["off"], found["mirror"]
    return [
        Figure(
            name=f"nginx mirror at 5 %, candidate sleeps {SLOW_S} s, p99",
            value=middle(on, _p99),
            unit="ms",
            detail=(
                f"without the mirror {middle(off, _p99):.1f} ms; {PER_SECOND} requests a second,"
                f" {failed(on)} without an answer; for comparison with our shadow, no goal"
            ),
        )
    ]


def _candidate(request: Request) -> AbstractContextManager[Server]:
    port = free_port()
    script = str(rivals.PEERS / "slow.py")
    return started("candidate", [sys.executable, script, str(port), str(SLOW_S)], port, request)


def _nginx(
    nginx: str, folder: Path, production: int, candidate: int, share: int
) -> AbstractContextManager[Server]:
    folder.mkdir()
    port = free_port()
    text = _CONFIGURATION.format(
        folder=folder,
        production=production,
        candidate=candidate,
        port=port,
        share=share or 1,
        mirror="mirror /mirror;" if share else "",
    )
    (folder / "nginx.conf").write_text(text)
    command = [nginx, "-p", str(folder), "-c", str(folder / "nginx.conf")]
    return started(f"nginx {share} %", command, port, bodies.matrix(1))


def _steady(server: Server, request: Request) -> Sent:
    return load.steady(server, request, PER_SECOND, BLOCK_S)


def _p99(block: Block) -> float:
    return block.sent.p99_ms
