"""Mean of the F1 of every class that occurs or is called."""

from __future__ import annotations

from seatrial.metrics._averaging import averaged, f1, macro

F1Macro = averaged("f1_macro", macro(f1))
