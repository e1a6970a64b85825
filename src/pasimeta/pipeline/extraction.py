"""What the extraction notebook shows: figures beside the words they stand in, and what the readers find."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from pasimeta.evidence.audit.documents import Stored, stored_documents
from pasimeta.evidence.audit.locators import NO_COPY, NO_LINE, NOT_AT_HAND, OWN_WORDS, places_of, verdict
from pasimeta.evidence.entries import study_entry
from pasimeta.evidence.facts import Cited, Fact
from pasimeta.evidence.readers import Extraction, Span, extract_file
from pasimeta.evidence.readers.printing import cells_text
from pasimeta.evidence.store import Evidence, cited_figures
from pasimeta.evidence.study import Dose, PlannedOutcome, ResponseCount, SafetyCount

MOST_WORDS = 12
LINES = ["study", "label", "field", "figure", "source", "locator", "status", "words", "entry"]
FOUND = ["document", "what", "value", "line", "words"]
PROBLEMS = ["document", "code", "message", "line"]
WHY_NOT = {NOT_AT_HAND: "document not at hand", OWN_WORDS: "told in our words", NO_COPY: NO_COPY, NO_LINE: NO_LINE}
AT_A_GLANCE = {"proven": "stands there", "failed": "not found there", "not_checkable": "–"}


def document_lines(evidence: Evidence, documents: str | Path | None = None) -> pd.DataFrame:
    """Return each study's figures with their places, and the words around them where a stored document has them.

    Parameters
    ----------
    evidence : Evidence
    documents : path, optional
        Folder of the stored documents. Without it the table says where each figure stands, and that the document isn't
        at hand.

    Returns
    -------
    DataFrame
        One row a figure and place: the columns of ``LINES``. ``words`` is at most a dozen words around the figure.
    """
    stored = stored_documents(Path(documents), evidence.sources) if documents else {}
    rows = [
        row
        for study in evidence.studies.values()
        for field, figure in cited_figures(study)
        for row in _line_rows(study.id, study.label, field, figure, evidence, stored)
    ]
    return pd.DataFrame(rows, columns=LINES)


def in_stored(lines: pd.DataFrame) -> pd.DataFrame:
    """Return the places in documents of which a stored copy is kept."""
    return lines[lines["status"] != NO_COPY]


def located(lines: pd.DataFrame) -> pd.DataFrame:
    """Count each study's places by status: ``label``, ``places``, then one column a status."""
    counts = pd.crosstab(lines["label"], lines["status"]).reset_index().rename_axis(columns=None)
    counts.insert(1, "places", counts.drop(columns="label").sum(axis=1))
    return counts


def example_extractions(folder: Path) -> list[Extraction]:
    """Read the example pages of a folder, in order of name.

    Raises
    ------
    EvidenceError
        If one can't be read.
    """
    return [extract_file(path) for path in sorted(folder.iterdir()) if path.is_file()]


def found(extractions: Iterable[Extraction]) -> pd.DataFrame:
    """Return what readers found, one row a figure: the columns of ``FOUND``."""
    rows = [
        [extraction.document.name, what, value, span.line if span else None, _few(span.text) if span else None]
        for extraction in extractions
        for what, value, span in _found_in(extraction)
    ]
    return pd.DataFrame(rows, columns=FOUND).astype({"line": "Int64"})


def problems(extractions: Iterable[Extraction]) -> pd.DataFrame:
    """Return what readers doubt, one row a problem: the columns of ``PROBLEMS``."""
    rows = [
        [extraction.document.name, p.code.replace("_", " "), p.message, p.span.line if p.span else None]
        for extraction in extractions
        for p in extraction.problems
    ]
    return pd.DataFrame(rows, columns=PROBLEMS).astype({"line": "Int64"})


def words_around(line: str, start: int, end: int, most: int = MOST_WORDS) -> str:
    """Return a figure with a few of the words around it, never a sentence.

    Parameters
    ----------
    line : str
        The document's line.
    start, end : int
        Columns of the figure.
    most : int
        Words in all, those of the figure included.
    """
    figure = line[start:end]
    left = max(0, most - len(figure.split())) // 2
    before, after = line[:start].split(), line[end:].split()
    # a figure that is glued to the words around it stays glued
    glue = (
        "" if start == 0 or line[start - 1].isspace() else "\u2060",
        "" if line[end : end + 1].isspace() else "\u2060",
    )
    words = f"{' '.join(before[-left:] if left else [])} {glue[0]}{figure}{glue[1]} {' '.join(after[:left])}"
    text = words.replace(" \u2060", "").replace("\u2060 ", "").replace("\u2060", "").strip()
    return f"{'… ' if len(before) > left else ''}{text}{' …' if len(after) > left else ''}"


def _line_rows(
    study: str, label: str, field: str, figure: Cited, evidence: Evidence, stored: dict[str, Stored]
) -> Iterator[dict[str, Any]]:
    for place in places_of(field, figure):
        found_there = verdict(figure, place, evidence.sources, stored)
        status = AT_A_GLANCE[found_there.status]
        status = WHY_NOT.get(found_there.reason or "", status)
        yield {
            "study": study,
            "label": label,
            "field": field,
            "figure": figure_text(figure),
            "entry": study_entry(study, field),
            "source": place.source,
            "locator": place.locator,
            "status": status,
            "words": _shown(found_there.spans, stored.get(place.source)),
        }


