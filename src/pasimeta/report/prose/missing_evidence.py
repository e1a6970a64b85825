"""Sentences about trials that never reported, written from results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from pasimeta.report.words import SPACE, listing, markdown_text, number, percent, percent_range
from pasimeta.robustness.missing_evidence import TippingResult
from pasimeta.robustness.missing_evidence_selection import SelectionResult
from pasimeta.robustness.missing_evidence_trials import RobMe, UnreportedTrial


def silent_sentences(trials: Sequence[UnreportedTrial], reported: int) -> list[str]:
    """Say who was treated without a result, what of it is certain, and what isn't known at all."""
    ended, open_ = [t for t in trials if t.ended], [t for t in trials if not t.ended]
    if not trials:
        return ["Every eligible trial reported."]
    lower, upper = sum(t.treated_lower for t in ended), sum(t.treated_upper for t in ended)
    each = listing(f"{markdown_text(t.label)}: {t.basis}" for t in ended)
    sentences = [
        f"**{number(len(ended), 'eligible trial').capitalize()}** ended without results: {each}. So {lower} patients "
        f"were certainly treated and never reported, and {upper} at most, against {reported} in the eligible trials "
        "that reported."
    ]
    if open_:
        sentences.append(
            f"Of {number(len(open_), 'further registered trial')} it isn't known whether anyone was treated; their "
            f"sizes add up to {sum(t.treated_upper for t in open_)}."
        )
    return sentences


def tipping_sentences(result: TippingResult, threshold: int, reading: str = "") -> list[str]:
    """Say what the unreported patients would have to show for the pooled rate to fall to each limit."""
    alone = float(result.curve.loc[result.curve["patients"] == 0, "population"].iloc[0])
    patients = sum(result.sizes)
    rows = result.points[result.points["patients"] == patients].set_index(["limit", "quantity"])
    of = f" ({reading})" if reading else ""
    sentences = [
        f"**PASI{threshold}{of}.** {result.events} of {result.n} reported patients responded ({percent(alone)}). "
        f"If {patients} unreported patients are added:"
    ]
    for name, limit in result.limits.items():
        row = rows.loc[(name, "population")]
        target = f"{markdown_text(name)}'s {percent(limit)}"
        if row["reaches"] == "none":
            lowest = float(result.curve.loc[result.curve["patients"] == patients, "population"].min())
            fall = result.nonresponders.set_index("limit").loc[name, "patients"]
            more = "" if not np.isfinite(fall) else f"; it would take {fall:.0f} patients without a single responder"
            sentences.append(
                f"- the pooled rate can't fall to {target}: with no responder at all among them it is still "
                f"{percent(lowest)}{more}."
            )
        elif row["reaches"] == "all":
            sentences.append(f"- the pooled rate stays at or below {target} even if all of them responded.")
        else:
            most, share = int(row["responders"]), percent(float(row["rate"]))
            verb = "falls to" if alone > limit else "stays at or below"
            few = f"at most {most} of them ({share}) responded" if most else "none of them responded"
            sentences.append(f"- it {verb} {target} if {few}.")
        lower = rows.loc[(name, "ci_lower")]
        if alone > limit and lower["reaches"] != "none":
            many = (
                "whatever they showed"
                if lower["reaches"] == "all"
                else f"if at most {int(lower['responders'])} responded"
            )
            sentences.append(f"- the lower end of its {percent(result.level)} interval is at or below {target} {many}.")
    return ["\n".join([sentences[0], "", *sentences[1:]])]


def extreme_sentence(table: pd.DataFrame, threshold: int) -> str:
    """State the worst and the best case of the largest set of silent trials."""
    rows = table[table["patients"] == table["patients"].max()]
    worst, best = rows[rows["case"] == "none responds"].iloc[0], rows[rows["case"] == "all respond"].iloc[0]
    return (
        f"Worst and best case of PASI{threshold} with {int(worst['patients'])} silent patients: "
        f"{int(worst['events'])} of {int(worst['n'])} responders (average rate {percent(worst['population'])}, "
        f"interval of the pooled rate {percent_range(worst['ci_lower'], worst['ci_upper'])}) to "
        f"{int(best['events'])} of {int(best['n'])} ({percent(best['population'])}, "
        f"{percent_range(best['ci_lower'], best['ci_upper'])}). "
        "Between these two lies everything that the documents leave open."
    )


def selection_sentences(results: Mapping[str, SelectionResult], threshold: int) -> list[str]:
    """Say how far selective reporting could bend the rate, and that its strength can't be known."""
    sentences = []
    for label, result in results.items():
        first, last = result.sweep.iloc[0], result.sweep.iloc[-1]
        sentences.append(
            f"{label}: with no selection the PASI{threshold} rate is {percent(first['estimate'])}; at the strongest "
            f"selection swept (a trial in which half respond is {_times(last)} likelier to be reported than one in "
            f"which nobody does) it is {percent(last['estimate'])} "
            f"({percent_range(last['ci_lower'], last['ci_upper'])}), and {percent(last['unreported_rate'])} would be "
            "expected of the silent patients."
        )
    drop = max(float(result.sweep["likelihood_drop"].max()) for result in results.values())
    sentences.append(
        f"How strong selection was is **not identified**: over the whole sweep the log-likelihood differs by "
        f"{drop:.2f}, far less than the 1.92 that would tell two strengths apart at the 95 % level."
        if drop < 1.92
        else f"Over the sweep the log-likelihood differs by {drop:.2f}; it leans on the assumed form and should not be "
        "taken for knowledge of the strength."
    )
    return sentences


def rob_me_sentences(tables: Sequence[RobMe]) -> list[str]:
    """Judge each synthesis, with the ground."""
    return [
        f"Risk of bias due to missing evidence, PASI{each.threshold}: **{each.judgement}**. {each.reason[:1].upper()}"
        f"{each.reason[1:]}."
        for each in tables
    ]


def refusal_sentence(error: Exception) -> str:
    """Quote why a small-study test isn't run."""
    return f"Not run: {markdown_text(str(error))}."


def extreme_table(table: pd.DataFrame) -> pd.DataFrame:
    """Rates as text, counts as 6/42."""
    return table.assign(
        silent=[f"{r.responders}/{r.patients}" if r.patients else "–" for r in table.itertuples()],
        pool=[f"{r.events}/{r.n}" for r in table.itertuples()],
        average=[f"{100 * v:.1f}{SPACE}%" for v in table["population"]],
        median=[f"{100 * v:.1f}{SPACE}%" for v in table["estimate"]],
        interval=[f"{100 * r.ci_lower:.1f} to {100 * r.ci_upper:.1f}" for r in table.itertuples()],
    )


def tipping_table(result: TippingResult) -> pd.DataFrame:
    """Tipping points of the average rate by number of unreported patients, as each trial is added."""
    sums = [int(total) for total in np.cumsum(result.sizes)]
    rows = result.points[result.points["patients"].isin(sums) & (result.points["quantity"] == "population")]
    answers = {"none": "can't be reached", "all": "whatever they showed"}
    return rows.assign(
        limit=[f"{r.limit}, {100 * r.limit_rate:.3g}{SPACE}%" for r in rows.itertuples()],
        needed=[
            answers.get(r.reaches, f"at most {r.responders:.0f} of {r.patients} ({percent(r.rate)})")
            for r in rows.itertuples()
        ],
    )


def _times(row: pd.Series) -> str:
    ratio = row["reported_at_50"] / row["reported_at_0"]
    return f"{ratio:.0f} times" if ratio < 1000 else "over a thousand times"
