"""What a table, figure or sentence rests on: the figures behind it, by study, each a link to its line in the data."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import pandas as pd

from pasimeta.evidence.entries import entry_href, in_words
from pasimeta.report.readable import ENDPOINTS, MILLION, count_text, range_text
from pasimeta.report.words import number

MOST_IN_SIGHT = 12  # figures; beyond that the list is folded away
BELOW = "#rests-on"  # what a pooled row of a figure leads to: in the drawing, the figure's name stands before it
_GROUPS = {"female": "women", "male": "men"}
_EVENTS = {"any": "any event", "serious_any": "serious event"}
_LINE = re.compile(r'<(p|details) class="rests-on">.*?</\1>', re.DOTALL)
_ANCHOR = re.compile(r'<span id="([^"]+)"></span>')


@dataclass(frozen=True, slots=True)
class Support:
    """The figures of one study or trial behind a result.

    Attributes
    ----------
    label : str
    record : str or None
        The study's or trial's id as in the column ``entry``; None if it is only supposed, or if one name stands for
        several records.
    figures : tuple of (str, str)
        Words and entry of each figure, in order; empty if the result rests on the record as a whole.
    """

    label: str
    record: str | None
    figures: tuple[tuple[str, str], ...]


def supports(*tables: pd.DataFrame) -> list[Support]:
    """Return the figures in tables of the evidence, by study or trial in order of first appearance, each once.

    Parameters
    ----------
    *tables : DataFrame
        With ``label`` and ``entry``, or ``label`` and ``study`` where whole records are meant: counts, doses, safety
        counts, arms of other trials, figures pooled by others, records.
    """
    records: dict[str, dict[str, None]] = {}
    figures: dict[str, dict[str, str]] = {}
    for table in tables:
        for row in table.to_dict("records"):
            label = str(row["label"])
            entry = row.get("entry", row.get("study"))
            own, names = figures.setdefault(label, {}), records.setdefault(label, {})
            if not isinstance(entry, str):
                continue
            record, _, anchor = entry.partition("#")
            names[record] = None
            if anchor:
                own.setdefault(entry, _figure_words(row))
    return [
        Support(label, next(iter(names)) if len(names) == 1 else None, tuple((w, e) for e, w in figures[label].items()))
        for label, names in records.items()
    ]


def line_id(owner: str) -> str:
    """Return the id of the line below a figure, by the figure's name, or below a statement."""
    return f"{owner}-{BELOW[1:]}"


def pooled_link(counts: pd.DataFrame) -> str:
    """Return what a pooled row leads to: the line below its figure, or the one entry all of it comes from.

    Parameters
    ----------
    counts : DataFrame
        What was pooled, with ``entry``.
    """
    entries = set(counts["entry"]) if "entry" in counts else set()
    only = entries.pop() if len(entries) == 1 else None
    return entry_href(only) if isinstance(only, str) else BELOW


def rests_on_html(*tables: pd.DataFrame, owner: str = "") -> str:
    """Return the line below a result that leads to the figures behind it; empty if ``tables`` have no rows.

    Parameters
    ----------
    *tables : DataFrame
        As :func:`supports` takes them.
    owner : str
        The figure or statement it belongs to, for its id (:func:`line_id`).
    """
    found = supports(*tables)
    if not found:
        return ""
    anchor = f'<span id="{line_id(owner)}"></span>' if owner else ""
    listed = "; ".join(map(_support_html, found))
    total = sum(len(support.figures) for support in found)
    if max(total, len(found)) <= MOST_IN_SIGHT:
        return f'<p class="rests-on">{anchor}Rests on {listed}.</p>'
    records = {entry.partition("#")[0] for support in found for _, entry in support.figures}
    summary = f"Rests on {f'{total} figures of ' if total else ''}{number(len(records) or len(found), 'record')}"
    return f'<details class="rests-on"><summary>{summary}</summary><p>{anchor}{listed}.</p></details>'


def said_once(page: str) -> str:
    """Return a page's HTML in which lines alike that follow one another are said once, and pointed to by the others.

    The one that stays is the statement's, to which the summary leads, or else the first. It takes over the others' ids,
    so that whatever leads to one of them leads to the figures at once.
    """
    lines = [match[0] for match in _LINE.finditer(page)]
    shown: Iterator[str] = iter([line for _, alike in groupby(lines, _without_id) for line in _one_of(list(alike))])
    return _LINE.sub(lambda match: next(shown), page)


def _one_of(alike: list[str]) -> list[str]:
    ids = [name for line in alike for name in _ANCHOR.findall(line)]
    if len(alike) == 1 or not ids:
        return alike
    kept = next((i for i, line in enumerate(alike) if '<span id="statement-' in line), 0)
    whole, anchors = _without_id(alike[kept]), "".join(f'<span id="{name}"></span>' for name in ids)
    start = "</summary><p>" if whole.startswith("<details") else '<p class="rests-on">'
    pointer = f'<p class="rests-on">Rests on <a href="#{ids[0]}">the same evidence</a>.</p>'
    return [whole.replace(start, start + anchors, 1) if i == kept else pointer for i in range(len(alike))]


def _without_id(line: str) -> str:
    return _ANCHOR.sub("", line)


def _support_html(support: Support) -> str:
    name = _link(support.label, support.record)
    figures = ", ".join(_link(words, entry) for words, entry in support.figures)
    return f"{name} ({figures})" if figures else name


def _link(text: str, entry: str | None) -> str:
    return f'<a href="{html.escape(entry_href(entry))}">{html.escape(text)}</a>' if entry else html.escape(text)


def _figure_words(row: Mapping[str, Any]) -> str:
    given = {name: value for name, value in row.items() if not pd.api.types.is_scalar(value) or not pd.isna(value)}
    parts = [_outcome_words(given), _group_words(given), _value_words(given)]
    return " ".join(part for part in parts if part) or "figure"


def _outcome_words(row: Mapping[str, Any]) -> str:
    whose = str(row.get("arm", row["treatment"] if "quantity" in row else ""))
    if "threshold" in row:
        outcome = f"PASI{int(row['threshold'])}"
    elif row.get("endpoint") in ENDPOINTS:
        outcome = ENDPOINTS[row["endpoint"]]
    elif "event" in row:
        outcome = _EVENTS.get(row["event"], f"{in_words(row['event'])} event")
    else:
        outcome = str(row.get("quantity", ""))
    return ": ".join(part for part in (in_words(whose), outcome) if part)


def _group_words(row: Mapping[str, Any]) -> str:
    level = str(row.get("level", row.get("subgroup_level", "")))
    return _GROUPS.get(level, level.replace("_", " "))


def _value_words(row: Mapping[str, Any]) -> str:
    patients = row.get("n", row.get("n_analysed"))
    for stem in ("events", "count"):
        if f"{stem}_lower" in row:
            return count_text(row[f"{stem}_lower"], row[f"{stem}_upper"], patients)
    if "events" in row:
        return count_text(row["events"], row["events"], patients)
    if "dose_low" in row:
        return f"{range_text(row['dose_low'] / MILLION, row['dose_high'] / MILLION)} million cells/kg"
    if "value" in row:
        return f"{row['value']:g}{' %' if row.get('unit') == 'percent' else ''}"
    return ""
