"""Studies as strata of two groups, where a study may not say which of its responders belong to which group.

Write ``a`` for the log-odds of response in the second group of a study, ``a + d`` for the first. A study that prints
responders by group contributes a product of two binomials; one that prints only their total contributes the sum of
that product over every allocation the margins allow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import product

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import log_expit

from pasimeta.effects.validation import Array
from pasimeta.errors import PasimetaError
from pasimeta.evidence.selection import response_counts, subgroup_counts
from pasimeta.moderators.trend import log_choose


@dataclass(frozen=True, slots=True)
class Stratum:
    """One study: two groups' sizes, and what is known of their responders.

    Attributes
    ----------
    label : str
        The study.
    n1, n2 : int
        Patients of the first and of the second group; one may be empty.
    events_lower, events_upper : int
        Fewest and most responders in all.
    first_lower, first_upper : int
        Fewest and most responders of the first group; all of 0 to ``n1`` where not printed.
    threshold : int or None
        PASI threshold of these counts.
    second_lower, second_upper : int
        Fewest and most responders of the second group; by default whatever the other counts leave.
    """

    label: str
    n1: int
    n2: int
    events_lower: int
    events_upper: int
    first_lower: int
    first_upper: int
    threshold: int | None = None
    second_lower: int = 0
    second_upper: int | None = None

    def __post_init__(self) -> None:
        """Refuse counts that no table can have."""
        if self.n1 < 0 or self.n2 < 0 or self.n1 + self.n2 == 0:
            raise PasimetaError(f"{self.label}: groups of {self.n1} and {self.n2} patients; give at least one patient")
        if not 0 <= self.events_lower <= self.events_upper <= self.n1 + self.n2:
            counts = f"{self.events_lower} to {self.events_upper} of {self.n1 + self.n2}"
            raise PasimetaError(f"{self.label}: {counts} responders can't be; check the counts against the group sizes")
        if not self.pairs:
            raise PasimetaError(f"{self.label}: responders by group don't fit their total; check the three counts")

    @property
    def pairs(self) -> list[tuple[int, int]]:
        """Every pair of responders (first, second group) that fits."""
        most = self.n2 if self.second_upper is None else min(self.second_upper, self.n2)
        return [
            (first, total - first)
            for total in range(self.events_lower, self.events_upper + 1)
            for first in range(self.first_lower, min(self.first_upper, self.n1, total) + 1)
            if self.second_lower <= total - first <= most
        ]

    @property
    def knowledge(self) -> str:
        """``by group``, ``total only`` or ``one group only``."""
        if 0 in (self.n1, self.n2):
            return "one group only"
        return "by group" if len(self.pairs) == 1 else "total only"

    def log_likelihood(self, a: ArrayLike, d: ArrayLike) -> Array:
        """Log-likelihood at intercepts and log odds ratios of shapes that broadcast; sums over the allocations."""
        return log_likelihoods([self], a, d)[0]


def log_likelihoods(strata: Sequence[Stratum], a: ArrayLike, d: ArrayLike) -> list[Array]:
    """Each stratum's log-likelihood at the same intercepts and log odds ratios, whose chances are worked out once."""
    base = np.asarray(a, float)
    both = base + np.asarray(d, float)
    logs = log_expit(both), log_expit(-both), log_expit(base), log_expit(-base)
    return [_log_likelihood(stratum, *logs) for stratum in strata]


def _log_likelihood(stratum: Stratum, first_yes: Array, first_no: Array, second_yes: Array, second_no: Array) -> Array:
    """Given the logarithms of each group's chances of response and of none."""
    first, second, ways = (part.reshape(-1, *(1,) * first_yes.ndim) for part in _allocated(stratum))
    terms = (
        ways
        + first * first_yes
        + (stratum.n1 - first) * first_no
        + second * second_yes
        + (stratum.n2 - second) * second_no
    )
    return np.asarray(_log_sum(terms) if len(terms) > 1 else terms[0])


