"""From the sex notebook's results to its figures."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import pandas as pd

from pasimeta.moderators.one_stage import OneStageResult
from pasimeta.moderators.sex import GroupComparison
from pasimeta.moderators.sex_prior import EffectPosterior
from pasimeta.moderators.strata import Stratum
from pasimeta.report.plots.response import link_of_row
from pasimeta.report.plots.widths import drawn_wide_or_narrow
from pasimeta.report.prose.sex_subgroup import prior_text
from pasimeta.report.rests_on import BELOW
from pasimeta.report.words import listing

if TYPE_CHECKING:
    from pasimeta.figures.estimates import Rate
    from pasimeta.figures.output import Plot

LEVELS = ("female", "male")  # of the subgroup, in the order in which groups are named and drawn


def subgroup_forest(
    strata: Sequence[Stratum],
    fit: OneStageResult,
    names: tuple[str, str],
    level: float,
    responses: pd.DataFrame,
) -> Plot:
    """Draw response of all patients and of each group, study by study, with the test for interaction below.

    Strata that aren't in the fit are drawn and said to be reports of single patients. ``responses`` says where each
    count stands; a group's count that only follows from the study's leads to the study's.
    """
    from pasimeta.figures.forest import HeadingRow, NoteRow, Row, StudyRow, forest
    from pasimeta.figures.formats import p_value

    links = {
        (row.label, row.threshold, row.subgroup_level if isinstance(row.subgroup_level, str) else ""): link_of_row(row)
        for row in responses[::-1].itertuples()
    }
    rows: list[Row] = []
    for heading, part in (("All patients", 0), (names[0], 1), (names[1], 2)):
        rows.append(HeadingRow(heading))
        for stratum in strata:
            rate = rate_of_row(stratum, part, level)
            if rate is not None:
                study = links.get((stratum.label, stratum.threshold, ""), "")
                link = links.get((stratum.label, stratum.threshold, ("", *LEVELS)[part]), study)
                rows.append(StudyRow(f"{stratum.label}, PASI{stratum.threshold}", rate, link=link))
    odds = fit.to_frame().iloc[0]
    text = (
        f"Interaction, {names[0].lower()} against {names[1].lower()} within studies: odds ratio {odds['estimate']:.2f}"
    )
    text += f" ({odds['ci_lower']:.2f} to {odds['ci_upper']:.3g}), {p_value(fit.p_value)}"
    rows.append(NoteRow(text, BELOW))
    footnote = (
        "Rates: exact (Clopper-Pearson) intervals. Interaction: one-stage logistic model with an intercept a study, "
        "profile-likelihood interval; where a study doesn't say which sex responded, all allocations are summed."
    )
    reports = [stratum.label for stratum in strata if stratum.label not in set(fit.support["label"])]
    if reports:
        footnote += f" Reports of single patients, not in the interaction: {listing(reports)}."
    return forest(
        rows,
        name="sex_forest",
        axis_label="Patients who reached the threshold",
        title="Response by sex",
        level=level,
        footnote=footnote,
    )


def posterior_plot(posteriors: Sequence[EffectPosterior], names: tuple[str, str], study: str, level: float) -> Plot:
    """Draw the posterior of the difference of rates under each prior."""
    from pasimeta.figures.posterior import PosteriorCurve, posterior_densities

    curves = [
        PosteriorCurve(
            p.prior.label,
            f"Prior: {prior_text(p)}",
            p.grid,
            p.density,
            p.difference_median,
            p.difference_lower,
            p.difference_upper,
            p.probability_first_better,
        )
        for p in posteriors
    ]
    return posterior_densities(
        curves,
        name="sex_posterior",
        axis_label=f"Response of {names[0].lower()} minus response of {names[1].lower()}, percentage points",
        above=f"P({names[0].lower()} better)",
        title=f"{names[0]} against {names[1].lower()}: the same counts under three priors",
        level=level,
        footnote=f"Difference in {study}; the odds ratio is shared by all studies. Priors are on the log odds ratio.",
    )


def rate_of_row(stratum: Stratum, part: int, level: float) -> Rate | None:
    from pasimeta.effects.response_rates import response_rates
    from pasimeta.figures.estimates import Rate

    n = (stratum.n1 + stratum.n2, stratum.n1, stratum.n2)[part]
    if not n:
        return None
    counts = [(sum(pair), *pair)[part] for pair in stratum.pairs]
    table = pd.DataFrame({"events_lower": [min(counts)], "events_upper": [max(counts)], "n": [n]})
    row: Any = next(response_rates(table, level=level).itertuples())
    return Rate(
        events_lower=int(row.events_lower),
        events_upper=int(row.events_upper),
        n=int(row.n),
        ci_lower=float(row.ci_lower),
        ci_upper=float(row.ci_upper),
    )


def subgroup_plot(
    comparison: GroupComparison,
    names: tuple[str, str],
    threshold: int,
    study: str,
    name: str,
    counts: pd.DataFrame,
    *,
    narrow: bool = False,
) -> Plot:
    """Draw two groups' rates and their difference; ``counts``, by ``level``, says where each stands."""
    from pasimeta.figures.estimates import Estimate
    from pasimeta.figures.subgroup import Group, GroupDifference, subgroup_rates

    c = comparison
    links = {str(row.level): link_of_row(row) for row in counts[counts["label"] == study].itertuples()}
    groups = [
        Group(names[0], _exact(c.events1, c.n1, c.rate1_ci_lower, c.rate1_ci_upper), links[LEVELS[0]]),
        Group(names[1], _exact(c.events2, c.n2, c.rate2_ci_lower, c.rate2_ci_upper), links[LEVELS[1]]),
    ]
    difference = Estimate(
        value=c.risk_difference, ci_lower=c.risk_difference_ci_lower, ci_upper=c.risk_difference_ci_upper
    )
    drawn = partial(
        subgroup_rates,
        groups,
        GroupDifference(
            f"{names[0]} minus {names[1].lower()}", difference, c.fisher_p_value, "Fisher's exact test", BELOW
        ),
        level=c.level,
        rate_label=f"Patients who reached PASI{threshold}",
        title=f"Response by sex in {study}",
        footnote="Rates with exact (Clopper-Pearson), difference with Miettinen-Nurminen score interval.",
    )
    return drawn_wide_or_narrow(drawn, name, narrow=narrow)


def _exact(events: int, n: int, lower: float, upper: float) -> Rate:
    from pasimeta.figures.estimates import Rate

    return Rate(events_lower=events, events_upper=events, n=n, ci_lower=lower, ci_upper=upper)
