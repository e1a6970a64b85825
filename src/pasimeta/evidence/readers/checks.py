"""What is doubtful in a document: contradictions, percentages that don't fit, digits that were lost."""

from __future__ import annotations

import re
from collections.abc import Iterable

from pasimeta.errors import PasimetaError
from pasimeta.evidence.grim import compatible_counts, rounded_percent
from pasimeta.evidence.readers.claims import claim_percent_text
from pasimeta.evidence.readers.drugs import misspelt_drug
from pasimeta.evidence.readers.fields import allocation_value, model_value
from pasimeta.evidence.readers.quantities import amounts
from pasimeta.evidence.readers.result import Claim, Problem, Span
from pasimeta.evidence.readers.sentences import sentences
from pasimeta.evidence.readers.source import Source, Text
from pasimeta.evidence.readers.tokens import tokens

_LOST_ZERO = re.compile(
    r"(?<![\w.,)\d])\.(\d{1,6})\s{0,3}(billion|million|thousand|%|percent)|\bmore than (million|billion|thousand)\b",
    re.IGNORECASE,
)
_DOSING = re.compile(r"\b(?:dose|infus|inject|administ|treated with|receiv)", re.IGNORECASE)
_POWER = re.compile(r"10|million|\de\+?\d", re.IGNORECASE)
_INTO_GROUPS = re.compile(
    r"\brandom\w*\b.{0,60}?\b(?:two|three|four|five|[2-5])\s+(?:\w+\s+)?(?:groups|arms)\b|\bparallel\b", re.IGNORECASE
)
_NOT_RANDOM = re.compile(r"\b(?:non|not|without|un)[ -]?random", re.IGNORECASE)
_DESIGN_WORD = re.compile(r"random|single|one[- ]arm|parallel|cross|wash", re.IGNORECASE)
_LONG_WORD = re.compile(r"[A-Za-z]{9,30}")
_TRUE_CROSSING = re.compile(r"\bcross(?:ed|es|ing)?[ -]?over\b|\bwash-?out\b", re.IGNORECASE)


def percent_problems(claims: Iterable[Claim]) -> list[Problem]:
    """Return the claims whose printed percentage no rounding of events / n gives, with the value it should have."""
    found = []
    for claim in claims:
        if claim.percent is None or claim.events is None or not claim.n:
            continue
        printed = claim_percent_text(claim)
        try:
            if claim.events in compatible_counts(printed, claim.n):
                continue
        except PasimetaError:
            continue
        decimals = len(printed.replace(",", ".").partition(".")[2])
        right = rounded_percent(claim.events, claim.n, decimals)
        message = f"{printed}% is printed for {claim.events}/{claim.n}, which is {right}%"
        if right.endswith(printed.lstrip("0") or "0") and right != printed:
            message += f"; the leading '{right[: len(right) - len(printed)]}' seems lost"
        found.append(Problem("percent_count_mismatch", message, claim.span))
    return found


def lost_digits(lines: Iterable[Text], source: Source) -> list[Problem]:
    """Return numbers that begin with a point or are missing before a unit."""
    found = []
    for line in lines:
        for match in _LOST_ZERO.finditer(line.chars):
            if match[1]:
                value = float(f"0.{match[1]}")
                unit = match[2].casefold()
                smaller = {
                    "billion": f", that is {value * 1000:g} million",
                    "million": f", that is {value * 1000:g} thousand",
                }
                message = (
                    f"'{match[0]}' has lost what stood before the point; if a zero, it should be {value:g} {unit}"
                    + smaller.get(unit, "")
                )
            else:
                message = f"'{match[0]}': the number before '{match[3]}' is missing, and the document doesn't tell it"
            found.append(Problem("truncated_number", message, source.span_of(line, match.start(), match.end())))
    return found


