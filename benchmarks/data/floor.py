"""The least that looking at every value costs: count, least and greatest of each column in duckdb.

``python -m data.floor TABLE`` prints one line of JSON.
"""

from __future__ import annotations

import sys
import time

import duckdb

from data.costs import told
from data.tables import COLUMNS

connection = duckdb.connect()
began = time.perf_counter()
wanted = ", ".join(f"count({c}), min({c}), max({c})" for c in COLUMNS)
connection.from_query(f"SELECT {wanted} FROM '{sys.argv[1]}'").fetchall()  # noqa: S608
told(job_s=time.perf_counter() - began)
