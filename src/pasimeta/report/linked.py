"""Sentences whose numbers lead to where they come from: a study's count to its entry, the rest to its notebook."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from pasimeta.evidence.entries import entry_href
from pasimeta.report.words import SPACE, count_range, markdown_text

_N = r"[+\u2212]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?"
_NUMBER = rf"(?<![\w.,])(?P<number>{_N}(?: to {_N})?(?: of {_N})?(?:{SPACE}%)?)(?![\w%])"
_PARAMETERS = (" interval", " one-sided", " confidence", " (PASI", " power", " assurance")
_THRESHOLD = re.compile(r"PASI(\d+)")


@dataclass(frozen=True, slots=True)
class Origins:
    """Where numbers and names in sentences come from.

    Attributes
    ----------
    labels : mapping
        Address by the label of a study or of a figure pooled by others.
    counts : mapping
        By a count as a sentence gives it, ``6 of 17``: pairs of its PASI threshold, if it has one, and its address.
    """

    labels: Mapping[str, str] = field(default_factory=dict)
    counts: Mapping[str, list[tuple[int | None, str]]] = field(default_factory=dict)

    @property
    def names(self) -> Origins:
        """The same without counts."""
        return Origins(self.labels)

    def of_count(self, count: str, threshold: int | None) -> str | None:
        """Return the address of a count: of that threshold, or of any if only one place gives it."""
        found = self.counts.get(count, [])
        at_threshold = [address for own, address in found if own == threshold]
        if at_threshold:
            return at_threshold[0]
        return found[0][1] if len(found) == 1 else None


def origins(characteristics: pd.DataFrame, responses: pd.DataFrame) -> Origins:
    """Return the origins of the analysed studies' counts and of every study's name.

    Parameters
    ----------
    characteristics, responses : DataFrame
        The tables of the evidence notebook.
    """
    named = characteristics[characteristics["entry"].notna()]
    labels = {str(row.label): entry_href(str(row.entry)) for row in named.itertuples()}
    counts: dict[str, list[tuple[int | None, str]]] = {}
    for row in responses[responses["included"] & responses["entry"].notna()].itertuples():
        count = f"{count_range(int(row.events_lower), int(row.events_upper))} of {int(row.n_analysed)}"
        threshold = None if pd.isna(row.threshold) else int(row.threshold)
        counts.setdefault(count, []).append((threshold, entry_href(str(row.entry))))
    return Origins(labels, counts)


def linked(text: str, address: str | None, known: Origins) -> str:
    """Return Markdown in which numbers and names are links.

    Parameters
    ----------
    text : str
        Markdown without links.
    address : str or None
        Where numbers lead that aren't a study's count; None leaves them as they are.
    known : Origins
        Of the counts and names in the text. A count belongs to the PASI threshold last named before it.

    Notes
    -----
    The level of an interval and the definition of a response are parameters, not findings, and stay as they are.
    """
    labels = {markdown_text(label): href for label, href in known.labels.items()}
    names = "|".join(map(re.escape, sorted(labels, key=len, reverse=True)))
    pattern = re.compile(rf"(?<!\w)(?P<label>{names})(?!\w)|{_NUMBER}" if names else _NUMBER)

    def link(match: re.Match[str]) -> str:
        found = match.groupdict()
        if found.get("label"):
            return f"[{found['label']}]({labels[found['label']]})"
        number, after = found["number"], text[match.end() :]
        if number.endswith("%") and after.startswith(_PARAMETERS):
            return number
        thresholds = _THRESHOLD.findall(text[: match.start()])
        own = known.of_count(number, int(thresholds[-1]) if thresholds else None)
        leads_to = own or address
        return f"[{number}]({leads_to})" if leads_to else number

    return pattern.sub(link, text)
