"""Mean precision of the classes that occur or are called."""

from __future__ import annotations

from seatrial.metrics._averaging import averaged, macro, precision

PrecisionMacro = averaged("precision_macro", macro(precision))
