"""What is demanded of a dataset's columns, rows and age, and what breaks it?

``demands.py`` are the words of the YAML, ``rules.py`` what any engine can count, ``checking.py``
the check. A new demand is a field there, a rule, and its count in every engine's ``violations.py``.
"""
