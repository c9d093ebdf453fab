"""Datasets that Apache Spark reads: everything is counted there, and only counts come back.

``rows.py`` is the engine's :class:`~seatrial.data.Rows`. Its SQL is text that any session takes:
one in this process, one of a cluster, or one behind Spark Connect; nothing needs a JVM object, and
nothing depends on a session's settings (time zone, ANSI mode), which a user's own session may have
changed. Rows have no order in Spark, so examples have no row number and the fingerprint of a
dataset is the same whatever the order of its rows.
"""
