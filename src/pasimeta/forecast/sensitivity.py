"""How far a forecast leans on what was assumed before it: on priors, and on which evidence is pooled."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from pasimeta.errors import PasimetaError
from pasimeta.evidence.selection import response_counts
from pasimeta.forecast.assurance import assurance
from pasimeta.forecast.beliefs import RateBelief, belief_from_counts
from pasimeta.forecast.predictive import Design

AS_ASSUMED = "as assumed"


@dataclass(frozen=True, slots=True, kw_only=True)
class SensitivityResult:
    """The same trial forecast under several beliefs about the cells.

    Attributes
    ----------
    table : DataFrame
        One row a belief: ``assumption``, ``belief`` (what it rests on), ``rate_mean``, ``rate_lower``, ``rate_upper``
        (the cells' rate in a new trial as believed, and its equal-tailed interval), ``assurance`` and ``harm`` (the
        first contrast's), ``any_contrast``, ``ceiling``.
    design : Design
        As it was assumed.
    level : float
        Of the intervals.
    """

    table: pd.DataFrame
    design: Design
    level: float

    def to_frame(self) -> pd.DataFrame:
        """One row a belief."""
        return self.table


def evidence_variants(
    responses: pd.DataFrame, inclusion: Mapping[str, Collection[str]], threshold: int, **choices: Any
) -> dict[str, pd.DataFrame]:
    """Return the counts that could have been pooled instead, by name.

    Parameters
    ----------
    responses : DataFrame
        The ``RESPONSES`` table.
    inclusion : mapping of str to collection of str
        Study ids by name of the inclusion rule, as from :func:`pasimeta.robustness.studies_by_rule`.
    threshold : int
        PASI threshold, in percent.
    **choices
        ``imputation`` and ``timepoint``, as in :func:`pasimeta.evidence.selection.response_counts`.

    Returns
    -------
    dict of str to DataFrame
        ``as analysed`` first; then with the studies that are silent on the threshold bounded by those they report; then
        what each rule lets in. A variant without any count is left out, unless it is the first.
    """
    found = {
        "as analysed": response_counts(responses, threshold, **choices),
        "studies silent on the threshold bounded": response_counts(responses, threshold, **choices, unreported="bound"),
    }
    for name, ids in inclusion.items():
        chosen = responses.assign(included=responses["study"].isin(set(ids)))
        found[name] = response_counts(chosen, threshold, **choices)
    return {name: counts for i, (name, counts) in enumerate(found.items()) if i == 0 or not counts.empty}


def belief_variants(
    evidence: Mapping[str, pd.DataFrame],
    *,
    tau_scales: Sequence[float],
    mu_priors: Sequence[tuple[float, float] | None],
) -> dict[str, RateBelief]:
    """Return what is believed of the cells when one assumption at a time is changed.

    Parameters
    ----------
    evidence : mapping of str to DataFrame
        Counts as :func:`~pasimeta.forecast.beliefs.belief_from_counts` takes them, by name of the variant; the first is
        the one that the priors are varied on. A variant with the counts of an earlier one is left out.
    tau_scales : sequence of float
        Scales of the half-normal prior of tau, log-odds; the first is the one assumed.
    mu_priors : sequence of (mean, sd) or None
        Priors of the mean log-odds; the first is the one assumed, None is flat. Where counts leave no posterior under a
        flat prior it is left out.

    Returns
    -------
    dict of str to RateBelief
        :data:`AS_ASSUMED` first.

    Raises
    ------
    PasimetaError
        If there is nothing to vary, or as :func:`~pasimeta.forecast.beliefs.belief_from_counts`.
    """
    if not evidence or not tau_scales or not mu_priors:
        raise PasimetaError("belief_variants: give at least one of evidence, tau_scales and mu_priors")
    names = list(evidence)
    base, tau, mu = evidence[names[0]], float(tau_scales[0]), mu_priors[0]
    found = {AS_ASSUMED: _belief(base, tau, mu)}
    found |= {f"prior of tau: half-normal({scale:g})": _belief(base, float(scale), mu) for scale in tau_scales[1:]}
    for prior in mu_priors[1:]:
        if prior is not None:
            found[f"prior of the mean log-odds: normal({prior[0]:g}, {prior[1]:g})"] = _belief(base, tau, prior)
        elif _both_outcomes(base):
            found["prior of the mean log-odds: flat"] = _belief(base, tau, None)
    seen = [_key(base)]
    for name in names[1:]:
        if _key(evidence[name]) not in seen:
            seen.append(_key(evidence[name]))
            found[f"evidence: {name}"] = _belief(evidence[name], tau, mu)
    return found


def forecast_sensitivity(design: Design, beliefs: Mapping[str, RateBelief], level: float = 0.95) -> SensitivityResult:
    """Forecast a trial anew under each belief about its experimental arms; control is believed as before.

    Parameters
    ----------
    design : Design
        With experimental arms that share one belief.
    beliefs : mapping of str to RateBelief
        By name of the assumption, as from :func:`belief_variants`.
    level : float
        Of the intervals of the believed rate.

    Raises
    ------
    PasimetaError
        For no belief at all.
    """
    if not beliefs:
        raise PasimetaError("beliefs: none; give at least one")
    rows = []
    for assumption, belief in beliefs.items():
        changed = replace(design, arms=tuple(replace(arm, belief=belief) for arm in design.arms))
        result = assurance(changed)
        first = result.contrasts[0]
        rows.append(
            {
                "assumption": assumption,
                "belief": belief.label,
                "rate_mean": belief.mean,
                "rate_lower": float(belief.quantile((1 - level) / 2)),
                "rate_upper": float(belief.quantile((1 + level) / 2)),
                "assurance": first.assurance,
                "any_contrast": result.any_contrast,
                "harm": first.harm,
                "ceiling": first.ceiling,
            }
        )
    return SensitivityResult(table=pd.DataFrame(rows), design=design, level=level)


def _belief(counts: pd.DataFrame, tau_scale: float, mu_prior: tuple[float, float] | None) -> RateBelief:
    return belief_from_counts(counts, tau_prior=("half_normal", tau_scale), mu_prior=mu_prior)


def _both_outcomes(counts: pd.DataFrame) -> bool:
    """Whether there are responders and others, however the counts known as intervals are filled."""
    return bool(counts["events_lower"].sum() > 0 and (counts["events_upper"] < counts["n"]).any())


def _key(counts: pd.DataFrame) -> list[tuple[Any, ...]]:
    return list(counts[["events_lower", "events_upper", "n"]].itertuples(index=False, name=None))
