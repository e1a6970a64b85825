"""Whichever analysis of dose the counts allow: ordinary where groups are counted, bounds where they aren't."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from pasimeta.effects.validation import Array
from pasimeta.errors import PasimetaError
from pasimeta.moderators.allocations import Margins
from pasimeta.moderators.dose_groups import Metric, StudyDoses, known_arms
from pasimeta.moderators.dose_models import FORMS, LEAST_DOSES, DoseFit, fit_dose_model
from pasimeta.moderators.partial_identification import PartialIdentification, partial_identification
from pasimeta.moderators.trend import TrendResult, detectable_slope, trend_test


@dataclass(frozen=True, slots=True)
class DoseAnalysis:
    """What each study with several doses allows.

    Attributes
    ----------
    bounds : dict of str to PartialIdentification
        Studies whose responders by dose aren't printed, by label.
    trends : dict of str to TrendResult
        Studies whose responders by dose are printed, by label.
    fits : tuple of DoseFit
        Curves over every arm whose counts are known, with an intercept a study; empty where no study compares doses.
    detectable : dict of str to float or None
        Smallest log odds ratio per unit of dose that an exact trend test in each study would have found, its groups
        as equal as its margins allow.
    patients : dict of str to int
        Patients of each study with several doses.
    arms : DataFrame
        Arms whose dose and counts are all known: ``study``, ``label``, ``dose``, ``events``, ``n``.
    """

    bounds: dict[str, PartialIdentification]
    trends: dict[str, TrendResult]
    fits: tuple[DoseFit, ...]
    detectable: dict[str, float | None]
    patients: dict[str, int]
    arms: pd.DataFrame

    def to_frame(self) -> pd.DataFrame:
        """One row a study and constraint (``any`` and each test's), or a study with a trend."""
        frames = [each.ranges().assign(label=label, analysis="bounds") for label, each in self.bounds.items()]
        frames += [each.to_frame().assign(label=label, analysis="trend") for label, each in self.trends.items()]
        table = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=["label", "analysis"])
        return table.assign(detectable_slope=table["label"].map(self.detectable).astype(float))


def analyse_doses(
    studies: Sequence[StudyDoses],
    metric: Metric = "per_infusion",
    *,
    alpha: float = 0.05,
    smallest: int = 1,
    power: float = 0.8,
    level: float = 0.95,
) -> DoseAnalysis:
    """Analyse every study with several doses as far as its counts go.

    Parameters
    ----------
    studies : sequence of StudyDoses
        From :func:`pasimeta.moderators.dose_groups.study_doses`.
    metric : str
        Which dose.
    alpha : float
        Level of a reported "not significant", and of the detectable slope.
    smallest : int
        Fewest patients in a group of unknown size.
    power, level : float
        Of the detectable slope, and of the intervals.
    """
    bounds: dict[str, PartialIdentification] = {}
    trends: dict[str, TrendResult] = {}
    found: dict[str, float | None] = {}
    patients: dict[str, int] = {}
    for study in studies:
        margins = study.margins(metric, smallest)
        if margins is None or len(margins.doses) < 2:
            continue
        mean = (margins.events_lower + margins.events_upper) / 2 / margins.n
        sizes, patients[study.label] = even_sizes(margins), margins.n
        if 0 < mean < 1:
            found[study.label] = detectable_slope(sizes, margins.doses, float(logit(mean)), power, alpha)
        if margins.complete and 0 < margins.events_lower < margins.n:
            events = [pair[0] for pair in margins.group_events if pair is not None]
            trends[study.label] = trend_test(events, margins.size_lower, margins.doses, level)
        else:
            bounds[study.label] = partial_identification(margins, alpha)
    arms = known_arms(list(studies), metric)
    return DoseAnalysis(bounds, trends, tuple(_fits(arms, level)), found, patients, arms)


def even_sizes(margins: Margins) -> tuple[int, ...]:
    """Return the most equal group sizes that fit the margins: patients of unknown group spread one by one."""
    sizes = list(margins.size_lower)
    room = [high - low for low, high in zip(margins.size_lower, margins.size_upper, strict=True)]
    added = [0] * len(sizes)
    for _ in range(margins.n - sum(sizes)):
        open_groups = [i for i in range(len(sizes)) if added[i] < room[i]]
        added[min(open_groups, key=lambda i: (added[i], i))] += 1
    return tuple(size + more for size, more in zip(sizes, added, strict=True))


def slope_band(margins: Margins, slopes: tuple[float, float], doses: Array) -> tuple[Array, Array]:
    """Return the lowest and highest response at some doses of logit lines through the patients' mean dose and rate.

    Parameters
    ----------
    margins : Margins
    slopes : (float, float)
        Lowest and highest log odds ratio per unit of dose.
    doses : ndarray

    Raises
    ------
    PasimetaError
        If nobody or everybody responded.
    """
    sizes = np.array(even_sizes(margins), float)
    mean = (margins.events_lower + margins.events_upper) / 2 / margins.n
    if not 0 < mean < 1:
        raise PasimetaError(f"{margins.label}: nobody or everybody responded; no line can be drawn on the logit")
    centred = doses - sizes @ np.array(margins.doses) / sizes.sum()
    lines = expit(logit(mean) + np.outer(slopes, centred))
    return lines.min(axis=0), lines.max(axis=0)


def _fits(arms: pd.DataFrame, level: float) -> list[DoseFit]:
    """Every form that the known arms allow; none where no study compares doses."""
    several = arms.groupby("study")["dose"].nunique()
    if arms.empty or several.max() < 2:
        return []
    fits = []
    for form in FORMS:
        if arms["dose"].nunique() < LEAST_DOSES[form]:
            continue
        try:
            fits.append(fit_dose_model(arms, form, level=level))
        except PasimetaError:
            # separated groups have no finite curve; the exact trend test says what there is to say
            continue
    return fits
