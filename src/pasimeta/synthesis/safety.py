"""Safety across studies: rare events with exact bounds, adverse events by patient and by event kept apart, relapse."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import betaincinv, chdtri

from pasimeta.effects.intervals import proportion_ci
from pasimeta.effects.validation import check_counts, check_level
from pasimeta.errors import PasimetaError, doubt
from pasimeta.synthesis.bayes_binomial import pool_bayes_binomial

#: What a study counts, in the order in which it answers whether anyone had a serious event related to treatment.
#: None of a wider kind means none of a narrower one; a wider count above 0 says nothing of it.
SERIOUS = {
    "serious_related": "counted",
    "major": "major events, the study's own word",
    "related": "none, since no event at all was judged related",
    "serious_any": "none, since no event at all was serious",
    "any": "none, since no event at all was reported",
}
UNDEFINED = "not said in anything seen"
_RATE_PRIOR = (1.0, 1.0)


@dataclass(frozen=True, kw_only=True, slots=True)
class RareEvents:
    """How often a rare event could happen, given how often it was seen.

    Attributes
    ----------
    k, events, n : int
        Studies, patients with the event, patients.
    rate : float
        Share seen.
    ci_lower, ci_upper : float
        Clopper and Pearson's two-sided interval, one rate for all.
    upper : float
        Their one-sided upper bound: at this rate, so few events would have had probability 1 - level.
    bayes_upper : float
        One-sided upper bound of the posterior under a uniform prior, one rate for all.
    varying_upper, new_study_upper : float or None
        One-sided upper bounds of the median and of a new study's rate where rates differ between studies
        (binomial-normal, half-normal tau, nearly uniform prior of the rate); None for one study.
    level : float
    warnings : tuple of str
    studies : DataFrame
        The counts pooled, with each study's own ci_lower, ci_upper and one-sided upper and bayes_upper.
    """

    k: int
    events: int
    n: int
    rate: float
    ci_lower: float
    ci_upper: float
    upper: float
    bayes_upper: float
    varying_upper: float | None
    new_study_upper: float | None
    level: float
    warnings: tuple[str, ...] = ()
    studies: pd.DataFrame = field(repr=False, compare=False)

    def to_frame(self) -> pd.DataFrame:
        """One row; the studies are left to their attribute."""
        row: dict[str, Any] = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "studies"}
        return pd.DataFrame([row | {"warnings": "; ".join(self.warnings)}])


def serious_related_counts(safety: pd.DataFrame, product_classes: Sequence[str] = ("expanded_msc",)) -> pd.DataFrame:
    """Select each study's count of patients with a serious event related to treatment.

    Parameters
    ----------
    safety : DataFrame
        The ``safety`` table.
    product_classes : sequence of str
        Products that count as treatment.

    Returns
    -------
    DataFrame
        study, label, events, n, week, basis (how the count follows from what the study reports), source, locator,
        entry; one row a study. Counts of events instead of patients are left out: they don't say how many patients
        had one.
    """
    rows = safety[
        safety["product_class"].isin(product_classes)
        & (safety["unit"] == "patients")
        & safety["term"].isna()
        & safety["event"].isin(list(SERIOUS))
    ]
    direct = rows["event"].isin(["serious_related", "major"])
    rows = rows[direct | (rows["count_upper"] == 0)]
    order = rows["event"].map({event: rank for rank, event in enumerate(SERIOUS)})
    rows = rows.assign(order=order).sort_values(["study", "order"], kind="stable").drop_duplicates("study")
    table = rows.assign(events=rows["count_upper"], basis=rows["event"].map(SERIOUS))
    kept = ["study", "label", "events", "n", "week", "basis", "source", "locator", "entry"]
    return table.reindex(columns=kept).reset_index(drop=True)


def pool_rare_events(
    counts: pd.DataFrame,
    *,
    level: float = 0.95,
    tau_prior: Sequence[Any] = ("half_normal", 0.5),
    mu_prior: tuple[float, float] = (0.0, 1.7),
) -> RareEvents:
    """Bound the rate of a rare event.

    Parameters
    ----------
    counts : DataFrame
        One row a study: study, label, events, n.
    level : float
        Of every interval and bound.
    tau_prior, mu_prior
        Of the model in which rates differ, log-odds; as in :func:`pasimeta.synthesis.pool_bayes_binomial`.

    Returns
    -------
    RareEvents

    Raises
    ------
    PasimetaError
        For no study, or counts that can't be.

    References
    ----------
    Clopper CJ, Pearson ES. Biometrika 1934;26:404-413. Hanley JA, Lippman-Hand A. If nothing goes wrong, is everything
    all right? JAMA 1983;249:1743-1745 (the one-sided bound, and its approximation 3/n).
    """
    if counts.empty:
        raise PasimetaError("counts: no study counts the event in patients; widen product_classes")
    level = check_level(level)
    events, n = check_counts(counts["events"].to_numpy(), counts["n"].to_numpy())
    total, size = float(events.sum()), float(n.sum())
    both = proportion_ci([total], [size], level=level)
    each = proportion_ci(events, n, level=level)
    varying, texts = None, []
    if len(n) > 1:
        # a one-sided bound at the level is the upper end of a two-sided interval at 1 - 2 (1 - level)
        varying = pool_bayes_binomial(events, n, tau_prior, mu_prior, level=2 * level - 1)
    if total == 0:
        texts.append("no event was seen: the bounds say what the number of patients can't rule out, not what happens")
    return RareEvents(
        k=len(n),
        events=int(total),
        n=int(size),
        rate=total / size,
        ci_lower=float(both.lower[0]),
        ci_upper=float(both.upper[0]),
        upper=one_sided_upper(total, size, level),
        bayes_upper=_posterior_upper(total, size, level),
        varying_upper=None if varying is None else varying.response_ci_upper,
        new_study_upper=None if varying is None else varying.response_pi_upper,
        level=level,
        warnings=tuple(doubt(text) for text in texts),
        studies=counts.assign(
            ci_lower=each.lower,
            ci_upper=each.upper,
            upper=[one_sided_upper(x, m, level) for x, m in zip(events, n, strict=True)],
            bayes_upper=[_posterior_upper(x, m, level) for x, m in zip(events, n, strict=True)],
        ),
    )


def one_sided_upper(events: float, n: float, level: float = 0.95) -> float:
    """Clopper and Pearson's one-sided upper bound of a rate; ``1 - (1 - level)**(1/n)`` without events."""
    return 1.0 if events >= n else float(betaincinv(events + 1.0, n - events, level))


