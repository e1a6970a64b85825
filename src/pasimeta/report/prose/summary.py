"""The summary page, by rule from tables: what we know, how sure, what is missing, what would change our mind."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from pasimeta.errors import ParameterError
from pasimeta.evidence.entries import entry_href
from pasimeta.report.linked import Origins, linked, origins
from pasimeta.report.words import SPACE, count_range, listing, markdown_text, number, percent, percent_range

FIELD_STANDARD = 75  # the PASI threshold trials of systemic treatments are judged by

BEHIND = {
    "lead": "summary",
    "response": "pooling",
    "certainty": "certainty",
    "missing": "evidence",
    "missing_evidence": "missing_evidence",
    "safety": "safety",
    "sex": "sex_subgroup",
    "dose": "dose_response",
    "robustness": "robustness",
    "context": "effect_sizes",
    "change": "next_trial",
}
# where the numbers of a statement were worked out: the sentence itself in its notebook
ADDRESSES = {
    "lead": ("studies.html", "04_pooling.html#statement-response"),
    "response": ("04_pooling.html#statement-response",),
    "certainty": ("12_certainty.html#statement-grade",),
    "missing": ("01_evidence.html#statement-missing",),
    "missing_evidence": ("11_missing_evidence.html#statement-missing_evidence",),
    "safety": ("06_safety.html#statement-safety",),
    "sex": ("08_sex_subgroup.html#statement-sex",),
    "dose": ("07_dose_response.html#statement-dose",),
    "robustness": ("10_robustness.html#statement-robustness",),
    "change": ("13_next_trial.html#statement-next_trial",),
}
STUDY_COUNTS = ("lead", "response", "sex")  # statements that give counts of single studies
STATEMENTS = ("response", "missing", "missing_evidence", "safety", "sex", "dose", "robustness")
ORDER = (
    "response",
    "certainty",
    "missing",
    "missing_evidence",
    "safety",
    "sex",
    "dose",
    "robustness",
    "context",
    "change",
)


def summary_page(read: Callable[[str], pd.DataFrame], level: float, placebo: str, methotrexate: str) -> pd.DataFrame:
    """Put the page for a reader in a hurry together from what the other notebooks found.

    Parameters
    ----------
    read : callable
        Reads a table of ``results/tables`` by name.
    level : float
        Level of the intervals.
    placebo, methotrexate : str
        Ids of the benchmarks to set beside ours.

    Returns
    -------
    DataFrame
        One row a statement, in reading order: ``key``, ``heading``, ``text`` (Markdown), ``section`` (of the notebook
        behind it), ``linked`` (the text with every number leading to where it comes from); the first, ``lead``, answers
        in two sentences.
    """
    characteristics, pooled, benchmarks = read("characteristics"), read("pooled"), read("benchmarks").set_index("id")
    found = {key: read(f"statements_{key}").iloc[0] for key in STATEMENTS}
    statements = {key: (str(row["heading"]), [str(row["text"])]) for key, row in found.items()}
    statements["lead"] = ("", lead_sentences(characteristics, pooled, level))
    statements["certainty"] = (
        "How sure?",
        [
            *certainty_sentences(characteristics, pooled),
            *sure_sentences(read("grade_findings"), read("grade_judgements")),
        ],
    )
    statements["context"] = ("Against what?", context_sentences(benchmarks, placebo, methotrexate))
    change = change_sentences(*(read(f"next_trial_{name}") for name in ("assurance", "sizes", "precision")))
    statements["change"] = ("What would change our mind?", change)
    others = benchmarks.loc[[placebo, methotrexate]]
    addresses = dict(ADDRESSES) | {"context": tuple(entry_href(entry) for entry in others["entry"])}
    known = _origins(characteristics, read("responses"), others)
    return pd.DataFrame([_statement(key, *statements[key], addresses[key], known) for key in ("lead", *ORDER)])


def _statement(
    key: str, heading: str, sentences: list[str], addresses: tuple[str, ...], known: Origins
) -> dict[str, str]:
    """Return a row of the page; the last address serves the sentences that are left."""
    between = " " if key == "lead" else "\n\n"
    counts = known if key in STUDY_COUNTS else known.names
    places = [*addresses, *[addresses[-1]] * len(sentences)]
    links = [linked(sentence, place, counts) for sentence, place in zip(sentences, places, strict=False)]
    return {
        "key": key,
        "heading": heading,
        "text": between.join(sentences),
        "section": BEHIND[key],
        "linked": between.join(links),
    }


def _origins(characteristics: pd.DataFrame, responses: pd.DataFrame, benchmarks: pd.DataFrame) -> Origins:
    """Return the origins of studies' names and counts, and of figures pooled by others."""
    known = origins(characteristics, responses)
    others = {str(row.label): entry_href(str(row.entry).partition("#")[0]) for row in benchmarks.itertuples()}
    return Origins({**others, **known.labels}, known.counts)


