"""How much less do rows prove when several of them are about one thing?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from seatrial.evidence import means


@dataclass(frozen=True, slots=True)
class Clusters:
    """Rows that belong together: ``of_row`` [n] numbers the cluster of each, from 0."""

    of_row: np.ndarray
    count: int

    @classmethod
    def of(cls, groups: np.ndarray) -> Clusters:
        """From any names [n].

        >>> Clusters.of(np.array(["b", "a", "b"]))
        Clusters(of_row=array([1, 0, 1]), count=2)
        """
        names, of_row = np.unique(groups, return_inverse=True)
        return cls(of_row, len(names))

    def totals(self, rows: np.ndarray) -> np.ndarray:
        """[count] numbers, one a cluster, with the mean of ``rows`` ([n]).

        Their spread is what leaving out each cluster in turn does to the mean (the jackknife by
        clusters; for equal sizes the spread of the sums): Bell and McCaffrey (2002), "Bias
        reduction in standard errors for linear regression with multi-stage samples", Survey
        Methodology 28, on why large clusters must count for more than their sums say.

        >>> Clusters.of(np.array([7, 7, 8, 8])).totals(np.array([1.0, 0.0, 1.0, 1.0]))
        array([0.5, 1. ])
        """
        mean = np.mean(rows)
        if self.count < 2:
            return np.full(self.count, mean)
        sums = np.bincount(self.of_row, rows - mean, minlength=self.count)
        others = len(rows) - np.bincount(self.of_row, minlength=self.count)
        moved = sums * ((self.count - 1) / others)
        return np.asarray(mean + (moved - moved.mean()))

    def effect(self, rows: np.ndarray) -> float:
        """The design effect, at least 1: so many rows prove as much as one that stands alone.

        ``rows`` [n] are what each row does to a metric. Their variance by clusters over that of
        independent rows, and the squared ratio of the quantiles of Student's t, by which it
        allows for few clusters. Dividing counts by it keeps the laws of counting: Korn and
        Graubard (1998), "Confidence intervals for proportions with small expected number of
        positive counts estimated from survey data", Survey Methodology 24; Rao and Scott (1992),
        "A simple method for the analysis of clustered binary data", Biometrics 48.
        Rows that show no spread are taken to be alike within their cluster.

        >>> twice = np.repeat(np.arange(50), 2)
        >>> round(Clusters.of(twice).effect(twice % 2.0), 2)
        2.06
        """
        alone = means.deviation(rows) if len(rows) > 1 else 0.0
        if not alone or self.count < 2:
            sizes = np.bincount(self.of_row)
            return float(np.sum(sizes**2.0) / len(rows))
        totals = self.totals(rows)
        quantiles = [means.student(means.freedom(each)) for each in (totals, rows)]
        together = means.deviation(totals) * quantiles[0] / quantiles[1]
        return max((together / alone) ** 2, 1.0)

    def holding(self, chosen: np.ndarray) -> int:
        """How many clusters hold at least one of the ``chosen`` rows ([n], a mask)."""
        return int(np.count_nonzero(np.bincount(self.of_row[chosen], minlength=self.count)))
