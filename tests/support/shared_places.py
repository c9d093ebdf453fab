"""Where several machines meet: a schema of a real PostgreSQL, a bucket of a real S3 server."""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING
from urllib.parse import quote

import fsspec
import psycopg

if TYPE_CHECKING:
    from postgres import Server

PASSWORD = "keel-3-secret"  # noqa: S105 - it opens nothing
"""This server asks for none; a password that is given all the same must never be shown."""


def new_schema(server: Server) -> str:
    """The address of a schema in which there is nothing yet."""
    name = f"fleet_{secrets.token_hex(6)}"
    with connected(server) as connection:
        connection.execute(f"CREATE SCHEMA {name}")
    return address_of(server, name)


def address_of(server: Server, schema: str) -> str:
    """A ledger's address."""
    options = quote(f"-csearch_path={schema}")
    return f"postgresql://postgres:{PASSWORD}@127.0.0.1:{server.port}/postgres?options={options}"


def through(address: str, port: int, host: str = "127.0.0.1") -> str:
    """The same, reached through what listens there."""
    return re.sub(r"(?<=@)127\.0\.0\.1:\d+", f"{host}:{port}", address)


def connected(server: Server) -> psycopg.Connection:
    """Past the program; what is said counts at once."""
    return psycopg.connect(
        host="127.0.0.1", port=server.port, user="postgres", dbname="postgres", autocommit=True
    )


def new_bucket(endpoint: str) -> str:
    """The address of a bucket in which there is nothing yet."""
    name = f"fleet-{secrets.token_hex(6)}"
    fsspec.filesystem("s3", skip_instance_cache=True, endpoint_url=endpoint).mkdir(name)
    return f"s3://{name}"
