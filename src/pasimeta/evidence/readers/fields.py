"""The values of short fields: status, phase, allocation, design, enrolment."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

from pasimeta.evidence.readers.result import Enrollment
from pasimeta.evidence.readers.source import Text
from pasimeta.evidence.readers.tokens import Token, tokens, words_at

_STATUS = (
    ("not yet recruiting", "not_yet_recruiting"),
    ("not recruiting yet", "not_yet_recruiting"),
    ("not started", "not_yet_recruiting"),
    ("pending", "not_yet_recruiting"),
    ("planned", "not_yet_recruiting"),
    ("active not recruiting", "active"),
    ("no longer recruiting", "active"),
    ("recruitment complete", "active"),
    ("closed follow up continuing", "active"),
    ("closed to recruitment", "active"),
    ("enrolling by invitation", "recruiting"),
    ("terminated", "terminated"),
    ("stopped early", "terminated"),
    ("prematurely ended", "terminated"),
    ("withdrawn", "withdrawn"),
    ("withheld", "unknown"),
    ("suspended", "suspended"),
    ("temporarily halted", "suspended"),
    ("completed", "completed"),
    ("complete", "completed"),
    ("finished", "completed"),
    ("ended", "completed"),
    ("closed", "completed"),
    ("unknown", "unknown"),
    ("not recruiting", "active"),
    ("recruiting", "recruiting"),
    ("open", "recruiting"),
    ("ongoing", "active"),
    ("active", "active"),
)
_ROMAN = {
    **{"i": "1", "ia": "1", "ib": "1", "ii": "2", "iia": "2", "iib": "2"},
    **{"iii": "3", "iiia": "3", "iiib": "3", "iv": "4", "one": "1", "two": "2", "three": "3", "four": "4"},
}
_ARABIC = {"0": "early_1", "1": "1", "2": "2", "3": "3", "4": "4"}
_JOINTS = ("/", "-", "–", "and", "&", "|", ",", "to", "or", "+")
_COUNT = re.compile(r"(?<![\d.,])(\d{1,3}(?:,\d{3})+|\d{1,6})(?![\d]|[.,]\d|-\d)")


def status_value(text: str) -> str | None:
    """Return the registry status that a field names."""
    words = re.sub(r"[\W_]+", " ", text[:120].casefold()).strip()
    for phrase, status in _STATUS:
        if words.startswith(phrase) or re.search(rf"\b{phrase}\b", words[:60]):
            return status
    return None


def phases(text: Text | str) -> list[tuple[tuple[str, ...], int, int]]:
    """Return every mention of a trial phase as (phases, start, end)."""
    words = tokens(text)
    found: list[tuple[tuple[str, ...], int, int]] = []
    index = 0
    while index < len(words):
        if words[index].text not in ("phase", "phases"):
            index += 1
            continue
        first = index - 1 - words_at(words, index - 1, "_")
        early = words_at(words, first, "early")
        values, after = _phase_list(words, index + 1 + words_at(words, index + 1, ":", "_"))
        if values:
            if early and values[0] == "1":
                values[0] = "early_1"
            found.append((in_order(values), words[first if early else index].start, words[after - 1].end))
        index = max(after, index + 1)
    return found


def _phase_list(words: list[Token], index: int) -> tuple[list[str], int]:
    values: list[str] = []
    after = index
    while after < len(words):
        value = _phase(words[after])
        if value is None:
            break
        values.append(value)
        after += 1
        if words_at(words, after, "a", "b") and words[after].start == words[after - 1].end:
            after += 1
        step = after
        while step < after + 3 and words_at(words, step, *_JOINTS, "phase", "'", '"'):
            step += 1
        if step == after or step >= len(words) or _phase(words[step]) is None:
            break
        after = step
    return values, after


def _phase(word: Token) -> str | None:
    return _ARABIC.get(word.text) if word.kind == "number" else _ROMAN.get(word.text)


def in_order(values: Iterable[str]) -> tuple[str, ...]:
    """Return phases ascending, each once."""
    return tuple(sorted(set(values), key=["early_1", "1", "2", "3", "4"].index))


def phase_field(text: Text | str) -> tuple[str, ...]:
    """Return the phases of a field labelled as such, where the word may be missing."""
    # a label may have taken the first "Phase" of "Phase 1/Phase 2"
    words = tokens(text)
    early = words_at(words, 0, "early")
    leading, _ = _phase_list(words, 1 if early else 0)
    if early and leading and leading[0] == "1":
        leading[0] = "early_1"
    return in_order([*leading, *(value for values, _, _ in phases(text) for value in values)])


def allocation_value(text: str) -> str | None:
    """Return the allocation that a field or a phrase names."""
    words = re.sub(r"[\W_]+", " ", text.casefold()).strip()
    if re.search(r"\b(non|not|without|un) ?randomi[sz]", words):
        return "non_randomized"
    if re.search(r"\brandomi[sz]|\brandomly\b|\brandom\b", words):
        return "randomized"
    if words in ("na", "n a", "not applicable", "none") or re.search(r"\bsingle (arm|group)\b|\bone arm\b", words):
        return "na"
    return None


def model_value(text: str) -> str | None:
    """Return the intervention model that a field or phrase names."""
    words = re.sub(r"[\W_]+", " ", text.casefold())
    for pattern, model in (
        (r"\bcross ?over\b", "crossover"),
        (r"\bsingle (arm|group)\b|\bone arm\b", "single_group"),
        (r"\bparallel\b", "parallel"),
        (r"\bsequential\b", "sequential"),
        (r"\bfactorial\b", "factorial"),
    ):
        if re.search(pattern, words):
            return model
    return None


def enrollment_value(text: str, kind: Literal["actual", "target"] | None) -> Enrollment | None:
    """Return the number of patients of a field; a word beside it decides between actual and target."""
    match = _COUNT.search(text[:200])
    if match is None:
        return None
    words = text[:200].casefold()
    if "actual" in words:
        kind = "actual"
    elif any(word in words for word in ("anticipated", "estimated", "target", "planned")):
        kind = "target"
    return Enrollment(int(match[1].replace(",", "")), kind)


def has_short_value(name: str, text: str) -> bool:
    """Whether a text reads as the value of a short field and nothing more."""
    words = text.split()
    if not words or len(words) > 6:
        return False
    if name == "status":
        return status_value(text) is not None and len(words) <= 4
    if name == "phase":
        return (bool(phase_field(text)) and text.strip()[0] in "0123456789IiPpEe/(") or text.strip().upper() in (
            "N/A",
            "NA",
        )
    if name == "allocation":
        return allocation_value(text) is not None and len(words) <= 3
    if name == "design":
        return model_value(text) is not None and len(words) <= 3
    if name == "registry_id":
        return len(words) == 1 and sum(char.isdigit() for char in words[0]) >= 6
    return (
        enrollment_value(text, None) is not None
        and len(words) <= 4
        and (
            words[0].lstrip("([")[:1].isdigit()
            or words[0].casefold() in ("actual", "estimated", "anticipated", "target")
        )
    )


_BADGE_COUNT = re.compile(r"\d{1,5} (?:participants?|patients?|subjects?|people|volunteers)", re.IGNORECASE)


def badge_field(text: str) -> str | None:
    """Return the field of a short piece that is nothing but a status, a phase or a number of participants."""
    piece = text.strip()
    if _BADGE_COUNT.fullmatch(piece):
        return "enrollment"
    if len(piece.split()) <= 4 and re.match(r"(?:early )?phase\b", piece, re.IGNORECASE) and phases(piece):
        return "phase"
    words = re.sub(r"[\W_]+", " ", piece.casefold()).strip()
    return "status" if any(words == phrase for phrase, _ in _STATUS) else None
