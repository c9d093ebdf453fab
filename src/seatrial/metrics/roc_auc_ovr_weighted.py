"""The same areas as ``roc_auc_ovr``, each class weighing as many rows as have it."""

from __future__ import annotations

from seatrial.metrics._areas import mean_area, one_against_rest

RocAucOvrWeighted = mean_area("roc_auc_ovr_weighted", one_against_rest, weighted=True)
