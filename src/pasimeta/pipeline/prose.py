"""Sentences written from results, so that no number in a notebook is typed and no claim outruns its evidence."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from pasimeta.errors import ParameterError
from pasimeta.moderators.dose import DoseEvidence
from pasimeta.moderators.sex import GroupComparison, StudyComparisons
from pasimeta.synthesis.response import ThresholdPool

SPACE = "\u00a0"
FIELD_STANDARD = 75  # the PASI threshold trials of systemic treatments are judged by
NUMBER_WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def percent(proportion: float, digits: int = 0) -> str:
    """Return a proportion as text, ``47 %``."""
    return f"{100 * proportion:.{digits}f}{SPACE}%"


def percent_range(lower: float, upper: float, digits: int = 0) -> str:
    """Return an interval of proportions as text, ``18 to 62 %``; one number if both ends round alike."""
    ends = (f"{100 * lower:.{digits}f}", f"{100 * upper:.{digits}f}")
    return f"{ends[0]}{SPACE}%" if ends[0] == ends[1] else f"{ends[0]} to {ends[1]}{SPACE}%"


def count_range(lower: int, upper: int) -> str:
    """Return an interval of counts as text, ``6 to 8``."""
    return f"{lower}" if lower == upper else f"{lower} to {upper}"


def number(value: int, noun: str, plural: str | None = None) -> str:
    """Return a small number in words with its noun, ``two studies``."""
    word = NUMBER_WORDS[value] if value < len(NUMBER_WORDS) else str(value)
    return f"{word} {noun if value == 1 else plural or noun + 's'}"


def listing(names: Iterable[str]) -> str:
    """Return names joined as in a sentence."""
    items = list(names)
    return "".join(items) if len(items) < 2 else f"{', '.join(items[:-1])} and {items[-1]}"


def markdown_text(text: str) -> str:
    """Return text that Markdown shows as it is, whatever characters it holds."""
    for character in "\\`*_{}[]<>#|":
        text = text.replace(
            character, f"\\{character}" if character not in "<>" else {"<": "&lt;", ">": "&gt;"}[character]
        )
    return text


def pooled_sentence(pool: ThresholdPool, level: float) -> str:
    """State one threshold's response: a pool as a pool, one study as one study, none as none."""
    name = f"**PASI{pool.threshold}**"
    result = pool.result
    if result is None:
        return f"{name}: no included study reports it."
    responders = f"{count_range(result.events_lower, result.events_upper)} of {result.n} patients"
    rate = percent_range(result.estimate_lower, result.estimate_upper)
    interval = f"{percent(level)} interval {percent_range(result.ci_lower, result.ci_upper)}"
    if pool.k == 1:
        study = markdown_text(pool.counts["label"].iloc[0])
        return f"{name}: {responders} ({rate}; {interval}), in {study} alone. One study is not a pool."
    pooled = f"{name}: {responders} in {number(pool.k, 'study', 'studies')}; pooled {rate}, {interval}"
    if result.pi_lower is None or result.pi_upper is None:
        return f"{pooled}."
    new_study = percent_range(result.pi_lower, result.pi_upper)
    return f"{pooled}. A new study's true rate could lie anywhere from {new_study} (prediction interval)."


def unknown_counts_sentence(pool: ThresholdPool) -> str:
    """Say which counts are intervals, and how many ways of filling them were fitted."""
    if pool.result is None or pool.result.is_exact:
        return ""
    counts = pool.counts
    vague = counts[counts["events_lower"] < counts["events_upper"]]
    named = listing(
        f"{markdown_text(row.label)} ({count_range(row.events_lower, row.events_upper)} of {row.n})"
        for row in vague.itertuples()
    )
    return (
        f"Known only as an interval: {named}. All {pool.result.allocations} possible combinations were fitted; "
        "estimates and intervals are given as the range over them."
    )


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


def model_sentence(models: pd.DataFrame) -> str:
    """Say how far the pooled estimate moves with the model alone."""
    if models.empty:
        return ""
    lowest, highest = models.loc[models["estimate_lower"].idxmin()], models.loc[models["estimate_upper"].idxmax()]
    narrowest = (models["ci_upper"] - models["ci_lower"]).idxmin()
    widest = (models["ci_upper"] - models["ci_lower"]).idxmax()
    return (
        f"Over these models, and over every way to fill the interval counts, the pooled rate runs from "
        f"{percent(lowest['estimate_lower'])} ({lowest['model']}) to {percent(highest['estimate_upper'])} "
        f"({highest['model']}); the narrowest interval is {percent_range(*_interval(models, narrowest))} "
        f"({models.loc[narrowest, 'model']}), the widest {percent_range(*_interval(models, widest))} "
        f"({models.loc[widest, 'model']})."
    )


def context_sentences(benchmarks: pd.DataFrame, placebo: str, methotrexate: str) -> list[str]:
    """Set figures pooled by others beside ours, as context and no more.

    Raises
    ------
    ParameterError
        If a benchmark isn't in the data.
    """
    sentences = []
    for key, words in ((placebo, "placebo"), (methotrexate, "methotrexate")):
        if key not in benchmarks.index:
            raise ParameterError(f"summary.{words}_benchmark: {key!r} is not in data/comparators/benchmarks.yaml")
        row = benchmarks.loc[key]
        sentences.append(
            f"{row['quantity']} with {words} in other trials: {row['value']:g}{SPACE}% ({row['lower']:g} to "
            f"{row['upper']:g}{SPACE}%; {markdown_text(row['label'])}, {int(row['n'])} patients)."
        )
    return [*sentences, "These come from other patients, other trials and other years; the comparison is unadjusted."]


