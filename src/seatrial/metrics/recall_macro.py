"""Mean recall of the classes that occur or are called."""

from __future__ import annotations

from seatrial.metrics._averaging import averaged, macro, recall

RecallMacro = averaged("recall_macro", macro(recall))
