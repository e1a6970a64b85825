"""Sentences and tables of the safety notebook, written from its results."""

from __future__ import annotations

import pandas as pd

from pasimeta.report.words import count_range, listing, markdown_text, number, percent, percent_range
from pasimeta.synthesis.safety import RareEvents, one_sided_upper

EVENTS = {
    "serious_related": "serious, related",
    "serious_any": "serious, any cause",
    "major": "major",
    "related": "related",
    "any": "any",
}


def rare_event_sentences(pool: RareEvents) -> list[str]:
    """State what was seen, and how much more than that the numbers allow."""
    seen = "No" if pool.events == 0 else str(pool.events)
    studies = number(pool.k, "study", "studies")
    evens = one_sided_upper(pool.events, pool.n, 0.5)
    sentences = [
        f"{seen} serious event judged related to treatment was seen in {pool.n} patients of {studies}. That rules out, "
        f"at {percent(pool.level)} one-sided, a rate above {percent(pool.upper, 1)} (exact; Bayesian with a uniform "
        f"prior {percent(pool.bayes_upper, 1)}). It is no proof of safety: if one patient in {round(1 / pool.upper)} "
        f"were harmed, so few events would still turn up in {percent(1 - pool.level)} of such reviews, if one in "
        f"{round(1 / evens)}, in half of them."
    ]
    if pool.varying_upper is not None and pool.new_study_upper is not None:
        sentences.append(
            f"If rates differ between studies, the bound of the median study is {percent(pool.varying_upper, 1)}, that "
            f"of a new study {percent(pool.new_study_upper, 1)}."
        )
    inferred = pool.studies[pool.studies["basis"] != "counted"] if "basis" in pool.studies else pool.studies.iloc[:0]
    if len(inferred):
        named = listing(f"{markdown_text(row.label)} ({row.basis})" for row in inferred.itertuples())
        sentences.append(f"Not every study counts such events in these words: {named}.")
    return sentences


def adverse_sentences(patients: pd.DataFrame, events: pd.DataFrame) -> list[str]:
    """State adverse events, patients and events apart."""
    sentences = []
    for row in events[events["term"].isna()].itertuples():
        sentences.append(
            f"{markdown_text(row.label)} counts events, not patients: {row.events} adverse events among {row.n} "
            f"patients in {row.week:g} weeks, {row.per_patient:.1f} a patient. How many had one isn't told, so no "
            "share of patients follows from it."
        )
    counted = patients[patients["event"].isin(["any", "serious_any"])]
    sentences += [
        f"{markdown_text(row.label)}: {EVENTS[row.event]} adverse event in "
        f"{count_range(row.events_lower, row.events_upper)} of {row.n} patients "
        f"(exact interval {percent_range(row.ci_lower, row.ci_upper)})."
        for row in counted.itertuples()
    ]
    return sentences or ["No study counts adverse events of any kind."]


def relapse_sentences(relapses: pd.DataFrame) -> list[str]:
    """State relapses, each under its study's own definition."""
    if relapses.empty:
        return ["No study counts relapses."]
    sentences = [
        f"{markdown_text(row.label)}{'' if pd.isna(row.week) else f', week {row.week:g}'}: "
        f"{count_range(row.events_lower, row.events_upper)} of {row.n} relapsed (definition: {row.definition})."
        for row in relapses.itertuples()
    ]
    return [*sentences, "No two of these mean the same, so they aren't pooled."]


def relapse_table(relapses: pd.DataFrame) -> pd.DataFrame:
    """Counts and intervals as text."""
    return relapses.assign(
        count=[f"{count_range(r.events_lower, r.events_upper)}/{r.n}" for r in relapses.itertuples()],
        interval=[percent_range(r.ci_lower, r.ci_upper) for r in relapses.itertuples()],
        when=_weeks(relapses),
    )


def rare_event_table(pool: RareEvents) -> pd.DataFrame:
    """Each study and all together, counts and bounds as text."""
    studies = pool.studies.assign(
        count=[f"{row.events}/{row.n}" for row in pool.studies.itertuples()],
        interval=[percent_range(r.ci_lower, r.ci_upper, 1) for r in pool.studies.itertuples()],
        bound=[percent(upper, 1) for upper in pool.studies["upper"]],
        bayes=[percent(upper, 1) for upper in pool.studies["bayes_upper"]],
    )
    together = [
        {
            "label": "All, one rate for all",
            "count": f"{pool.events}/{pool.n}",
            "interval": percent_range(pool.ci_lower, pool.ci_upper, 1),
            "bound": percent(pool.upper, 1),
            "bayes": percent(pool.bayes_upper, 1),
        }
    ]
    differing = {"Median study, rates that differ": pool.varying_upper, "A new study": pool.new_study_upper}
    together += [{"label": label, "bayes": percent(end, 1)} for label, end in differing.items() if end is not None]
    columns = ["label", "count", "interval", "bound", "bayes", "basis", "entry"]
    return pd.concat([studies.reindex(columns=columns), pd.DataFrame(together)], ignore_index=True)


def adverse_patients_table(patients: pd.DataFrame) -> pd.DataFrame:
    """Counts of patients: kind, number, exact interval."""
    return patients.assign(
        kind=[EVENTS[e] if pd.isna(t) else t for e, t in zip(patients["event"], patients["term"], strict=True)],
        count=[f"{count_range(r.events_lower, r.events_upper)}/{r.n}" for r in patients.itertuples()],
        interval=[percent_range(r.ci_lower, r.ci_upper) for r in patients.itertuples()],
        when=_weeks(patients),
    )


def _weeks(table: pd.DataFrame) -> list[str]:
    return ["not said" if pd.isna(week) else f"{week:g}" for week in table["week"]]


def adverse_table(events: pd.DataFrame) -> pd.DataFrame:
    """Counts of events: kind, number, share of the study's events, events a patient."""
    return events.assign(
        kind=[EVENTS[e] if pd.isna(t) else t for e, t in zip(events["event"], events["term"], strict=True)],
        share=["–" if pd.isna(s) else percent(s) for s in events["share"]],
        rate=[f"{r.per_patient:.2f} ({r.ci_lower:.2f} to {r.ci_upper:.2f})" for r in events.itertuples()],
    )
