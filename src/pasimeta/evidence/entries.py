"""Every value of the data files as an entry: its path, words, place in a document, and address on the site."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel

from pasimeta.evidence.context import Benchmark, Comparator
from pasimeta.evidence.facts import Cited, Conflict, Fact, Range, Reading, Record
from pasimeta.evidence.store import cited_figures
from pasimeta.evidence.study import (
    Exclusion,
    Finding,
    Patient,
    PlannedOutcome,
    Product,
    ResponseCount,
    SafetyCount,
    Study,
    Subgroup,
    Summary,
)

CONTEXT = "context"
Standing = Literal["", "preferred", "set aside", "unsettled"]

# fields that say how to read a value or whose it is, and aren't one
_ABOUT = {*Cited.model_fields, "id", "label", "reason", "week_reason"}
_TOLD_BY_SUBJECT = {"endpoint", "threshold", "subgroup", "term", "event", "unit", "measure", "what", "treatment"}
_ABBREVIATIONS = {name: name.upper() for name in ("pasi", "pga", "bsa", "dlqi", "vas", "msc", "svf")}
_IDENTIFIER = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)+")
_QUANTITIES = {
    "events": "patients who reached it",
    "n_enrolled": "patients enrolled",
    "n_analysed": "patients analysed",
    "imputation": "the denominator counts",
    "cells_per_kg": "cells per kg, each infusion",
    "cells_per_cm2": "cells per cm\u00b2 of plaque",
    "total_cells": "cells, each infusion",
    "n": "patients",
    "result": "",
}
_IMPUTATIONS = {
    "none": "as reported",
    "nonresponder": "everyone enrolled",
    "completers": "completers",
    "one_year_completers": "those who completed one year",
}
_SAFETY = {
    "serious_related": "Serious related events",
    "serious_any": "Serious events of any cause",
    "major": "Major events",
    "related": "Related events",
    "any": "Any adverse event",
}
_PLANNED = {
    "pasi_response": "PASI response",
    "pasi_change": "change of PASI",
    "pasi_improvement_rate": "improvement of PASI",
    "pga_0_1": "PGA 0/1",
    "bsa": "BSA",
    "dlqi": "DLQI",
    "pruritus_vas": "itch (VAS)",
    "relapse": "relapse",
    "ae": "adverse events",
    "sae": "serious adverse events",
    "other": "other",
}
_FACTS = {
    "female": "Women",
    "male": "Men",
    "age": "Age, years",
    "baseline_pasi": "PASI before treatment",
    "co_treatment": "Other treatment",
    "follow_up": "Follow-up",
    "status": "Registry status",
    "enrollment": "Registered size",
}
_GROUPED = 10_000  # from here on, digits in groups of three


@dataclass(frozen=True, slots=True)
class Entry:
    """One value with its source, or what is known of why there is none.

    Attributes
    ----------
    record : str
        Id of the study, comparator trial or benchmark.
    path : str
        Where in the record, ``outcomes.3.events``: the keys and positions (from 0) of the YAML file.
    figure : str
        Path of the cited figure it is part of, ``outcomes.3``; a single value is its own figure.
    subject, quantity : str
        Whose figure, ``PASI75, women``, and which of its numbers, ``patients analysed``.
    value : str
        As a reader would write it; empty where it isn't known.
    reason : str or None
        Why it isn't known.
    cited : Cited
        Source, locator, confidence, derivation, further places and note.
    conflicts : tuple of int
        Positions of the study's conflicts that concern it.
    standing : str
        Of a reading in a conflict: ``preferred``, ``set aside``, or ``unsettled`` where none is preferred.
    in_context : bool
        Whether it stands with other treatments' trials rather than in a study of its own.
    """

    record: str
    path: str
    figure: str
    subject: str
    quantity: str
    value: str
    reason: str | None
    cited: Cited
    conflicts: tuple[int, ...] = ()
    standing: Standing = ""
    in_context: bool = False

    @property
    def anchor(self) -> str:
        """The entry's id on its page."""
        return anchor_of(self.path)

    @property
    def id(self) -> str:
        """What the column ``entry`` of tables holds."""
        return context_entry(self.record, self.path) if self.in_context else study_entry(self.record, self.path)


