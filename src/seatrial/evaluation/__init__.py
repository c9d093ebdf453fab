"""How a model behaves and how well it performs, on rows at hand: what the tests are made of.

Nothing here knows a run or writes to the ledger, so that a task, a command and a person's own
test ask the same question in the same way. ``labelled`` holds the rows to judge on.
"""
