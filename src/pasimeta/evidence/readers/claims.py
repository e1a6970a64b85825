"""What a report claims: how many responded, relapsed or were harmed, of how many, in which subgroup."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from pasimeta.errors import PasimetaError
from pasimeta.evidence.grim import compatible_counts
from pasimeta.evidence.readers.measures import GAIN, PEOPLE, improvement_percents, named_thresholds
from pasimeta.evidence.readers.proportions import Proportion, proportions
from pasimeta.evidence.readers.regimens import group_name
from pasimeta.evidence.readers.result import Claim
from pasimeta.evidence.readers.safety import absence_claims, harm
from pasimeta.evidence.readers.schedules import time_points
from pasimeta.evidence.readers.sentences import sentences
from pasimeta.evidence.readers.source import Source, Text
from pasimeta.evidence.readers.tokens import Token, number_word, tokens, word_set, words_at

_WORTHWHILE = re.compile(
    r"\d|\b(?:no|none|not|without|all|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)\b", re.IGNORECASE
)
_FEMALE = word_set("women woman female females girls")
_MALE = word_set("men man male males boys")
_LINKS = word_set("is was were are : = in by for of about approximately only just nearly ( respectively")
_RESPONDED = word_set("responded responders responder response responses")
_ENROLLED = word_set(
    "received enrolled treated recruited completed included participated underwent screened randomized "
    "randomised registered entered infused analysed analyzed dosed evaluated"
)
_NOT_ENROLLED = word_set("had achieved reached showed experienced relapsed improved attained developed reported")


@dataclass(frozen=True, slots=True)
class Denominators:
    """How many patients there are in all and by sex, as far as the document says."""

    total: int | None = None
    female: int | None = None
    male: int | None = None

    def of(self, subgroup: str | None) -> int | None:
        """Return the number in a subgroup, or in all."""
        if subgroup in ("female", "male"):
            return self.female if subgroup == "female" else self.male
        return self.total if subgroup is None else None


def claims(lines: Iterable[Text], source: Source) -> tuple[Claim, ...]:
    """Return the claims of a report in order, counts filled in where exactly one integer fits a percentage."""
    worthwhile = [
        (sentence, tokens(sentence))
        for line in lines
        for sentence in sentences(line)
        if _WORTHWHILE.search(sentence.chars)
    ]
    people = [claim for sentence, words in worthwhile for claim in _patients(sentence, words, source)]
    denominators = _denominators(people, worthwhile)
    if any(_is_randomized(words) for _, words in worthwhile):
        denominators = Denominators()  # a percentage belongs to an arm, whose size this isn't
    found = list(people)
    for sentence, words in worthwhile:
        found += [_filled(claim, denominators) for claim in _shares(sentence, words, source)]
        found += absence_claims(sentence, words, source, denominators.total)
    return tuple(sorted(_distinct(found), key=lambda claim: (claim.span.line, claim.span.start)))


def _is_randomized(words: list[Token]) -> bool:
    return any(
        word.text in ("randomized", "randomised", "randomly")
        and not words_at(words, index - 2, "non", "not", "without")
        and not words_at(words, index - 1, "non", "not", "without")
        for index, word in enumerate(words)
    )


def _distinct(found: list[Claim]) -> Iterator[Claim]:
    seen: set[tuple[object, ...]] = set()
    for claim in found:
        key = (claim.kind, claim.threshold, claim.subgroup, claim.span.line, claim.span.start)
        if key not in seen:
            seen.add(key)
            yield claim


def _patients(sentence: Text, words: list[Token], source: Source) -> Iterator[Claim]:
    """Read ``A total of 17 patients received``, ``12 psoriasis patients completed treatment``, ``n = 17``."""
    for index, word in enumerate(words):
        value = number_word(word)
        if (
            value is None
            or value != int(value)
            or not 1 <= value < 100_000
            or words_at(words, index + 1, "%", "/", "of")
        ):
            continue
        noun = next((i for i in range(index + 1, min(index + 5, len(words))) if words[i].text in PEOPLE), None)
        if noun is None or any(
            words[i].kind == "number"
            or words[i].text
            in (",", ".", "%", "of", "and", "group", "groups", "cells", "kg", "weeks", "months", "years", "days", "(")
            for i in range(index + 1, noun)
        ):
            continue
        opening = index == 1 and words_at(words, 0, "of", "among")  # "Of 40 patients, ..."
        if words_at(words, index - 1, "of", "/") and not (opening or words_at(words, index - 2, "total")):
            continue
        following = [w.text for w in words[noun + 1 : noun + 9]]
        preceding = [w.text for w in words[max(0, index - 6) : index]]
        verb = next((t for t in following if t in _ENROLLED | _NOT_ENROLLED), None)
        counted = opening or "total" in preceding or verb in _ENROLLED or bool(set(preceding) & _ENROLLED)
        if counted and (verb not in _NOT_ENROLLED or "total" in preceding):
            part = "phase" in [w.text for w in words[:index]] and "total" not in preceding
            yield Claim(
                "n",
                source.span_of(sentence, word.start, words[noun].end),
                n=int(value),
                subgroup=_sex(words[noun : noun + 1]) or (_phase_name(words[:index]) if part else None),
            )


def _phase_name(words: list[Token]) -> str | None:
    roman = {"i": "1", "ii": "2", "iii": "3", "first": "1", "second": "2", "third": "3"}
    for index, word in enumerate(words):
        if word.text == "phase":
            for beside in (index + 1, index - 1):
                text = words[beside].text if 0 <= beside < len(words) else ""
                if text in roman or text.isdecimal():
                    return f"phase {roman.get(text, text)}"
    return None


def _denominators(people: list[Claim], parts: list[tuple[Text, list[Token]]]) -> Denominators:
    whole = [claim for claim in people if claim.subgroup is None]
    stated = [claim for claim in whole if "total" in claim.span.text.casefold()]
    by_part = sum(claim.n or 0 for claim in people if claim.subgroup and claim.subgroup.startswith("phase"))
    total = (stated or whole)[0].n if whole else (by_part or None)
    sexes: dict[str, int] = {}
    for _, words in parts:
        for index, word in enumerate(words):
            value = number_word(word)
            sex = _sex(words[index + 1 : index + 2])
            if value and sex and value == int(value) and not words_at(words, index - 1, "/", "of", "."):
                sexes.setdefault(sex, int(value))
        for share in proportions(words):
            sex = _sex(words[max(0, share.first - 6) : share.first])
            if share.n and sex:
                sexes.setdefault(sex, share.n)
    if sexes and total is not None and any(count > total for count in sexes.values()):
        sexes = {}
    return Denominators(total, sexes.get("female"), sexes.get("male"))


def _shares(sentence: Text, words: list[Token], source: Source) -> list[Claim]:
    found = proportions(words)
    aligned = _respectively(words, found)
    drafts: list[Claim] = []
    for position, share in enumerate(found):
        before = found[position - 1].after if position else 0
        after = found[position + 1].first if position + 1 < len(found) else len(words)
        own, other = words[share.after : after], words[before : share.first]
        if _looks_back(words, share.first, before) or (position + 1 == len(found) and not own):
            own, other = other, own
        kind, threshold, measure = _predicate(own)
        if kind is None:
            kind, threshold, measure = _predicate(other)
        if position in aligned:
            kind, threshold, measure = "response", aligned[position], "pasi_response"
        if kind is None and drafts and share.events is not None and not _is_plain_count(share):
            kind, threshold, measure = drafts[-1].kind, drafts[-1].threshold, drafts[-1].measure
        if kind is None or (_is_plain_count(share) and kind == "effective"):
            continue
        subgroup = (
            _sex_beside(words, share.after)
            or _sex(own)
            or _sex(words[max(before, share.first - 6) : share.first])
            or _dose_group(own)
        )
        if subgroup is None and words_at(words, share.after, "in", "of", "among"):
            subgroup = _dose_group(words[share.after : min(after, share.after + 8)])
        if subgroup is None:
            subgroup = (_sex(other) if kind != "response" else None) or (_dose_group(words) if aligned else None)
        week = _week(own) if _week(own) is not None else _week(other)
        if week is None and drafts and drafts[-1].measure == measure:
            week = drafts[-1].week
        drafts.append(
            Claim(
                kind,
                source.span_of(sentence, words[share.first].start, words[share.after - 1].end),
                threshold=threshold,
                events=share.events,
                n=share.n,
                percent=float(share.percent) if share.percent else None,
                subgroup=subgroup,
                measure=measure,
                week=week,
            )
        )
    return [claim for claim in drafts if _is_tellable(claim)]


def _is_tellable(claim: Claim) -> bool:
    return claim.percent is not None or claim.events is not None


def _is_plain_count(share: Proportion) -> bool:
    return share.percent is None and share.n is None and share.everyone is None


def _looks_back(words: list[Token], index: int, start: int) -> bool:
    """Whether what is counted stands before the share: ``PASI75 was reached by 6/17``, ``the rate is 25 %``."""
    before = words[index - 1].text if index > start else ""
    return before in _LINKS and bool(start or index > 2 or before in (":", "="))


def _respectively(words: list[Token], found: list[Proportion]) -> dict[int, int]:
    """Align ``PASI50, 75 and 90 were reached by 47 %, 35 % and 18 %`` in order."""
    if len(found) < 2:
        return {}
    named = [
        value for position, value in named_thresholds(words) if position < found[0].first or position > found[-1].first
    ]
    return dict(enumerate(named)) if len(named) == len(found) else {}


def _predicate(words: list[Token]) -> tuple[str | None, int | None, str | None]:
    """Return kind, threshold and measure of what a clause says of patients."""
    texts = [word.text for word in words]
    known = set(texts)
    if any(text.startswith("relaps") for text in texts) or "recurrence" in known:
        return "relapse", None, "relapse"
    kind = harm(texts)
    if kind is not None:
        return kind, None, kind
    named = named_thresholds(words)
    gained = improvement_percents(words)
    if named or gained:
        return "response", min([*named, *gained])[1], "pasi_response"
    if _is_clear(texts):
        return "response", None, "pga_0_1"
    if known & {"effective", "efficacy", "efficiency", "effectiveness"}:
        return "effective", None, None
    if known & _RESPONDED or ("pasi" in known and known & GAIN):
        return "response", None, None
    if "half" in known and known & GAIN:
        return "response", 50, "pasi_response"
    return None, None, None


def _is_clear(texts: list[str]) -> bool:
    joined = " ".join(texts)
    return any(
        phrase in joined
        for phrase in (
            "no signs of",
            "no sign of",
            "clear or almost clear",
            "clear or minimal",
            "almost clear",
            "minimal disease",
            "very mild",
            "completely clear",
            "complete clearance",
            "pga",
            "iga 0",
            "global assessment",
            "clear skin",
            "minimal or no",
            "clear / minimal",
            "clear / almost",
        )
    )


def _sex(words: list[Token]) -> str | None:
    for word in words:
        if word.text in _FEMALE:
            return "female"
        if word.text in _MALE:
            return "male"
    return None


def _sex_beside(words: list[Token], index: int) -> str | None:
    """Return the sex in ``66.7 % (6/9) of the women``."""
    if not words_at(words, index, "in", "of", "among", "for"):
        return None
    return _sex(words[index + 1 : index + 4])


def _dose_group(words: list[Token]) -> str | None:
    for index, word in enumerate(words):
        if word.text in ("group", "arm", "cohort"):
            return group_name(words, index)
    return None


def _week(words: list[Token]) -> float | None:
    for points in time_points(words):
        if (len(points.weeks) == 1 and words_at(words, points.first - 1, "at", "by", "in", "after", "within")) or (
            len(points.weeks) == 1 and points.first < len(words) and words[points.first].text.startswith("week")
        ):
            return points.weeks[0]
    return None


def _filled(claim: Claim, denominators: Denominators) -> Claim:
    n = claim.n if claim.n is not None else denominators.of(claim.subgroup)
    if n is None or (claim.events is not None and claim.events > n):
        return claim
    if claim.events is not None or claim.percent is None:
        return replace(claim, n=n)
    try:
        fitting = compatible_counts(claim_percent_text(claim), n)
    except PasimetaError:
        return claim
    if not fitting and claim.n is None:
        return claim
    return replace(claim, n=n, events=fitting[0] if len(fitting) == 1 else None)


def claim_percent_text(claim: Claim) -> str:
    """Return the percentage of a claim with the digits that were printed."""
    for match in re.finditer(r"\d{1,3}(?:[.,]\d{1,6})?(?=\s{0,3}(?:[%％]|per))", claim.span.text):
        if float(match[0].replace(",", ".")) == claim.percent:
            return match[0]
    return f"{claim.percent:g}"
