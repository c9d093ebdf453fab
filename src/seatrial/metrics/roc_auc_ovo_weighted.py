"""The same pairs as ``roc_auc_ovo``, each weighing as many rows as have either class."""

from __future__ import annotations

from seatrial.metrics._areas import mean_area, one_against_one

RocAucOvoWeighted = mean_area("roc_auc_ovo_weighted", one_against_one, weighted=True)
