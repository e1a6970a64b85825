"""Two subgroups of one trial compared exactly: rates, differences, and what the numbers can't tell."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from functools import lru_cache

import numpy as np
import pandas as pd

from pasimeta.effects import proportion_ci
from pasimeta.effects.validation import check_counts, check_level
from pasimeta.moderators.two_by_two import risk_difference_interval


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupComparison:
    """One group's response rate against another's, within one trial.

    Attributes
    ----------
    events1, n1, events2, n2 : int
        Responders and patients of the first and of the second group.
    rate1, rate2 and their ``_ci_lower``, ``_ci_upper`` : float
        Response rates in [0, 1] with Clopper-Pearson intervals.
    risk_difference, risk_difference_ci_lower, risk_difference_ci_upper : float
        First minus second, with the Miettinen-Nurminen score interval.
    odds_ratio, odds_ratio_ci_lower, odds_ratio_ci_upper : float
        Conditional maximum-likelihood odds ratio with its exact interval; infinite or zero where a cell is empty.
    fisher_p_value, boschloo_p_value : float
        Two-sided exact tests, conditional on the number of responders and not.
    level : float
        Level of every interval.
    """

    events1: int
    n1: int
    events2: int
    n2: int
    rate1: float
    rate1_ci_lower: float
    rate1_ci_upper: float
    rate2: float
    rate2_ci_lower: float
    rate2_ci_upper: float
    risk_difference: float
    risk_difference_ci_lower: float
    risk_difference_ci_upper: float
    odds_ratio: float
    odds_ratio_ci_lower: float
    odds_ratio_ci_upper: float
    fisher_p_value: float
    boschloo_p_value: float
    level: float

    def to_frame(self) -> pd.DataFrame:
        """One row, one column a field."""
        return pd.DataFrame([asdict(self)])


@dataclass(frozen=True, slots=True)
class StudyComparisons:
    """The same two groups compared within each study that counts both, by the study's label."""

    by_study: dict[str, GroupComparison]

    def to_frame(self) -> pd.DataFrame:
        """One row a study: ``label`` and the fields of :class:`GroupComparison`."""
        names = [field.name for field in fields(GroupComparison)]
        rows = [{"label": label, **asdict(comparison)} for label, comparison in self.by_study.items()]
        return pd.DataFrame(rows, columns=["label", *names])


def compare_studies(groups: pd.DataFrame, levels: tuple[str, str], level: float = 0.95) -> StudyComparisons:
    """Compare two levels of a subgroup within each study that counts both exactly.

    Parameters
    ----------
    groups : DataFrame
        One row a study and level, from :func:`pasimeta.evidence.selection.subgroup_counts`.
    levels : tuple of str
        The first and the second level.
    level : float
        Level of the intervals.

    Raises
    ------
    PasimetaError
        For impossible counts or a level outside (0, 1).
    """
    exact = groups[groups["events_lower"] == groups["events_upper"]]
    comparisons = {}
    for label, rows in exact.groupby("label", sort=False):
        by_level = rows.set_index("level")
        if not set(levels) <= set(by_level.index):
            continue
        first, second = by_level.loc[levels[0]], by_level.loc[levels[1]]
        comparisons[str(label)] = compare_groups(
            int(first["events_lower"]), int(first["n"]), int(second["events_lower"]), int(second["n"]), level
        )
    return StudyComparisons(comparisons)


@lru_cache(maxsize=256)  # the same few tables are compared again for every other choice
def compare_groups(events1: int, n1: int, events2: int, n2: int, level: float = 0.95) -> GroupComparison:
    """Compare the response rates of two groups with exact tests and intervals.

    Parameters
    ----------
    events1, n1, events2, n2 : int
        Responders and patients of the first and of the second group.
    level : float
        Level of the intervals.

    Returns
    -------
    GroupComparison

    Raises
    ------
    PasimetaError
        For impossible counts or a level outside (0, 1).

    References
    ----------
    Fisher 1935 (conditional test); Boschloo 1970, *Stat Neerl* 24:1 (unconditional test); Miettinen & Nurminen 1985,
    *Stat Med* 4:213, eqs 8-9 (score interval of the difference); Cornfield 1956 (exact interval of the odds ratio).
    """
    from scipy.stats import boschloo_exact, fisher_exact
    from scipy.stats.contingency import odds_ratio

    events, sizes = check_counts([events1, events2], [n1, n2])
    check_level(level)
    table = np.column_stack([events, sizes - events]).astype(int)
    lower, upper = proportion_ci(events, sizes, "clopper_pearson", level)
    conditional = odds_ratio(table, kind="conditional")
    interval = conditional.confidence_interval(level)
    rate1, rate2 = (float(rate) for rate in events / sizes)
    difference_lower, difference_upper = risk_difference_interval(events1, n1, events2, n2, level)
    return GroupComparison(
        events1=int(events1),
        n1=int(n1),
        events2=int(events2),
        n2=int(n2),
        rate1=rate1,
        rate1_ci_lower=float(lower[0]),
        rate1_ci_upper=float(upper[0]),
        rate2=rate2,
        rate2_ci_lower=float(lower[1]),
        rate2_ci_upper=float(upper[1]),
        risk_difference=rate1 - rate2,
        risk_difference_ci_lower=difference_lower,
        risk_difference_ci_upper=difference_upper,
        odds_ratio=float(conditional.statistic),
        odds_ratio_ci_lower=float(interval.low),
        odds_ratio_ci_upper=float(interval.high),
        fisher_p_value=float(fisher_exact(table).pvalue),
        boschloo_p_value=float(boschloo_exact(table.T).pvalue),
        level=level,
    )
