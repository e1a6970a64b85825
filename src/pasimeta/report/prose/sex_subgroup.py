"""Sentences and tables of the sex notebook, written from results by rule."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from pasimeta.moderators.one_stage import OneStageResult
from pasimeta.moderators.sex import GroupComparison, StudyComparisons
from pasimeta.moderators.sex_power import ComparisonPower
from pasimeta.moderators.sex_prior import EffectPosterior
from pasimeta.moderators.verdicts import verdict
from pasimeta.report.words import markdown_text, number, percent

MINUS = "\u2212"
MEASURES = {"RD": "Difference, points", "RR": "Ratio", "OR": "Odds ratio"}
METHODS = {
    "score": "score (Miettinen-Nurminen)",
    "profile": "profile likelihood",
    "barnard": "exact unconditional (Barnard order)",
    "boschloo": "exact unconditional (Boschloo order)",
    "conditional": "exact conditional",
    "mid_p": "conditional, mid-P",
    "firth": "Firth, profile penalised likelihood",
}


def intervals(table: pd.DataFrame) -> pd.DataFrame:
    """Write 2 x 2 intervals as a reader wants them: ``effect``, ``method``, ``interval``, ``p``, ``verdict``."""
    rows = []
    for row in table.itertuples():
        scale = 100.0 if row.measure == "RD" else 1.0
        none = 0.0 if row.measure == "RD" else 1.0
        ends = [_value(scale * v, row.measure) for v in (row.estimate, row.lower, row.upper)]
        rows.append(
            {
                "effect": MEASURES[row.measure],
                "method": METHODS[row.method],
                "estimate": ends[0],
                "interval": f"{ends[1]} to {ends[2]}",
                "p": f"{row.p_value:.3f}",
                "guaranteed": bool(row.guaranteed),
                "verdict": verdict(row.lower, row.upper, none),
            }
        )
    return pd.DataFrame(rows)


def one_stage_table(fits: Sequence[OneStageResult]) -> pd.DataFrame:
    """Write one-stage fits as rows: ``information``, ``odds_ratio``, ``interval``, ``p``, ``verdict``."""
    words = {
        "study": "within studies (an intercept a study)",
        "common": "within and across (one intercept): ecological",
    }
    rows = []
    for fit in fits:
        row = fit.to_frame().iloc[0]
        said = verdict(fit.ci_lower, fit.ci_upper, identified=fit.intercepts == "study")
        rows.append((words[fit.intercepts], *_ratio(row), f"{fit.p_value:.3f}", said))
    return pd.DataFrame(rows, columns=["information", "odds_ratio", "interval", "p", "verdict"])


def allocation_rows(table: pd.DataFrame) -> pd.DataFrame:
    """Write fits by allocation as rows: ``allocation``, ``odds_ratio``, ``interval``, ``p``, ``exact_p``."""
    return pd.DataFrame(
        [
            (row["allocation"], *_ratio(row), f"{row['p_value']:.3f}", _optional(row["exact_p_value"]))
            for _, row in table.iterrows()
        ],
        columns=["allocation", "odds_ratio", "interval", "p", "exact_p"],
    )


def interval_sentence(table: pd.DataFrame) -> str:
    """Say how many of the intervals of one table include no effect."""
    inside, all_of_them = int(table["includes_no_effect"].sum()), len(table)
    which = table.loc[~table["includes_no_effect"], ["measure", "method"]]
    if which.empty:
        return (
            f"All {all_of_them} intervals, on three scales and by every method, are compatible with no difference. The "
            "choice of method doesn't decide the answer."
        )
    named = "; ".join(f"{MEASURES[r.measure].lower()}, {METHODS[r.method]}" for r in which.itertuples())
    return f"{inside} of {all_of_them} intervals are compatible with no difference; excluded by: {named}."


def power_sentences(power: ComparisonPower, names: tuple[str, str], source: str) -> list[str]:
    """Say what the comparison could have found, how fragile it is, and which trial would settle it."""
    p = power
    first, second = names
    if p.detectable_higher is None:
        found = f"not even 100 % response of {first} would have been found with {percent(p.power)} power"
    else:
        needed = percent(p.detectable_higher)
        found = f"{first} would have had to respond in {needed} to be found with {percent(p.power)} power"
    sentences = [
        f"Had {second} responded as they did ({percent(p.rate2)}), then with {p.n1} {first} and {p.n2} {second} "
        f"{found} "
        f"(Fisher's exact test, two-sided {p.alpha:g}). Were the true rates those observed, the test would have found "
        f"them in {percent(p.power_observed)} of such trials; were they those of {markdown_text(source)}, in "
        f"{percent(p.power_external)}."
    ]
    if p.fragility is not None:
        crossing = "no longer significant" if p.significant else "significant"
        sentences.append(
            f"The result turns on {number(p.fragility, 'patient')}: had "
            f"{'that one' if p.fragility == 1 else 'they'} fared "
            f"differently, it would be {crossing}."
        )
    needs = []
    if p.needed_observed:
        needs.append(f"{p.needed_observed} patients for the difference observed here")
    if p.needed_external:
        needs.append(f"{p.needed_external} for that of {markdown_text(source)}")
    if needs:
        sentences.append(f"A trial, half of it {first}, would need {' and '.join(needs)} ({percent(p.power)} power).")
    return sentences


def one_stage_sentences(
    within: OneStageResult, by_allocation: pd.DataFrame, across: pd.DataFrame | None, names: tuple[str, str]
) -> list[str]:
    """Say what the studies together say, which study speaks, and what is ecological."""
    row = within.to_frame().iloc[0]
    odds, interval = _ratio(row)
    silent = within.support[within.support["knowledge"] == "total only"]
    said = verdict(within.ci_lower, within.ci_upper)
    sentences = [f"Within studies the odds ratio of {names[0]} against {names[1]} is {odds} ({interval}): **{said}**."]
    for study in silent.itertuples():
        sentences.append(
            f"{markdown_text(study.label)} ({names[0]}: {study.n1}, {names[1]}: {study.n2}) doesn't say who "
            "responded; all "
            f"{study.allocations} allocations are summed over. It moves the log-likelihood by "
            f"{study.evidence:.2f} where "
            "1.92 would exclude no difference: next to nothing."
        )
    if len(by_allocation) > 1:
        low, high = by_allocation["odds_ratio"].min(), by_allocation["odds_ratio"].max()
        exact = by_allocation["exact_p_value"].dropna()
        sentences.append(
            f"Were that allocation known, the odds ratio would be between {low:.3g} and {high:.3g}, with an exact p of "
            f"{exact.min():.3f} to {exact.max():.3f}: so much hangs on who in one small study responded."
        )
    if len(within.support["threshold"].dropna().unique()) > 1:
        listed = ", ".join(f"{markdown_text(s.label)} PASI{int(s.threshold)}" for s in within.support.itertuples())
        sentences.append(
            f"The studies are taken at the thresholds they report ({listed}); one odds ratio for both is assumed."
        )
    if across is not None:
        lowest, highest = across["ci_lower"].min(), across["ci_upper"].max()
        sentences.append(
            f"Across studies, response against the share of {names[0]} gives an odds ratio between "
            f"{_times(lowest)} and "
            f"{_times(highest)} from {int(across['k'].max())} studies. That is a comparison of studies, not of "
            "patients "
            "(**ecological bias**), and is kept apart: a sex difference is **not identified** from it."
        )
    return sentences


def prior_sentences(posteriors: Sequence[EffectPosterior], names: tuple[str, str]) -> list[str]:
    """Say how far the answer is the prior's, and what no prior changes."""
    probabilities = [p.probability_first_better for p in posteriors]
    medians = [p.difference_median for p in posteriors]
    widest = max(posteriors, key=lambda p: p.prior.sd)
    narrowest = min(posteriors, key=lambda p: p.prior.sd)
    covers = [p for p in posteriors if p.difference_lower <= 0 <= p.difference_upper]
    text = (
        f"The median difference falls from {_points(widest.difference_median)} points under the widest prior to "
        f"{_points(narrowest.difference_median)} under the narrowest; the probability that {names[0]} respond "
        "better is "
        f"{percent(min(probabilities))} to {percent(max(probabilities))}."
    )
    moved = max(medians) - min(medians)
    said = (
        f"{'Every' if len(covers) == len(posteriors) else f'{len(covers)} of {len(posteriors)}'} interval is "
        "compatible "
        f"with no difference; the prior alone moves the median by {100 * moved:.0f} points, so the size of the "
        "difference is **not identified** by these patients."
    )
    return [text, said]