def study_entry(study: str, path: str) -> str:
    """Return the id of a study's entry, ``cheng2022#outcomes-3-events``."""
    return f"{study}#{anchor_of(path)}"


def context_entry(record: str, path: str) -> str:
    """Return the id of an entry of a comparator trial or benchmark, ``context/erasure#arms-0-counts-0-events``."""
    return f"{CONTEXT}/{record}#{anchor_of(path)}"


def entry_href(entry: str) -> str:
    """Return the address on the site of an entry, or of a whole record if ``entry`` is a bare id."""
    record, _, anchor = entry.partition("#")
    if record.startswith(f"{CONTEXT}/"):
        name = record.removeprefix(f"{CONTEXT}/")
        return f"{CONTEXT}.html#{name}-{anchor}" if anchor else f"{CONTEXT}.html#{name}"
    return f"study-{record}.html#{anchor}" if anchor else f"study-{record}.html"


def anchor_of(path: str) -> str:
    """Return a path as the id of an element, ``outcomes-3-events``."""
    return path.replace(".", "-")


def study_entries(study: Study) -> list[Entry]:
    """Return every entry of a study in the order of its file, figures of conflicts and registration included."""
    concerned = [conflicted_path(study, conflict.field) for conflict in study.conflicts]
    entries = []
    for where, cited in cited_figures(study):
        subject = _subject(study, where, cited)
        standing = _standing(study.conflicts, where)
        for path, quantity, value, reason in _values(where, cited):
            about = tuple(i for i, prefix in enumerate(concerned) if prefix and _within(path, prefix))
            entries.append(Entry(study.id, path, where, subject, quantity, value, reason, cited, about, standing))
    return entries


def comparator_entries(trial: Comparator) -> list[Entry]:
    """Return every entry of a comparator trial in the order of its file."""
    entries = []
    for where, cited in cited_figures(trial):
        parts = where.split(".")
        arm = trial.arms[int(parts[1])].label if parts[0] == "arms" else "Conflict"
        endpoint = f"PASI{threshold}" if (threshold := getattr(cited, "threshold", None)) else "PGA 0/1"
        subject = f"{arm}, {endpoint}" if parts[0] == "arms" else field_in_words(trial.conflicts[int(parts[1])].field)
        standing = _standing(trial.conflicts, where)
        entries += [
            Entry(trial.id, path, where, subject, quantity, value, reason, cited, (), standing, in_context=True)
            for path, quantity, value, reason in _values(where, cited)
        ]
    return entries


def benchmark_entries(benchmark: Benchmark) -> list[Entry]:
    """Return the entries of a figure pooled by others."""
    subject = f"{benchmark.label}: {benchmark.quantity}, {in_words(benchmark.treatment)}"
    return [
        Entry(benchmark.id, path, "", subject, quantity, value, reason, benchmark, in_context=True)
        for path, quantity, value, reason in _values("", benchmark)
    ]


def conflicted_path(study: Study, field: str) -> str | None:
    """Return the path of what a conflict is about; None if the study has no such field.

    A conflict names a field by its path, with ids in place of positions (``arms.single.dose.weeks``), or an outcome by
    its label (``outcomes PASI40 percent``).
    """
    if field.startswith("outcomes "):
        named = field.removeprefix("outcomes ")
        labels = [o.label if o.subgroup is None else "" for o in study.outcomes]
        found = next((i for i, label in enumerate(labels) if label and named.startswith(label)), None)
        if found is None:
            return None
        return f"outcomes.{found}.printed_percent" if named.endswith("percent") else f"outcomes.{found}"
    node: Any = study
    keys = []
    for key in field.split("."):
        if isinstance(node, list):
            position = next((i for i, item in enumerate(node) if getattr(item, "id", None) == key), None)
            if position is None:
                return None
            keys.append(str(position))
            node = node[position]
        elif isinstance(node, BaseModel) and key in type(node).model_fields:
            keys.append(key)
            node = getattr(node, key)
        else:
            return None
    return ".".join(keys)


def in_words(name: str) -> str:
    """Return an identifier of the data files as words, ``expanded_msc`` as ``expanded MSC``."""
    return " ".join(_ABBREVIATIONS.get(part, part) for part in name.replace("-", " ").split("_"))