def figure_text(figure: Cited) -> str:
    """Return a figure as a reader would write it."""
    if isinstance(figure, ResponseCount):
        group = f" {figure.subgroup.level}" if figure.subgroup else ""
        return f"{figure.label}{group}: {figure.events} of {figure.n_analysed}"
    if isinstance(figure, SafetyCount):
        of = f" of {figure.n}" if figure.unit == "patients" else ""
        return f"{figure.term or figure.event.replace('_', ' ')} events: {figure.count}{of}"
    if isinstance(figure, Dose):
        return _dose_text(figure)
    if isinstance(figure, PlannedOutcome):
        threshold = f" {figure.threshold}" if figure.threshold else ""
        weeks = f", weeks {_listed(figure.weeks)}" if figure.weeks else ""
        return f"{figure.measure.replace('_', ' ')}{threshold}{weeks}"
    if isinstance(figure, Fact):
        return str(figure.value)
    value = next((v for name in ("value", "result", "description", "reason") if (v := getattr(figure, name, None))), "")
    return str(value)


def _dose_text(dose: Dose) -> str:
    units = (("cells_per_kg", "cells/kg"), ("cells_per_cm2", "cells/cm2"), ("total_cells", "cells"))
    amounts = [(getattr(dose, name), unit) for name, unit in units]
    parts = [f"{cells_text(amount.low, amount.high)} {unit}" for amount, unit in amounts if amount is not None]
    if dose.infusions is not None:
        parts.append(f"{dose.infusions} infusions")
    if dose.weeks is not None:
        parts.append(f"weeks {_listed(dose.weeks)}")
    return ", ".join(parts)


def _shown(spans: Sequence[Span], document: Stored | None) -> str | None:
    """Return the first part of a figure with its words, and of the others the bare figure."""
    if not spans or document is None:
        return None
    first = spans[0]
    lines = document.source.text.split("\n")
    rest = [span.text for span in spans[1:] if len(span.text.split()) == 1]
    bare = list(dict.fromkeys(rest))[: MOST_WORDS // 3]
    text = words_around(lines[first.line - 1].rstrip("\r"), first.start, first.end, MOST_WORDS - len(bare))
    return " | ".join([text, *bare])


def _found_in(extraction: Extraction) -> Iterator[tuple[str, str, Span | None]]:
    study = extraction.study
    spans = study.spans or {}
    for name in ("registry_ids", "status", "phase", "allocation", "design"):
        value = getattr(study, name)
        if value:
            text = ", ".join(value) if isinstance(value, tuple) else str(value)
            yield name.replace("_", " "), text.replace("_", " "), spans.get(name)
    if study.enrollment is not None:
        kind = f" ({study.enrollment.type})" if study.enrollment.type else ""
        yield "enrolment", f"{study.enrollment.count}{kind}", spans.get("enrollment")
    for arm in study.arms:
        if arm.dose is not None:
            yield f"dose, {arm.label}", _draft_dose(arm.dose), arm.span
    for outcome in study.outcomes:
        weeks = f", weeks {_listed(outcome.weeks)}" if outcome.weeks else ""
        threshold = f" {outcome.threshold}" if outcome.threshold else ""
        role = f"{outcome.role} outcome" if outcome.role else "outcome"
        yield role, f"{outcome.measure.replace('_', ' ')}{threshold}{weeks}", outcome.span
    if study.relapse_definition is not None:
        yield "relapse", _relapse_text(study.relapse_definition), study.relapse_definition.span
    for claim in extraction.claims:
        yield f"claim, {claim.kind}", _claim_text(claim), claim.span


def _draft_dose(dose: Any) -> str:
    units = (("cells_per_kg", "cells/kg"), ("cells_per_cm2", "cells/cm2"), ("total_cells", "cells"))
    parts = []
    for name, unit in units:
        bounds = getattr(dose, name)
        if bounds is not None:
            parts.append(f"{cells_text(*bounds)} {unit}")
    if dose.infusions is not None:
        parts.append(f"{dose.infusions} infusions")
    if dose.weeks:
        parts.append(f"weeks {_listed(dose.weeks)}")
    return ", ".join(parts)


def _relapse_text(relapse: Any) -> str:
    if relapse.loss_fraction is not None:
        week = f" at week {relapse.reference_week:g}" if relapse.reference_week is not None else ""
        return f"loses more than {100 * relapse.loss_fraction:g} % of the improvement{week}"
    if relapse.improvement_below is not None:
        return f"improvement falls below {relapse.improvement_below:g} %"
    return "defined"


def _claim_text(claim: Any) -> str:
    threshold = f"PASI{claim.threshold} " if claim.threshold else ""
    group = f"{claim.subgroup} " if claim.subgroup else ""
    if claim.kind == "n":
        return f"{group}{claim.n} patients"
    if claim.kind == "correlation":
        return "none found"
    count = "–" if claim.events is None else f"{claim.events}" + (f" of {claim.n}" if claim.n else "")
    percent = f", printed {claim.percent:g} %" if claim.percent is not None else ""
    return f"{threshold}{group}{count}{percent}"


def _few(text: str) -> str:
    words = text.split()
    return " ".join(words[:MOST_WORDS]) + (" …" if len(words) > MOST_WORDS else "")


def _listed(values: Iterable[float]) -> str:
    return ", ".join(f"{value:g}" for value in values)
