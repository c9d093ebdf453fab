"""Mean Jaccard index of the classes that occur or are called."""

from __future__ import annotations

from seatrial.metrics._averaging import averaged, jaccard, macro

JaccardMacro = averaged("jaccard_macro", macro(jaccard))
