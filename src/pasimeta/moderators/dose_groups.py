"""Dose groups as a study printed them: what each arm got, how many it held, and what is known of its responders."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
import pandas as pd

from pasimeta.effects.validation import Array
from pasimeta.errors import PasimetaError
from pasimeta.evidence.selection import subgroup_counts
from pasimeta.moderators.allocations import Margins, group_margins

Metric = Literal["per_infusion", "cumulative", "infusions", "interval", "rate"]
METRICS: tuple[Metric, ...] = ("per_infusion", "cumulative", "infusions", "interval", "rate")
MILLION = 1e6


@dataclass(frozen=True, slots=True)
class StudyDoses:
    """One study's arms and counts.

    Attributes
    ----------
    study, label : str
    arms : DataFrame
        One row an arm: ``arm``, each of ``METRICS`` (million cells per kg at an infusion and over the course, number
        of infusions, weeks between them, million cells per kg a week), ``n``, ``events_lower``, ``events_upper``
        (missing where not printed).
    n, events_lower, events_upper : int
        Of the study.
    """

    study: str
    label: str
    arms: pd.DataFrame
    n: int
    events_lower: int
    events_upper: int

    @property
    def complete(self) -> bool:
        """Whether every arm's patients and responders are printed."""
        known = self.arms[["n", "events_lower", "events_upper"]].notna().all(axis=None)
        return bool(known) and bool((self.arms["events_lower"] == self.arms["events_upper"]).all())

    def margins(self, metric: Metric = "per_infusion", smallest: int = 1) -> Margins | None:
        """Return the margins by dose, arms of one dose joined; None where a dose isn't known as one number.

        Parameters
        ----------
        metric : str
            Which dose.
        smallest : int
            Fewest patients an arm of unknown size can hold.
        """
        doses = self.arms[metric]
        if doses.isna().any() or self.arms.empty:
            return None
        sizes = [None if pd.isna(n) else int(n) for n in self.arms["n"]]
        printed: list[tuple[int, int] | None] = [
            None if pd.isna(low) else (int(low), int(high))
            for low, high in zip(self.arms["events_lower"], self.arms["events_upper"], strict=True)
        ]
        counts = (self.events_lower, self.events_upper)
        return group_margins(self.label, list(map(float, doses)), sizes, self.n, counts, printed, smallest)


def study_doses(counts: pd.DataFrame, responses: pd.DataFrame, doses: pd.DataFrame) -> list[StudyDoses]:
    """Set every included study's arms beside its counts, by dose group where the study file gives them.

    Parameters
    ----------
    counts : DataFrame
        One row a study, from :func:`pasimeta.evidence.selection.response_counts`.
    responses, doses : DataFrame
        The ``RESPONSES`` and ``DOSES`` tables. A response count with ``subgroup: {by: dose_group, level: ARM}`` belongs
        to the arm of that label.

    Returns
    -------
    list of StudyDoses
        In the order of ``counts``; studies not dosed by body weight are left out.

    Raises
    ------
    PasimetaError
        If a count names an arm that the study doesn't have, or counts a different number of patients than the arm.
    """
    included = doses[doses["included"]]
    studies = []
    for row in counts.itertuples():
        arms = included[included["study"] == row.study]
        if arms.empty:
            continue
        mine = responses[responses["study"] == row.study]
        groups = subgroup_counts(mine, "dose_group", int(row.threshold)) if "threshold" in counts else mine.iloc[:0]
        table = _with_counts(str(row.label), _arm_doses(arms), groups)
        studies.append(
            StudyDoses(str(row.study), str(row.label), table, int(row.n), int(row.events_lower), int(row.events_upper))
        )
    return studies


def known_arms(studies: list[StudyDoses], metric: Metric = "per_infusion") -> pd.DataFrame:
    """Return the arms whose dose, patients and responders are all known.

    Columns: ``study``, ``label``, ``dose``, ``events``, ``n``.

    A study whose arms all got one dose is known as one group, whether or not its arms are counted apart.
    """
    rows = []
    for study in studies:
        margins = study.margins(metric)
        if margins is None:
            continue
        if len(margins.doses) == 1 and study.events_lower == study.events_upper:
            rows.append((study.study, study.label, margins.doses[0], study.events_lower, study.n))
        elif margins.complete:
            for dose, counts, n in zip(margins.doses, margins.group_events, margins.size_lower, strict=True):
                assert counts is not None
                rows.append((study.study, study.label, dose, counts[0], n))
    return pd.DataFrame(rows, columns=["study", "label", "dose", "events", "n"])