def certainty_sentences(characteristics: pd.DataFrame, pooled: pd.DataFrame) -> list[str]:
    """Say why the answer can't be surer than it is."""
    analysed = characteristics[characteristics["included"]]
    most = int(pooled["n"].max())
    alone = [f"PASI{int(t)}" for t in pooled.loc[pooled["k"] == 1, "threshold"]]
    sentences = [
        f"At most {most} patients stand behind any number on this page, in "
        f"{number(len(analysed), 'analysed study', 'analysed studies')}."
    ]
    if alone:
        sentences.append(f"{listing(alone)} {'rests' if len(alone) == 1 else 'rest'} on a single study.")
    if (analysed["design"] != "randomized").all():
        sentences.append("All of it is uncontrolled: psoriasis waxes and wanes, and every effect here includes that.")
    return sentences


def doubts(pool: ThresholdPool) -> str:
    """List what the fits themselves warn of."""
    if pool.result is None or not pool.result.warnings:
        return ""
    return "Doubts raised while fitting:\n\n" + "\n".join(f"- {markdown_text(w)}." for w in pool.result.warnings)


def _millions(arms: pd.DataFrame, stem: str) -> str:
    low, high = arms[f"{stem}_low"].min() / 1e6, arms[f"{stem}_high"].max() / 1e6
    return f"{low:g}" if low == high else f"{low:g} to {high:g}"


def _interval(models: pd.DataFrame, row: int) -> tuple[float, float]:
    return float(models.loc[row, "ci_lower"]), float(models.loc[row, "ci_upper"])


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


def schedule_sentences(doses: pd.DataFrame) -> list[str]:
    """Say where a larger infusion came with a different number of them, so that the two can't be told apart."""
    sentences = []
    for label, arms in doses.groupby("label", sort=False):
        if arms["dose_low"].nunique() < 2:
            continue
        order = arms["dose_low"].corr(arms["infusions_low"], method="kendall")
        infusion, course = (_millions(arms, stem) for stem in ("dose", "cumulative"))
        verdict = (
            "the number of infusions is the same at every dose"
            if order != order
            else "the larger infusions came in "
            f"{'smaller' if order < 0 else 'larger'} number, so that dose and schedule can't be told apart in these "
            "groups, whatever the responder counts"
        )
        sentences.append(
            f"{markdown_text(str(label))} gave {infusion} million cells per kg at an infusion and {course} million "
            f"in all: {verdict}."
        )
    return sentences


def dose_sentences(evidence: DoseEvidence) -> list[str]:
    """State whether a dose-response slope can be learned, and if not, every reason."""
    if evidence.slope_identified:
        return [f"{number(evidence.distinct_doses, 'dose level').capitalize()} have response counts of their own."]
    reasons = [markdown_text(reason) for reason in evidence.reasons]
    return [
        "A dose-response relation is **not identified** by the published counts:",
        "\n".join(f"- {reason[:1].upper()}{reason[1:]}." for reason in reasons),
    ]


def missing_sentences(characteristics: pd.DataFrame, responses: pd.DataFrame) -> list[str]:
    """Say which eligible trials are silent, and what the analysed ones leave out."""
    silent = characteristics[characteristics["stage"] == "reported"]
    sizes = silent["registered"].dropna()
    trials = number(len(silent), "registered trial").capitalize()
    unsized = "" if len(sizes) == len(silent) else f" in the {len(sizes)} that state one"
    sentences = [
        f"{trials} of culture-expanded cells show no results; their planned or actual sizes add up to "
        f"{int(sizes.sum())} patients{unsized}. Nobody outside knows whether they were silent because they failed."
    ]
    counts = responses[responses["included"] & (responses["endpoint"] == "pasi_response")]
    undated = listing(markdown_text(label) for label in counts.loc[counts["week"].isna(), "label"].unique())
    if undated:
        sentences.append(f"When response was judged isn't stated in anything seen of {undated}.")
    controlled = characteristics["included"] & (characteristics["design"] == "randomized")
    if not controlled.any():
        sentences.append("No analysed study compares the cells with placebo or with another treatment.")
    return sentences


def lead_sentences(characteristics: pd.DataFrame, pooled: pd.DataFrame, level: float) -> str:
    """Answer in two sentences of plain language, from the harder half of what is pooled."""
    reported = characteristics[
        (characteristics["status"] == "reported") & (characteristics["product_class"] == "expanded_msc")
    ]
    uncontrolled = (
        ", none of them in a trial with a control group" if (reported["design"] != "randomized").all() else ""
    )
    published = (
        f"{int(reported['enrolled'].sum())} people with psoriasis are known from {len(reported)} published reports to "
        f"have been treated with cultured mesenchymal stromal cells{uncontrolled}."
    )
    counted = pooled[(pooled["k"] > 0) & (pooled["threshold"] <= FIELD_STANDARD)]
    if counted.empty:
        return f"{published} None of the studies analysed counts a PASI response."
    row = counted.loc[counted["threshold"].idxmax()]
    studies = "one trial" if row["k"] == 1 else f"{number(int(row['k']), 'trial')}"
    answer = (
        f"In the {studies} that {'counts' if row['k'] == 1 else 'count'} it, "
        f"{count_range(int(row['events_lower']), int(row['events_upper']))} of {int(row['n'])} patients improved by at "
        f"least {int(row['threshold'])}{SPACE}% (PASI{int(row['threshold'])}); with so few, the true share could be "
        f"anywhere from {percent_range(row['ci_lower'], row['ci_upper'])} ({percent(level)} interval), and nothing "
        "shows how many would have improved without the cells."
    )
    return f"{published} {answer}"