def sure_sentences(findings: pd.DataFrame, judgements: pd.DataFrame) -> list[str]:
    """State the best certainty there is and what lowers it; tables ``grade_findings`` and ``grade_judgements``."""
    order = ["very low", "low", "moderate", "high"]
    best = max(findings["certainty"], key=order.index)
    lowered = judgements[judgements["levels"] > 0]
    worst = lowered.sort_values("levels", ascending=False, kind="stable").drop_duplicates("domain")
    reasons = [f"- {row.domain} ({row.outcome}): {markdown_text(str(row.reason))}." for row in worst.itertuples()]
    return [f"No answer on this page is of more than **{best}** certainty (GRADE):", "\n".join(reasons)]


def change_sentences(assurance: pd.DataFrame, sizes: pd.DataFrame, precision: pd.DataFrame) -> list[str]:
    """State which trial could move the answer; tables ``next_trial_assurance``, ``_sizes``, ``_precision``."""
    first = assurance.iloc[0]
    control = markdown_text(str(first["control"])).lower()
    sentences = [
        f"The one registered comparison with {control} would show the cells to be better with a probability of "
        f"{percent(assurance['assurance'].max())} per dose; however large, such a trial could not promise more than "
        f"{percent(first['ceiling'])} on what is known now."
    ]
    reachable = sizes.astype({"n_per_arm": float})
    reachable = reachable[reachable["n_per_arm"].notna()]
    for row in reachable.sort_values("n_per_arm", kind="stable").drop_duplicates("against").itertuples():
        sentences.append(
            f"Against {markdown_text(str(row.against)).lower()}, a randomized trial of {int(row.n_per_arm)} patients "
            f"an arm would show the cells to be better with {percent(row.target)} assurance."
        )
    out_of_reach = [name for name in dict.fromkeys(sizes["against"]) if name not in set(reachable["against"])]
    if out_of_reach:
        names = listing(markdown_text(str(name)).lower() for name in out_of_reach)
        sentences.append(f"No size searched gives the assurance wanted against {names}.")
    row = precision.iloc[0]
    sentences.append(
        f"{int(row['n'])} more patients given cells would bring the pooled interval to "
        f"{100 * row['width_expected']:.0f} percentage points on average."
    )
    sentences.append("Results of the trials that ended without reporting could move it without treating anyone.")
    return sentences


def lead_sentences(characteristics: pd.DataFrame, pooled: pd.DataFrame, level: float) -> list[str]:
    """Answer in two sentences of plain language, from the harder half of what is pooled."""
    reported = characteristics[
        (characteristics["status"] == "reported") & (characteristics["product_class"] == "expanded_msc")
    ]
    uncontrolled = ", none of them in a trial with a control group" if not reported["controlled"].any() else ""
    published = (
        f"{int(reported['enrolled'].sum())} people with psoriasis are known from {len(reported)} published reports to "
        f"have been treated with cultured mesenchymal stromal cells{uncontrolled}."
    )
    counted = pooled[(pooled["k"] > 0) & (pooled["threshold"] <= FIELD_STANDARD)]
    if counted.empty:
        return [published, "None of the studies analysed counts a PASI response."]
    row = counted.loc[counted["threshold"].idxmax()]
    studies = "one trial" if row["k"] == 1 else f"{number(int(row['k']), 'trial')}"
    answer = (
        f"In the {studies} that {'counts' if row['k'] == 1 else 'count'} it, "
        f"{count_range(int(row['events_lower']), int(row['events_upper']))} of {int(row['n'])} patients improved by at "
        f"least {int(row['threshold'])}{SPACE}% (PASI{int(row['threshold'])}); with so few, the true share could be "
        f"anywhere from {percent_range(row['ci_lower'], row['ci_upper'])} ({percent(level)} interval), and nothing "
        "shows how many would have improved without the cells."
    )
    return [published, answer]


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
    if not analysed["controlled"].any():
        sentences.append("All of it is uncontrolled: psoriasis waxes and wanes, and every effect here includes that.")
    return sentences