def _log_sum(terms: Array) -> Array:
    """Logarithm of the sum of exponentials along the first axis: SciPy's, without what it spends on being asked."""
    highest = terms.max(axis=0)
    at_top = terms == highest
    count = at_top.sum(axis=0, dtype=float)
    others = np.exp(np.where(at_top, -np.inf, terms) - highest).sum(axis=0)
    return np.asarray(np.log1p(others / count) + np.log(count) + highest)


@lru_cache(maxsize=256)
def _allocated(stratum: Stratum) -> tuple[Array, Array, Array]:
    """Responders of the first and of the second group in every pair that fits, and the log of the pair's ways."""
    first, second = np.array(stratum.pairs, float).T
    ways = log_choose(np.array(stratum.n1), first) + log_choose(np.array(stratum.n2), second)
    return first, second, np.asarray(ways)


def known_stratum(label: str, events1: int, n1: int, events2: int, n2: int, threshold: int | None = None) -> Stratum:
    """Return a study that prints responders by group."""
    total = events1 + events2
    return Stratum(label, n1, n2, total, total, events1, events1, threshold)


def unknown_stratum(label: str, n1: int, n2: int, events: tuple[int, int], threshold: int | None = None) -> Stratum:
    """Return a study that prints its responders' total only, possibly as a range."""
    return Stratum(label, n1, n2, events[0], events[1], 0, n1, threshold)


def allocations(strata: Sequence[Stratum]) -> list[tuple[Stratum, ...]]:
    """Return every way to make all responders' groups known, as strata that print them."""
    fillings = [
        [replace(s, events_lower=sum(p), events_upper=sum(p), first_lower=p[0], first_upper=p[0]) for p in s.pairs]
        for s in strata
    ]
    return [tuple(combination) for combination in product(*fillings)]


def sex_strata(
    responses: pd.DataFrame, characteristics: pd.DataFrame, threshold: int, **selection: str
) -> list[Stratum]:
    """Return the included studies as strata of women and men at a threshold.

    A study that counts responders by sex at the threshold is taken so. Any other is taken with its total, at the
    threshold or, where it doesn't report that, at the nearest threshold it does report (the harder of two as near).

    Parameters
    ----------
    responses, characteristics : DataFrame
        The tables of the evidence notebook.
    threshold : int
        PASI threshold.
    **selection
        ``imputation`` and ``timepoint``, as in :func:`pasimeta.evidence.selection.response_counts`.

    Returns
    -------
    list of Stratum
        In order of study id; studies whose numbers of women and men aren't printed, or don't add up to the patients
        counted, are left out.
    """
    by_sex = subgroup_counts(responses, "sex", threshold)
    people = characteristics.set_index("study")
    strata = []
    for study in sorted(responses.loc[responses["included"], "study"].unique()):
        rows = by_sex[by_sex["study"] == study].set_index("level")
        if {"female", "male"} <= set(rows.index):
            strata.append(_printed_by_sex(rows, threshold))
            continue
        total = _nearest(responses[responses["study"] == study], threshold, selection)
        women, men = people.loc[study, "female"], people.loc[study, "male"]
        if total is None or pd.isna(women) or pd.isna(men) or int(women + men) != int(total["n"]):
            continue
        counts = (int(total["events_lower"]), int(total["events_upper"]))
        strata.append(unknown_stratum(str(total["label"]), int(women), int(men), counts, int(total["threshold"])))
    return strata


def _printed_by_sex(rows: pd.DataFrame, threshold: int) -> Stratum:
    women, men = rows.loc["female"], rows.loc["male"]
    lower, upper = (int(women[end] + men[end]) for end in ("events_lower", "events_upper"))
    first = int(women["events_lower"]), int(women["events_upper"])
    return Stratum(str(women["label"]), int(women["n"]), int(men["n"]), lower, upper, *first, threshold)


def _nearest(rows: pd.DataFrame, threshold: int, selection: dict[str, str]) -> pd.Series | None:
    reported = sorted(
        rows.loc[rows["subgroup_by"].isna() & (rows["endpoint"] == "pasi_response"), "threshold"].dropna().unique(),
        key=lambda t: (abs(t - threshold), -t),
    )
    for candidate in reported:
        counts = response_counts(rows, int(candidate), **selection)  # type: ignore[arg-type]
        if len(counts):
            return counts.iloc[0]
    return None
