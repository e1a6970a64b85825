"""A page for each study with every figure of its file, and the page that lists them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd
from markupsafe import Markup
from pydantic import BaseModel

from pasimeta.evidence.entries import Entry, conflicted_path, in_words, study_entries
from pasimeta.evidence.study import Study
from pasimeta.site.page import Context, Page
from pasimeta.site.records import blocks, blocks_html, source_link
from pasimeta.site.shell import fill

SECTIONS = {
    "outcomes": "Outcomes",
    "arms": "Arms and doses",
    "population": "Who was treated",
    "follow_up": "Who was treated",
    "product": "What was given",
    "safety": "Safety",
    "patients": "Patients",
    "findings": "Other findings",
    "registration": "Registration",
    "exclusion": "A reason against analysing it",
}
FATES = {
    "analysed": "Analysed",
    "reported": "Reported, not analysed",
    "unreported": "Ended, and never reported",
    "ongoing": "Not ended",
    "unknown": "Fate unknown",
}


@dataclass(frozen=True, slots=True)
class Judged:
    """A judged question of risk of bias, with its reason and place."""

    anchor: str
    question: str
    verdict: str
    reason: str
    source: str | None
    locator: str | None


def study_pages(context: Context) -> list[Page]:
    """Return the list of studies and a page for each."""
    studies = context.evidence.studies
    if not studies:
        return []
    decided = _decisions(context)
    pages = [_list_page(studies, decided)]
    return pages + [_study_page(study, decided.get(study.id, {}), context) for study in studies.values()]


def _decisions(context: Context) -> dict[str, dict[str, Any]]:
    """Return by study whether it is analysed, and why not, as the evidence notebook decided."""
    table = context.table("characteristics")
    if table is None:
        return {}
    return {row["study"]: row for row in table.astype(object).where(pd.notna(table), None).to_dict("records")}


def _list_page(studies: dict[str, Study], decided: dict[str, dict[str, Any]]) -> Page:
    groups: dict[str, list[dict[str, Any]]] = {fate: [] for fate in FATES}
    for study in studies.values():
        decision = decided.get(study.id, {})
        fate = "analysed" if decision.get("included") else study.status
        groups[fate].append(
            {
                "study": study,
                "product": in_words(study.product.product_class),
                "size": study.population.enrolled.value,
                "registered": study.registration.enrollment.value if study.registration else None,
                "reason": decision.get("reason"),
            }
        )
    body = fill("studies.html.j2", groups={fate: rows for fate, rows in groups.items() if rows}, fates=FATES)
    return Page(href="studies.html", title="Studies", group="Evidence", body=body)


def _study_page(study: Study, decision: dict[str, Any], context: Context) -> Page:
    evidence = context.evidence
    judged = evidence.risk_of_bias.get(study.id)
    entries = study_entries(study)
    body = fill(
        "study.html.j2",
        study=study,
        decision=decision,
        characteristics=_characteristics(study),
        sections=_sections(entries, context),
        domains=_judgements("robins", judged.robins_i, "risk") if judged else [],
        items=_judgements("jbi", judged.jbi, "answer") if judged else [],
        judged=judged,
        disputed=[_disputed(entries, conflicted_path(study, c.field) or c.field) for c in study.conflicts],
        in_words=in_words,
        sources=evidence.sources,
        source_link=source_link,
    )
    title = f"{study.label}: {study.title}" if study.title else study.label
    return Page(
        href=f"study-{study.id}.html",
        title=title,
        short=study.label,
        group="Evidence",
        parent="studies.html",
        body=body,
    )


def _sections(entries: list[Entry], context: Context) -> list[tuple[str, str, Markup]]:
    """Return anchor, title and content of each section that has entries."""
    found = []
    for title in dict.fromkeys(SECTIONS.values()):
        keys = [key for key, name in SECTIONS.items() if name == title]
        own = [entry for entry in entries if entry.path.split(".")[0] in keys]
        if own:
            found.append((f"section-{keys[0]}", title, blocks_html(blocks(own), context.evidence.sources)))
    return found


def _characteristics(study: Study) -> list[tuple[str, str, Markup | str]]:
    """Return anchor, name and value of what a study's file states without a place in a document."""
    citation = study.citation
    known: list[tuple[str, str, Markup | str | None]] = [
        ("title", "Title", study.title),
        ("citation", "Report", _citation(study) if citation else None),
        ("registry_ids", "Registered as", _registrations(study.registry_ids)),
        ("design", "Design", _with_note(in_words(study.design), study.design_note)),
        ("phase", "Phase", ", ".join(in_words(phase) for phase in study.phase)),
        ("allocation", "Allocation", "" if study.allocation == "na" else in_words(study.allocation)),
        ("status", "Status", _with_note(study.status, study.status_reason)),
        ("country", "Country", study.country),
        ("sponsor", "Sponsor", study.sponsor),
    ]
    return [(anchor, name, value) for anchor, name, value in known if value]


def _citation(study: Study) -> Markup:
    cited = study.citation
    assert cited is not None
    text = Markup("{}. {}").format(cited.authors.rstrip("."), cited.year)
    if cited.journal:
        text += Markup(". {}").format(cited.journal)
    for name, value, address in (
        ("doi", cited.doi, "https://doi.org/"),
        ("PMID", cited.pmid, "https://pubmed.ncbi.nlm.nih.gov/"),
        ("PMC", cited.pmcid, "https://pmc.ncbi.nlm.nih.gov/articles/"),
    ):
        if value:
            text += Markup(' · {} <a href="{}{}">{}</a>').format(name, address, value, value)
    return text


def _registrations(ids: list[str]) -> Markup:
    known = [
        Markup('<a href="https://clinicaltrials.gov/study/{}">{}</a>').format(i, i) if i.startswith("NCT") else i
        for i in ids
    ]
    return Markup(", ").join(known)


def _with_note(value: str, note: str | None) -> str:
    return f"{value.capitalize()}. {note}" if note else value.capitalize()


def _disputed(entries: list[Entry], path: str) -> str:
    """Return in words what a conflict is about."""
    for entry in entries:
        if path in (entry.path, entry.figure):
            return f"{entry.subject}: {entry.quantity}" if entry.quantity and path == entry.path else entry.subject
    return in_words(path.rpartition(".")[2]).capitalize()


def _judgements(prefix: str, judged: BaseModel, verdict: str) -> list[Judged]:
    """Return the questions of a checklist with their answers in the field ``verdict``."""
    rows = []
    for name, field in type(judged).model_fields.items():
        given = getattr(judged, name)
        question = field.description or in_words(name)
        answer = in_words(getattr(given, verdict))
        rows.append(Judged(f"{prefix}-{name}", question, answer, given.reason, given.source, given.locator))
    return rows