def schedule_confounding(study: StudyDoses) -> pd.DataFrame:
    """Say how each pair of a study's dose descriptions moves together over its arms.

    Returns
    -------
    DataFrame
        One row a pair that varies: ``first``, ``second``, ``kendall`` (tau-b over the arms) and ``verdict``:
        ``inseparable`` (one decides the other, and in one direction), ``entangled`` (tau-b beyond 0.5 either way) or
        ``separable``. Intervals between infusions count as equal when they are so to half a week.
    """
    rows = []
    arms = study.arms.assign(interval=(2 * study.arms["interval"]).round() / 2)
    arms["rate"] = arms["per_infusion"] / arms["interval"]
    varying = [m for m in METRICS if arms[m].notna().all() and arms[m].nunique() > 1]
    for i, first in enumerate(varying):
        for second in varying[i + 1 :]:
            tau = _kendall(arms[first].to_numpy(float), arms[second].to_numpy(float))
            strength = abs(tau)
            determined = _decides(arms[first], arms[second])
            verdict = "inseparable" if determined else "entangled" if strength > 0.5 else "separable"
            rows.append((first, second, tau, verdict))
    return pd.DataFrame(rows, columns=["first", "second", "kendall", "verdict"])


def _arm_doses(arms: pd.DataFrame) -> pd.DataFrame:
    def exact(stem: str) -> pd.Series:
        return arms[f"{stem}_low"].where(arms[f"{stem}_low"] == arms[f"{stem}_high"])

    per_infusion, infusions = exact("dose") / MILLION, exact("infusions")
    interval = arms["weeks"].map(_mean_interval)
    return pd.DataFrame(
        {
            "arm": arms["arm"],
            "per_infusion": per_infusion,
            "cumulative": exact("cumulative") / MILLION,
            "infusions": infusions,
            "interval": interval,
            "rate": per_infusion / interval,
            "n": arms["n"],
            "events_lower": np.nan,
            "events_upper": np.nan,
        }
    ).reset_index(drop=True)


def _mean_interval(weeks: object) -> float:
    if not isinstance(weeks, str):
        return float("nan")
    days = [float(week) for week in weeks.split(", ")]
    gaps = [later - earlier for earlier, later in pairwise(days)]
    # intervals printed in days are stored in weeks with two decimals
    return round(sum(gaps) / len(gaps), 1) if gaps else float("nan")


def _with_counts(label: str, arms: pd.DataFrame, groups: pd.DataFrame) -> pd.DataFrame:
    names = arms["arm"].str.casefold()
    for group in groups.itertuples():
        matches = arms.index[names == str(group.level).casefold()]
        if len(matches) != 1:
            raise PasimetaError(
                f"{label}: dose group {group.level!r} is no arm's label; choose one of {', '.join(arms['arm'])}"
            )
        here = matches[0]
        if pd.notna(arms.loc[here, "n"]) and int(arms.loc[here, "n"]) != int(group.n):
            raise PasimetaError(
                f"{label}: {group.n} patients counted in {group.level!r}, but {arms.loc[here, 'n']:g} in the arm; "
                "correct n_analysed or the arm's n"
            )
        arms.loc[here, ["n", "events_lower", "events_upper"]] = [group.n, group.events_lower, group.events_upper]
    return arms


def _kendall(first: Array, second: Array) -> float:
    """Kendall's tau-b: concordant minus discordant pairs, over pairs untied in each."""
    signs = [np.sign(np.subtract.outer(values, values)) for values in (first, second)]
    untied = np.sqrt(float((signs[0] ** 2).sum()) * float((signs[1] ** 2).sum()))
    return float((signs[0] * signs[1]).sum() / untied)


def _decides(first: pd.Series, second: pd.Series) -> bool:
    """Whether one is a monotone function of the other over the arms."""
    one_way = second.groupby(first).nunique().max() == 1 or first.groupby(second).nunique().max() == 1
    steps = np.subtract.outer(first.to_numpy(), first.to_numpy()) * np.subtract.outer(
        second.to_numpy(), second.to_numpy()
    )
    return bool(one_way and (steps.min() >= 0 or steps.max() <= 0))
