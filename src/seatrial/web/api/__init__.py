"""The addresses under ``/api/v1``: all that the pages do, for programs.

A file is a noun. It has ``OPERATIONS``, what can be asked there (``_operation.py``), and ``ROUTES``
made from them; ``openapi.json`` is made from the same values, so it cannot say anything else than
what is done. What an operation answers is the document of the command that does the same with
``--json``, key for key; its form stands in ``_answers.py``, that of what is sent in ``_bodies.py``.
"""