def _posterior_upper(events: float, n: float, level: float) -> float:
    return float(betaincinv(events + _RATE_PRIOR[0], n - events + _RATE_PRIOR[1], level))


def adverse_events(
    safety: pd.DataFrame, product_classes: Sequence[str] = ("expanded_msc",), *, level: float = 0.95
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Tabulate adverse events in two tables that can't be added up.

    Returns
    -------
    patients : DataFrame
        study, label, event, term, events_lower, events_upper, n, week, ci_lower, ci_upper: patients with an event, as
        proportions of patients, Clopper-Pearson intervals.
    events : DataFrame
        study, label, event, term, events, n, week, share (of all the study's events), per_patient, ci_lower, ci_upper
        (events per patient, exact Poisson limits, too narrow if one patient had several).
    """
    level = check_level(level)
    rows = safety[safety["product_class"].isin(product_classes)]
    kept = ["study", "label", "event", "term", "n", "week", "source", "locator", "entry"]
    rows = rows.reindex(columns=[*kept, "unit", "count_lower", "count_upper"])
    people = rows[rows["unit"] == "patients"]
    patients = people[kept].assign(events_lower=people["count_lower"], events_upper=people["count_upper"])
    if len(people):
        patients["ci_lower"] = proportion_ci(people["count_lower"], people["n"], level=level).lower
        patients["ci_upper"] = proportion_ci(people["count_upper"], people["n"], level=level).upper
    counted = rows[rows["unit"] == "events"]
    events = counted[kept].assign(events=counted["count_lower"])
    whole = events[events["term"].isna()].drop_duplicates("study").set_index("study")["events"]
    events["share"] = np.where(events["term"].isna(), np.nan, events["events"] / events["study"].map(whole))
    lower, upper = _poisson_limits(events["events"].to_numpy(float), level)
    events = events.assign(
        per_patient=events["events"] / events["n"], ci_lower=lower / events["n"], ci_upper=upper / events["n"]
    )
    return patients.reset_index(drop=True), events.reset_index(drop=True)


def relapses(responses: pd.DataFrame, definitions: pd.DataFrame, *, level: float = 0.95) -> pd.DataFrame:
    """Tabulate relapse under each study's own definition; nothing is pooled, since no two mean the same.

    Parameters
    ----------
    responses : DataFrame
        The ``responses`` table.
    definitions : DataFrame
        study, week, definition: what each study calls a relapse; null where it doesn't say.

    Returns
    -------
    DataFrame
        study, label, week, events_lower, events_upper, n, ci_lower, ci_upper (Clopper-Pearson), definition, source,
        entry.
    """
    rows = responses[responses["endpoint"] == "relapse"].rename(columns={"n_analysed": "n"})
    table = rows.merge(definitions, on=["study", "week"], how="left")
    table["definition"] = table["definition"].fillna(UNDEFINED)
    if len(table):
        table["ci_lower"] = proportion_ci(table["events_lower"], table["n"], level=level).lower
        table["ci_upper"] = proportion_ci(table["events_upper"], table["n"], level=level).upper
    else:
        table = table.assign(ci_lower=[], ci_upper=[])
    counts = ["study", "label", "week", "events_lower", "events_upper", "n", "ci_lower", "ci_upper"]
    shown = table.reindex(columns=[*counts, "definition", "source", "entry"])
    return shown.sort_values(["study", "week"], kind="stable", ignore_index=True)


def _poisson_limits(events: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Garwood's exact limits of a Poisson mean."""
    tail = (1 - level) / 2
    with np.errstate(invalid="ignore", divide="ignore"):
        lower = np.where(events > 0, chdtri(2 * np.maximum(events, 1), 1 - tail) / 2, 0.0)
    return lower, chdtri(2 * (events + 1), tail) / 2
