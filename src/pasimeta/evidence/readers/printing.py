"""Extractions as text, piece by piece, so that thousands of records don't pile up."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice
from pathlib import Path

from pasimeta.errors import PasimetaError
from pasimeta.evidence.readers.document import as_json, iter_extractions
from pasimeta.evidence.readers.result import ArmDraft, Claim, Extraction


def extractions(files: Iterable[Path], refuse: Callable[[PasimetaError], None]) -> Iterator[Extraction]:
    """Yield the drafts of all files in order; a file that can't be read is handed to ``refuse`` and passed over."""
    for file in files:
        try:
            yield from iter_extractions(file)
        except PasimetaError as error:
            refuse(error)


def printed_json(found: Iterator[Extraction], *, as_list: bool) -> Iterator[str]:
    """Yield the JSON of a single extraction, or of a list when there are several or a list is asked for."""
    first = list(islice(found, 2))
    if as_list and not first:
        yield "[]\n"
        return
    if len(first) < 2 and not as_list:
        yield from (as_json(one) + "\n" for one in first)
        return
    for position, one in enumerate(chain(first, found)):
        yield ("[\n" if position == 0 else ",\n") + as_json(one)
    yield "\n]\n"


def printed_table(found: Iterator[Extraction]) -> Iterator[str]:
    """Yield each extraction as lines: what was found, and the line of the document it stands on."""
    for position, one in enumerate(found):
        rows = [(name, value, where) for name, value, where in _rows(one) if value]
        width = max((len(name) for name, _, _ in rows), default=0)
        lines = [f"{name:<{width}}  {value}{f'  [line {where}]' if where else ''}" for name, value, where in rows]
        yield ("\n" if position else "") + "\n".join([f"{one.document.name} ({one.document.kind})", *lines]) + "\n"


def _rows(one: Extraction) -> Iterator[tuple[str, str, int | None]]:
    study = one.study
    spans = study.spans or {}
    for name, value in (
        ("registry ids", ", ".join(study.registry_ids)),
        ("title", study.title),
        ("status", study.status),
        ("phase", ", ".join(study.phase or ())),
        ("allocation", study.allocation),
        ("design", study.design),
    ):
        yield name, value or "", spans[name].line if name in spans else None
    if study.enrollment:
        kind = study.enrollment.type or "actual or target isn't said"
        yield (
            "enrollment",
            f"{study.enrollment.count} ({kind})",
            spans["enrollment"].line if "enrollment" in spans else None,
        )
    for arm in study.arms:
        yield "arm", _arm(arm), arm.span.line if arm.span else None
    for outcome in study.outcomes:
        threshold = f" {outcome.threshold}" if outcome.threshold else ""
        weeks = f", weeks {', '.join(f'{week:g}' for week in outcome.weeks)}" if outcome.weeks else ""
        role = f" ({outcome.role})" if outcome.role else ""
        yield "outcome", f"{outcome.measure}{threshold}{weeks}{role}", outcome.span.line if outcome.span else None
    if study.relapse_definition:
        defined = study.relapse_definition
        yield "relapse", " ".join(defined.text.split()), defined.span.line if defined.span else None
    for claim in one.claims:
        yield "claim", _claim(claim), claim.span.line
    for problem in one.problems:
        yield "problem", f"{problem.code}: {problem.message}", problem.span.line if problem.span else None


def cells_text(low: float | None, high: float | None) -> str:
    """Return a number of cells or a range of it as a reader writes it, ``1.5 to 3 million``; None is an open end."""
    ends = [end for end in (low, high) if end is not None]
    unit, word = (1e6, " million") if min(ends) >= 1e5 else (1.0, "")
    limit = "at most " if low is None else "at least " if high is None else ""
    return f"{limit}{' to '.join(f'{end / unit:g}' for end in dict.fromkeys(ends))}{word}"


def _arm(arm: ArmDraft) -> str:
    parts = [arm.label or "(no label)"]
    if arm.dose:
        for name, unit in (("cells_per_kg", "cells/kg"), ("cells_per_cm2", "cells/cm2"), ("total_cells", "cells")):
            if bounds := getattr(arm.dose, name):
                parts.append(f"{cells_text(*bounds)} {unit}")
        if arm.dose.infusions:
            parts.append(f"{arm.dose.infusions} infusions")
        if arm.dose.weeks:
            parts.append(f"weeks {', '.join(f'{week:g}' for week in arm.dose.weeks)}")
    if arm.drug_dose_mg:
        low, high = arm.drug_dose_mg
        parts.append(f"{high:g} mg" if low in (None, high) else f"{low:g} to {high:g} mg")
    return "; ".join(parts)


def _claim(claim: Claim) -> str:
    what = f"{claim.kind} {claim.threshold}" if claim.threshold else claim.kind
    if claim.kind == "n":
        count = f"{claim.n}"
    elif claim.events is None and claim.n is None:
        count = ""
    else:
        count = f"{'?' if claim.events is None else claim.events} of {'?' if claim.n is None else claim.n}"
    printed = "" if claim.percent is None else f"{claim.percent:g} %"
    return ", ".join(part for part in (what, count, printed, claim.subgroup or "") if part)
