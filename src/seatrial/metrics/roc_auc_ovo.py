"""Mean over all pairs of classes of how well each is ranked above the other."""

from __future__ import annotations

from seatrial.metrics._areas import mean_area, one_against_one

RocAucOvo = mean_area("roc_auc_ovo", one_against_one, weighted=False)
