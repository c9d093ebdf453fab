"""Has a dataset moved away from its profile? Measures with bounds, judged together, and told.

A measure is one entry of ``MEASURES`` in ``divergence.py`` and its formula in ``measures/``.
"""
