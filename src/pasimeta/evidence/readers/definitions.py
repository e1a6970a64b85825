"""Entry thresholds, relapse definitions and improvement formulas, as structure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

from pasimeta.evidence.readers.measures import GAIN, named_thresholds, percents
from pasimeta.evidence.readers.result import Eligibility, RelapseDefinition
from pasimeta.evidence.readers.schedules import time_points
from pasimeta.evidence.readers.sentences import sentences
from pasimeta.evidence.readers.source import Source, Text
from pasimeta.evidence.readers.tokens import Token, tokens, word_set, words_at

_SCALES = {"pasi": "pasi", "bsa": "bsa", "dlqi": "dlqi"}
_LONG_NAMES = (
    (("body", "surface", "area"), "bsa"),
    (("severity", "index"), "pasi"),
    (("life", "quality", "index"), "dlqi"),
    (("quality", "of", "life", "index"), "dlqi"),
)
_LINKS = word_set(
    "score scores total of is must be a an the ) ( value = or equal to involvement index affected , with to"
)
_AT_LEAST = {
    ("at", "least"),
    ("more", "than"),
    ("greater", "than"),
    ("higher", "than"),
    ("not", "less"),
    ("no", "less"),
    ("equal", "to"),
}
_NAMES_SCALE = re.compile(r"pasi|bsa|dlqi|surface|index", re.IGNORECASE)
_REACH = 9
_EXCLUSION = re.compile(r"exclusion\s+criteria|exclusion\s*:", re.IGNORECASE)


def eligibility(lines: Iterable[Text]) -> Eligibility | None:
    """Return the lowest PASI, BSA and DLQI that the inclusion criteria admit; None when they name none."""
    found: dict[str, float] = {}
    for line in lines:
        cut = _EXCLUSION.search(line.chars)
        for sentence in sentences(line[: cut.start()] if cut else line):
            if _NAMES_SCALE.search(sentence.chars) is None:
                continue
            words = tokens(sentence)
            for index, scale in _scale_names(words):
                value = _bound_after(words, index)
                if value is None and scale == "bsa":
                    value = _bound_before(words, index)
                if value is not None and scale not in found:
                    found[scale] = value
        if cut:
            break
    return Eligibility(**found) if found else None


def _scale_names(words: list[Token]) -> list[tuple[int, str]]:
    """Return where scales are named: the position after the name."""
    found = [(index + 1, _SCALES[token.text]) for index, token in enumerate(words) if token.text in _SCALES]
    for name, scale in _LONG_NAMES:
        for index in range(len(words) - len(name) + 1):
            if tuple(token.text for token in words[index : index + len(name)]) == name:
                found.append((index + len(name), scale))
    return sorted(found)


def _bound_after(words: list[Token], index: int) -> float | None:
    bounded = False
    stop = min(len(words), index + _REACH)
    while index < stop:
        text = words[index].text
        if text in ("≥", ">") or (text == "=" and bounded):
            bounded = True
        elif index + 1 < len(words) and (text, words[index + 1].text) in _AT_LEAST:
            bounded, index = True, index + 1
        elif text in ("above", "over", "exceeding", "than", "minimum"):
            bounded = True
        elif words[index].kind == "number":
            rest = [token.text for token in words[index + 1 : index + 5]]
            later = "more" in rest or "greater" in rest or "above" in rest or "higher" in rest
            return words[index].value if bounded or ("or" in rest and later) else None
        elif text not in _LINKS and text not in _SCALES and text not in ("body", "surface", "area", "quality", "life"):
            return None
        index += 1
    return None


def _bound_before(words: list[Token], index: int) -> float | None:
    """Read ``≥10 % BSA`` and ``at least 10 % of the body surface area``."""
    for position in range(index - 1, max(-1, index - _REACH), -1):
        if words[position].kind == "number":
            if not words_at(words, position + 1, "%", "percent"):
                return None
            before = {token.text for token in words[max(0, position - 3) : position]}
            after = {token.text for token in words[position + 2 : index]}
            bounded = before & {"≥", ">", "least", "than", "over", "above"} or after & {"more", "greater", "above"}
            return words[position].value if bounded else None
    return None


def relapse_definition(lines: Iterable[Text], source: Source) -> RelapseDefinition | None:
    """Return the first definition of relapse that says how much must be lost; None when there is none."""
    for line in lines:
        if "relaps" not in line.chars.casefold():
            continue
        for sentence in sentences(line):
            words = tokens(sentence)
            if not any(token.text.startswith("relaps") for token in words):
                continue
            read = _loss(words) or _floor(words)
            if read is not None:
                reference, week, loss, below = read
                span = source.span_of(sentence)
                return RelapseDefinition(reference, week, loss, below, _population(words), span.text, span)
    return None


_Reading = tuple[
    Literal["improvement_at_week", "maximum_improvement", "baseline"], float | None, float | None, float | None
]


def _loss(words: list[Token]) -> _Reading | None:
    """Read ``loss of more than 50 % of the improvement measured at week 7``."""
    for index in percents(words):
        before = {token.text for token in words[max(0, index - 9) : index]}
        after = {token.text for token in words[index + 2 : index + 14]}
        lost = before & {"loss", "lose", "loses", "losing", "lost", "losses"} or after & {"lost", "loss"}
        if not lost or not (after | before) & GAIN:
            continue
        weeks = [points.weeks[0] for points in time_points(words[index:]) if len(points.weeks) == 1]
        loss = (words[index].value or 0) / 100
        if weeks:
            return "improvement_at_week", weeks[0], loss, None
        return "maximum_improvement", None, loss, None
    return None


def _floor(words: list[Token]) -> _Reading | None:
    """Read ``improvement falls below 50 % from baseline``, ``improvement less than 50 %``, ``drops below PASI50``."""
    falls = {"below", "less", "under", "<", "lower"}
    for index in percents(words):
        before = {token.text for token in words[max(0, index - 9) : index]}
        near = {token.text for token in words[max(0, index - 4) : index]}
        gained = {token.text for token in words[max(0, index - 14) : index + 6]} & GAIN
        if near & falls and gained:
            return "baseline", None, None, words[index].value
        rises = before & {"returns", "return", "returned", "rises", "exceeds", "increases", "reaches"}
        if rises and {token.text for token in words[index + 2 : index + 8]} & {"baseline", "pretreatment"}:
            return "baseline", None, None, 100 - (words[index].value or 0)
    for position, value in named_thresholds(words):
        if {token.text for token in words[max(0, position - 5) : position]} & (falls | {"loss", "losing", "lost"}):
            return "baseline", None, None, float(value)
    return None


def _population(words: list[Token]) -> str:
    for position, value in named_thresholds(words):
        before = {token.text for token in words[max(0, position - 10) : position]}
        if before & {
            "achieve",
            "achieved",
            "achieving",
            "reach",
            "reached",
            "reaching",
            "attained",
            "attain",
            "had",
            "with",
        }:
            return f"pasi{value}_responders"
    if any(token.text in ("responders", "responder") for token in words):
        return "responders"
    return "all"


def improvement_formula(lines: Iterable[Text], source: Source) -> str | None:
    """Return the formula of the PASI improvement as printed; None when the document prints none."""
    for line in lines:
        if "=" not in line.chars or "PASI" not in line.chars:
            continue
        for sentence in sentences(line):
            head, equals, tail = sentence.chars.partition("=")
            named = {token.text for token in tokens(head[-200:])} & (GAIN | {"rate"})
            if equals and named and "/" in tail and ("-" in tail or "–" in tail):
                return source.span_of(sentence).text
    return None
