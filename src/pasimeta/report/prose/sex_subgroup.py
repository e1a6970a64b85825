"""Sentences and tables of the sex notebook, written from results by rule."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import chdtri

from pasimeta.moderators.one_stage import OneStageResult
from pasimeta.moderators.patient_strata import Reading
from pasimeta.moderators.sex import GroupComparison, StudyComparisons
from pasimeta.moderators.sex_power import ComparisonPower
from pasimeta.moderators.sex_prior import EffectPosterior
from pasimeta.moderators.verdicts import verdict
from pasimeta.report.words import listing, markdown_text, number, percent, ratio_text

MINUS = "\u2212"
MEASURES = {"RD": "Difference, points", "RR": "Ratio", "OR": "Odds ratio"}
_NOTHING = 1e-9  # a log-likelihood that rounding alone moves
_LITTLE = 0.1  # of the log-likelihood that would exclude no difference
_MOVED = 0.05  # a median difference that the prior moves by less hardly depends on it
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


def one_stage_table(readings: Sequence[Reading]) -> pd.DataFrame:
    """Write one-stage fits: ``information``, ``patients``, ``k``, ``odds_ratio``, ``interval``, ``p``, ``verdict``."""
    words = {
        "study": "within studies (an intercept a study)",
        "common": "within and across (one intercept): ecological",
        "random": "within and, in part, across (random intercepts{sd}): ecological in part",
    }
    rows = []
    for reading in readings:
        fit = reading.fit
        said = verdict(fit.ci_lower, fit.ci_upper, identified=fit.intercepts == "study")
        who = "studies and single patients" if reading.with_patients else "studies"
        ratio = _ratio(fit.to_frame().iloc[0])
        sd = "" if fit.intercept_sd is None else f", SD {fit.intercept_sd:.2g}"
        rows.append(
            (words[fit.intercepts].replace("{sd}", sd), who, len(fit.support), *ratio, f"{fit.p_value:.3f}", said)
        )
    names = ["information", "patients", "k", "odds_ratio", "interval", "p", "verdict"]
    return pd.DataFrame(rows, columns=names)


def support_rows(within: OneStageResult) -> pd.DataFrame:
    """Write what each study adds within studies: ``label``, ``threshold``, ``groups``, ``knowledge``, ``evidence``."""
    rows = [
        (row.label, f"PASI{int(row.threshold)}", f"{row.n1} and {row.n2}", row.knowledge, f"{row.evidence:.3f}")
        for row in within.support.itertuples()
    ]
    return pd.DataFrame(rows, columns=["label", "threshold", "groups", "knowledge", "evidence"])


def patient_sentences(readings: Sequence[Reading], across: pd.DataFrame | None, names: tuple[str, str]) -> list[str]:
    """Say what reports of single patients add within studies, and why what they add across them isn't believed."""
    fits = {(reading.with_patients, reading.fit.intercepts): reading.fit for reading in readings}
    if (True, "study") not in fits:
        return []
    alone, together = fits[False, "study"], fits[True, "study"]
    known = set(alone.support["label"])
    added = together.support[~together.support["label"].isin(known)]
    who = listing(markdown_text(label) for label in added["label"])
    people = number(int((added["n1"] + added["n2"]).sum()), "patient")
    moved = float(added["evidence"].abs().max()) if len(added) else 0.0
    before, after = (ratio_text(float(np.exp(fit.estimate))) for fit in (alone, together))
    if moved < _NOTHING:
        said = (
            "they add **exactly nothing** under an intercept a study: patients of one sex, or who all fared alike, are "
            f"compared with nobody, and the odds ratio stays {before}."
        )
    else:
        said = (
            f"under an intercept a study none moves the log-likelihood by more than {moved:.2f}, where "
            f"{_critical(alone.level):.2f} would exclude no difference; the odds ratio goes from {before} to {after}."
        )
    sentences = [f"Reports of single patients ({who}: {people}) can be set beside the studies: {said}"]
    if across is not None:
        odds, filled = _spread(across["odds_ratio"])
        limits = f"{ratio_text(across['ci_lower'].min())} to {ratio_text(across['ci_upper'].max())}"
        sentences.append(
            f"Across {int(across['k'].max())} studies and reports, response against the share of {names[0]} gives an "
            f"odds ratio of {odds} ({filled}intervals within {limits}). A case is written up because it went well, "
            "and these differ in more than sex (**ecological bias**): a sex difference is **not identified** from it."
        )
    return sentences


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
        f"With {p.n1} {first} and {p.n2} {second}, and a true response of {second} of {percent(p.rate2)} as observed, "
        f"{found} (Fisher's exact test, two-sided {p.alpha:g}). Were the true rates those observed, the test would "
        f"have found them in {percent(p.power_observed)} of such trials; were they those of {markdown_text(source)}, "
        f"in {percent(p.power_external)}."
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
            f"{study.evidence:.2f} where {_critical(within.level):.2f} would exclude no difference"
            f"{': next to nothing' if abs(study.evidence) < _LITTLE * _critical(within.level) else ''}."
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
            f"{ratio_text(lowest)} and "
            f"{ratio_text(highest)} from {int(across['k'].max())} studies. That is a comparison of studies, not of "
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
        f"The median difference goes from {_points(widest.difference_median)} points under the widest prior to "
        f"{_points(narrowest.difference_median)} under the narrowest; the probability that {names[0]} respond "
        "better is "
        f"{percent(min(probabilities))} to {percent(max(probabilities))}."
    )
    moved = max(medians) - min(medians)
    if covers:
        many = (
            "Every interval is"
            if len(covers) == len(posteriors)
            else f"{len(covers)} of {len(posteriors)} intervals are"
        )
        said = f"{many} compatible with no difference"
    else:
        said = "Every interval excludes no difference"
    size = f"the prior alone moves the median by {100 * moved:.0f} points, so the size of the difference "
    size += "hardly depends on it." if moved < _MOVED else "is **not identified** by these patients."
    said = f"{said}; {size}"
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
    prior = posterior.prior
    middle, low, high = np.exp([prior.mean, prior.mean - 1.96 * prior.sd, prior.mean + 1.96 * prior.sd])
    shown = f"odds ratio {ratio_text(middle)} (95 % from {ratio_text(low)} to {ratio_text(high)})"
    return f"{shown}; {prior.source}" if prior.source else shown


def _critical(level: float) -> float:
    """Drop of the log-likelihood at which a profile interval of that level ends."""
    return 0.5 * float(chdtri(1, 1 - level))


def _spread(values: pd.Series) -> tuple[str, str]:
    """Lowest and highest of the values, and what they depend on; one value depends on nothing."""
    low, high = ratio_text(float(values.min())), ratio_text(float(values.max()))
    return (low, "") if low == high else (f"{low} to {high}", "by how counts known as a range are filled; ")


def _ratio(row: Any) -> tuple[str, str]:
    estimate = row["estimate"] if "estimate" in row else row["odds_ratio"]
    return ratio_text(estimate), f"{ratio_text(row['ci_lower'])} to {ratio_text(row['ci_upper'])}"


def _value(value: float, measure: str) -> str:
    if measure == "RD":
        return _points(value / 100)
    return "unbounded" if value == float("inf") else ratio_text(value)


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