def field_in_words(path: str) -> str:
    """Return the path of a field as words, ``arms.single.dose.weeks`` as ``Arms, single, dose, weeks``."""
    words = in_words(path.replace(".", ", "))
    return words[:1].upper() + words[1:]


def _within(path: str, prefix: str) -> bool:
    return path == prefix or path.startswith(f"{prefix}.")


def _standing(conflicts: Iterable[Conflict], where: str) -> Standing:
    parts = where.split(".")
    if parts[0] != "conflicts":
        return ""
    preferred = list(conflicts)[int(parts[1])].preferred
    if preferred is None:
        return "unsettled"
    return "preferred" if preferred == int(parts[3]) else "set aside"


def _values(where: str, cited: Cited) -> Iterator[tuple[str, str, str, str | None]]:
    """Yield path, quantity, value and reason of each value of a cited record."""
    if isinstance(cited, (Fact, Reading)):
        yield where, "", _text(cited.value), getattr(cited, "reason", None)
        return
    if isinstance(cited, Exclusion):
        yield where, "", cited.reason, None
        return
    fields = [name for name in type(cited).model_fields if name not in _ABOUT | _TOLD_BY_SUBJECT]
    values = {name: value for name in fields if not _is_nested(value := getattr(cited, name))}
    week_reason, reason = getattr(cited, "week_reason", None), getattr(cited, "reason", None)
    shown = [name for name, value in values.items() if value is not None or (name == "week" and week_reason)]
    for name in shown:
        quantity = getattr(cited, "unit", "") if name == "count" else _QUANTITIES.get(name, in_words(name))
        path = f"{where}.{name}" if where else name
        yield path, quantity, _text(values[name]), week_reason if values[name] is None else None
    if shown and reason:
        yield f"{where}.reason", "the rest", "", reason
    elif not shown:
        yield where, "", "" if reason else "announced", reason


def _is_nested(value: Any) -> bool:
    return isinstance(value, Cited) or (isinstance(value, list) and any(isinstance(item, Record) for item in value))


def _text(value: Any) -> str:
    match value:
        case None:
            return ""
        case float() | int():
            return f"{value:,.0f}" if abs(value) >= _GROUPED else f"{value:g}"
        case list():
            return ", ".join(map(_text, value))
        case Range():
            return _text(value.low) if value.low == value.high else f"{_text(value.low)}\u2013{_text(value.high)}"
        case Summary():
            return _summary_text(value)
        case str() if value in _IMPUTATIONS:
            return _IMPUTATIONS[value]
        case str() if value in _ABBREVIATIONS or _IDENTIFIER.fullmatch(value):
            return in_words(value)
    return str(value)


def _summary_text(summary: Summary) -> str:
    parts = [f"{name} {value:g}" for name in ("mean", "sd") if (value := getattr(summary, name)) is not None]
    if summary.low is not None or summary.high is not None:
        parts.append(f"from {_text(summary.low) or '?'} to {_text(summary.high) or '?'}")
    return ", ".join(parts)


def _subject(study: Study, where: str, cited: Cited) -> str:
    parts = where.split(".")
    match cited:
        case ResponseCount():
            return _of_group(cited.label, cited.subgroup)
        case SafetyCount():
            return f"{_SAFETY[cited.event]}: {cited.term}" if cited.term else _SAFETY[cited.event]
        case Patient():
            return f"Patient {in_words(cited.id).removeprefix('patient ')}"
        case Finding():
            return cited.what
        case PlannedOutcome():
            return f"Planned: PASI{cited.threshold}" if cited.threshold else f"Planned: {_PLANNED[cited.measure]}"
        case Product():
            return "Product"
        case Exclusion():
            return "Why it isn't analysed"
        case Reading():
            return field_in_words(study.conflicts[int(parts[1])].field)
    if parts[0] == "arms":
        arm = study.arms[int(parts[1])]
        return f"{arm.label}: {'patients' if parts[2] == 'n' else 'dose'}"
    return _FACTS.get(parts[-1], in_words(parts[-1]).capitalize())


def _of_group(label: str, subgroup: Subgroup | None) -> str:
    if subgroup is None:
        return label
    names = {"female": "women", "male": "men"}
    return f"{label}, {names.get(subgroup.level, in_words(subgroup.level))}"