def posterior_table(posteriors: Sequence[EffectPosterior]) -> pd.DataFrame:
    """Write posteriors as rows: ``prior``, ``prior_odds``, ``odds_ratio``, ``difference``, ``better``."""
    rows = []
    for p in posteriors:
        difference = f"{_points(p.difference_median)} [{_points(p.difference_lower)}, {_points(p.difference_upper)}]"
        odds = f"{p.odds_ratio_median:.3g} [{p.odds_ratio_lower:.3g}, {p.odds_ratio_upper:.3g}]"
        rows.append((p.prior.label, prior_text(p), odds, difference, percent(p.probability_first_better, 1)))
    return pd.DataFrame(rows, columns=["prior", "prior_odds", "odds_ratio", "difference", "better"])


def prior_text(posterior: EffectPosterior) -> str:
    """Return what a prior says of the odds ratio: its median and its own 95 % range."""
    import numpy as np

    prior = posterior.prior
    middle, low, high = np.exp([prior.mean, prior.mean - 1.96 * prior.sd, prior.mean + 1.96 * prior.sd])
    shown = f"odds ratio {_times(middle)} (95 % from {_times(low)} to {_times(high)})"
    return f"{shown}; {prior.source}" if prior.source else shown


def _ratio(row: Any) -> tuple[str, str]:
    estimate = row["estimate"] if "estimate" in row else row["odds_ratio"]
    return _times(estimate), f"{_times(row['ci_lower'])} to {_times(row['ci_upper'])}"


