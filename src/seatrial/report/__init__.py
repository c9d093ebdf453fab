"""One run as a report: a document, Markdown, and whatever else a file's ending may ask for.

A report is made from the ledger alone. ``account.py`` reads it into one value, :class:`Account`;
every form is a function of that value, in a file of its own (``as_markdown.py``), and has its line
in ``forms.py``. That is all there is to adding one.
"""