def unit_problems(lines: Iterable[Text], source: Source) -> list[Problem]:
    """Return amounts of cells that are given without saying of what, or by what."""
    found = []
    for line in lines:
        if not _DOSING.search(line.chars):
            continue
        for sentence in sentences(line):
            if _POWER.search(sentence.chars) is None:
                continue
            words = tokens(sentence)
            for amount in amounts(words):
                if amount.power is None or amount.unit is not None or not 5 <= amount.power <= 10:
                    continue
                following = [word.text for word in words[amount.after : amount.after + 4]]
                if {"people", "patients", "dollars", "usd", "persons", "individuals", "years"} & set(following):
                    continue
                span = source.span_of(sentence, words[amount.first].start, words[amount.after - 1].end)
                found.append(
                    Problem(
                        "units_missing", f"'{span.text}': cells per kg, per cm2 or in all? The unit is missing", span
                    )
                )
    return found


def phase_problem(readings: list[tuple[tuple[str, ...], Span]]) -> list[Problem]:
    """Return the conflict between differing phases, if they differ."""
    if len({values for values, _ in readings}) < 2:
        return []
    told = " but ".join(
        f"{' and '.join(_phase_name(value) for value in values)} on line {span.line}"
        for values, span in _firsts(readings)
    )
    return [Problem("phase_conflict", f"the phase is {told}; both are kept", readings[0][1])]


def _firsts(readings: list[tuple[tuple[str, ...], Span]]) -> list[tuple[tuple[str, ...], Span]]:
    first: dict[tuple[str, ...], Span] = {}
    for values, span in readings:
        first.setdefault(values, span)
    return list(first.items())


def _phase_name(value: str) -> str:
    return "early phase 1" if value == "early_1" else f"phase {value}"


def design_problems(
    model: tuple[str, Span] | None,
    allocation: tuple[str, Span] | None,
    prose: Iterable[Text],
    source: Source,
) -> list[Problem]:
    """Return contradictions between the design's fields, and between a field and the prose."""
    found: list[Problem] = []
    randomized: Span | None = None
    single: Span | None = None
    crossing = False
    for line in prose:
        for sentence in sentences(line) if _DESIGN_WORD.search(line.chars) else ():
            grouped = _INTO_GROUPS.search(sentence.chars)
            if grouped and not _NOT_RANDOM.search(sentence.chars) and randomized is None:
                randomized = source.span_of(sentence)
            if single is None and model_value(sentence.chars) == "single_group":
                single = source.span_of(sentence)
            crossing = crossing or bool(_TRUE_CROSSING.search(sentence.chars))
    if model is not None and model[0] == "crossover" and randomized is not None and not crossing:
        found.append(_conflict("a crossover", model[1], "patients are randomized into parallel groups", randomized))
    if model is not None and model[0] == "single_group" and randomized is not None:
        found.append(_conflict("a single group", model[1], "patients are randomized into groups", randomized))
    elif model is not None and model[0] == "single_group" and allocation is not None and allocation[0] == "randomized":
        found.append(_conflict("a single group", model[1], "the allocation is randomized", allocation[1]))
    if model is None and single is not None and randomized is not None:
        found.append(_conflict("a single arm", single, "patients are randomized into groups", randomized))
    return found


def _conflict(one: str, span: Span, other: str, where: Span) -> Problem:
    return Problem(
        "design_conflict", f"the design is {one} on line {span.line}, but {other} on line {where.line}", span
    )


def spelling_problems(lines: Iterable[Text], source: Source) -> list[Problem]:
    """Return drug names with a slip, once each, with the name they are read as."""
    found: dict[str, Problem] = {}
    for line in lines:
        for match in _LONG_WORD.finditer(line.chars):
            word = match[0].casefold()
            meant = misspelt_drug(word)
            if meant is not None and word not in found:
                span = source.span_of(line, match.start(), match.end())
                found[word] = Problem("misspelling", f"'{span.text}' is read as {meant}", span)
    return list(found.values())


def prose_allocation(lines: Iterable[Text], source: Source) -> tuple[str, Span] | None:
    """Return how patients were allocated as the prose tells it."""
    for line in lines:
        if not re.search(r"random|single|one[- ]arm", line.chars, re.IGNORECASE):
            continue
        for sentence in sentences(line):
            value = allocation_value(sentence.chars)
            if value is not None:
                return value, source.span_of(sentence)
    return None
