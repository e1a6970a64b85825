"""Harm reported, harm reported absent, and correlations reported absent."""

from __future__ import annotations

from collections.abc import Iterator

from pasimeta.evidence.readers.quantities import amounts
from pasimeta.evidence.readers.regimens import group_name
from pasimeta.evidence.readers.result import Claim
from pasimeta.evidence.readers.source import Source, Text
from pasimeta.evidence.readers.tokens import Token, number_word, word_set, words_at

_SERIOUS = word_set("serious severe sae saes")
_EVENTS = word_set("events event effects effect reactions reaction")
_SHORT = word_set("ae aes teae teaes sae saes toxicities toxicity")
_SEEN = word_set(
    "occurred occur observed reported recorded found noted seen experienced developed emerged detected were was"
)
_LINKED = (
    "correlation",
    "correlations",
    "association",
    "associations",
    "relationship",
    "correlated",
    "associated",
    "correlate",
    "dose-response",
)
_REACH = 9


def harm(texts: list[str]) -> str | None:
    """Return ``sae`` or ``ae`` when words name adverse events, else None."""
    known = set(texts)
    adverse = bool(known & {"adverse", "side", "untoward"} and known & _EVENTS) or bool(known & _SHORT)
    if not adverse:
        return None
    return "sae" if known & _SERIOUS else "ae"


def absence_claims(sentence: Text, words: list[Token], source: Source, total: int | None) -> Iterator[Claim]:
    """Yield claims that nothing serious happened, that so many events happened, or that nothing correlates."""
    for index, word in enumerate(words):
        if word.text in ("no", "without", "zero", "any", "none", "nor", "not"):
            yield from _absent(sentence, words, index, source, total)
        elif (value := number_word(word)) is not None and value == int(value) and 0 < value < 10_000:
            yield from _counted(sentence, words, index, int(value), source)


def _absent(sentence: Text, words: list[Token], index: int, source: Source, total: int | None) -> Iterator[Claim]:
    if words[index].text == "any" and not _denied(words, index):
        return
    phrase = _noun_phrase(words, index + 1)
    texts = [word.text for word in words[index + 1 : phrase]]
    span = source.span_of(sentence, words[index].start, words[phrase - 1].end)
    kind = harm(texts)
    if kind is not None and not _only_plans(words):
        group = _group(words)
        yield Claim(kind, span, events=0, n=total if group is None else None, subgroup=group, measure=kind)
        return
    reach = [word.text for word in words[index + 1 : index + 7]]
    if any(text in _LINKED for text in reach):
        yield Claim("correlation", source.span_of(sentence, words[index].start, words[-1].end))


def _noun_phrase(words: list[Token], start: int) -> int:
    """Return the position after the event that is denied, so that ``no serious or related adverse events`` is one."""
    for index in range(start, min(len(words), start + _REACH)):
        if words[index].text in _EVENTS | _SHORT:
            return index + 1
        if words[index].text in (",", ".", ";", "but", "patient", "patients"):
            break
    return min(start + 1, len(words))


def _denied(words: list[Token], index: int) -> bool:
    return any(words_at(words, index - back, "not", "without", "n't", "nor", "never") for back in range(1, 5))


def _only_plans(words: list[Token]) -> bool:
    texts = {word.text for word in words}
    return bool(texts & {"will", "ability", "excluded"}) or bool(texts & {"tolerate"} and "without" in texts)


def _group(words: list[Token]) -> str | None:
    for index, word in enumerate(words):
        if word.text in ("group", "arm", "cohort"):
            doses = [one for one in amounts(words) if one.unit == "cells_per_kg" and abs(one.after - index) <= 3]
            if doses:
                return f"{doses[0].bounds[0]:g} cells/kg"
            return group_name(words, index)
    return None


def _counted(sentence: Text, words: list[Token], index: int, value: int, source: Source) -> Iterator[Claim]:
    """Read ``16 adverse events occurred``: events, not patients, so there is no denominator."""
    for after in range(index + 1, min(index + 5, len(words))):
        if words[after].text in ("events", "event", "reactions") or words[after].text in ("aes", "saes", "teaes"):
            kind = harm([word.text for word in words[index + 1 : after + 1]])
            seen = {word.text for word in words} & _SEEN
            if kind is not None and seen and not words_at(words, index - 1, "/", "than", "grade", "≥", ">", "of"):
                yield Claim(
                    kind, source.span_of(sentence, words[index].start, words[after].end), events=value, measure=kind
                )
            return
        if words[after].kind != "word" and words[after].text != "-":
            return
