"""One run as a report: a document, Markdown, JUnit, a page, whatever a file's ending may ask for.

A report is made from the ledger alone. ``account.py`` reads what the run decided into one value,
:class:`Account`; ``sections/`` adds what that was decided from, the blobs of its steps. Every form
is a function in a file of its own (``as_markdown.py``, ``as_html.py``), and has its line in
``forms.py``. That is all there is to adding one.
"""
