"""The memory: hash-chained events, tables that answer fast, and content-addressed blobs.

Nothing else writes to the database. Whoever appends events passes the change of the tables in,
so that both happen in one transaction or not at all.
"""