def _times(value: float) -> str:
    if value > 1e4:
        return "above 10\u202f000"
    return "below 0.0001" if 0 < value < 1e-4 else f"{value:.3g}"


def _value(value: float, measure: str) -> str:
    if measure == "RD":
        return _points(value / 100)
    return "unbounded" if value == float("inf") else _times(value)


def _points(value: float) -> str:
    return f"{100 * value:+.0f}".replace("-", MINUS)


def _optional(p: float | None) -> str:
    return "–" if p is None or p != p else f"{p:.3f}"


def sex_sentences(comparisons: StudyComparisons, threshold: int) -> list[str]:
    """State the comparison of women and men in every study that counts both."""
    if not comparisons.by_study:
        return [f"No included study counts PASI{threshold} responders by sex."]
    sentences = []
    for label, comparison in comparisons.by_study.items():
        sentences += [f"**{markdown_text(label)}, PASI{threshold}.**", *_comparison(comparison, "women", "men")]
    if len(comparisons.by_study) == 1:
        sentences.append("It is one comparison in one trial; nothing seen repeats it.")
    return sentences


def _comparison(comparison: GroupComparison, first: str, second: str) -> list[str]:
    """State a subgroup comparison by rule: what the interval excludes, and what it is compatible with."""
    c = comparison
    rates = (
        f"{c.events1} of {c.n1} {first} ({percent(c.rate1)}) and {c.events2} of {c.n2} {second} "
        f"({percent(c.rate2)}) responded."
    )
    lower, upper = c.risk_difference_ci_lower, c.risk_difference_ci_upper
    points = f"{100 * c.risk_difference:+.0f} percentage points".replace("-", "\u2212")
    interval = f"{percent(c.level)} interval {100 * lower:+.0f} to {100 * upper:+.0f}".replace("-", "\u2212")
    difference = f"The difference is {points} ({interval}; Fisher's exact test p = {c.fisher_p_value:.3f})."
    if lower > 0 or upper < 0:
        winner = first if lower > 0 else second
        verdict = f"These counts exclude equal response at this level, in favour of {winner}."
    else:
        verdict = (
            f"These {c.n1 + c.n2} patients are compatible with no difference at all, with an advantage of "
            f"{100 * upper:.0f} points for {first}, and with one of {abs(100 * lower):.0f} points for {second}. "
            "A sex difference is **not identified**."
        )
    return [rates, difference, verdict]
