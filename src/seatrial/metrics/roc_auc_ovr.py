"""Mean over the classes of the area under the ROC curve of each against the rest."""

from __future__ import annotations

from seatrial.metrics._areas import mean_area, one_against_rest

RocAucOvr = mean_area("roc_auc_ovr", one_against_rest, weighted=False)
