"""What was given to whom: a dose and its course, as sentences tell them."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from pasimeta.evidence.readers.quantities import Amount, amounts
from pasimeta.evidence.readers.result import Bounds, DoseDraft
from pasimeta.evidence.readers.schedules import Course, course
from pasimeta.evidence.readers.sentences import sentences
from pasimeta.evidence.readers.source import Source, Text
from pasimeta.evidence.readers.tokens import Token, number_word, tokens, word_set, words_at

_NUMBER = re.compile(r"\d|\b(?:one|two|three|four|five|six) ", re.IGNORECASE)
_AMOUNT = re.compile(r"\d\s*mg|cell|msc|kg|million|10|milligram", re.IGNORECASE)
MOST_REGIMENS = 200  # a study has a few; the bound keeps work on nonsense linear
_GROUP = ("group", "groups", "arm", "arms", "cohort", "cohorts")
_GIVEN = word_set(
    "infusion infusions infused injection injections injected administered administration transplantation transplanted "
    "treated receive received receives cells cell mscs msc umscs dose doses course"
)
_STOP_WORDS = word_set(
    "the a an in of to for each per and or all both every this that these those into by with treatment study first-in "
    "dose same other patients"
)
_CELLS = ("cells_per_kg", "cells_per_cm2", "total_cells")


@dataclass(frozen=True, slots=True)
class Regimen:
    """A dose as one clause gives it."""

    unit: str
    bounds: Bounds
    course: Course | None
    group: str | None
    text: Text

    @property
    def is_cells(self) -> bool:
        """Whether cells are given, not a drug by weight."""
        return self.unit in _CELLS

    def dose(self, source: Source) -> DoseDraft:
        """The regimen as a draft dose."""
        draft = replace(DoseDraft(), **{self.unit: self.bounds})  # type: ignore[arg-type]
        return draft if self.course is None else scheduled(draft, self.course, source)


def scheduled(dose: DoseDraft, told: Course, source: Source) -> DoseDraft:
    """Return a dose with a course and the place that tells it."""
    span = source.span_of(told.text) if told.text is not None else None
    return replace(dose, infusions=told.infusions or dose.infusions, weeks=told.weeks, weeks_span=span)


def regimens(paragraph: Text) -> list[Regimen]:
    """Return the regimens of a paragraph; groups named by letter get the courses told of them elsewhere in it."""
    if _AMOUNT.search(paragraph.chars) is None:
        return []
    found: list[Regimen] = []
    parts = [(sentence, tokens(sentence)) for sentence in sentences(paragraph) if _NUMBER.search(sentence.chars)]
    for sentence, words in parts:
        if len(found) < MOST_REGIMENS:
            found += _sentence_regimens(sentence, words)[:MOST_REGIMENS]
    cells = [regimen for regimen in found if regimen.is_cells and regimen.unit != "total_cells"]
    letters = _lettered_groups(parts, len(cells))
    if letters:
        courses = _courses_of_letters(parts, letters)
        lettered = [
            replace(regimen, group=f"group {letter.upper()}", course=courses.get(letter, regimen.course))
            for regimen, letter in zip(cells, letters, strict=True)
        ]
        found = lettered + [regimen for regimen in found if regimen not in cells]
    elif len({regimen.course for regimen in cells}) == 1 and cells and cells[0].course is None:
        shared = shared_course(parts)
        found = [replace(regimen, course=shared) if regimen.is_cells else regimen for regimen in found]
    return found


def shared_course(parts: Iterable[tuple[Text, list[Token]]]) -> Course | None:
    """Return the one course that sentences about giving cells tell; None when there is none or several."""
    told = {
        replace(told, text=sentence)
        for sentence, words in parts
        if any(word.text in _GIVEN for word in words) and (told := course(words)) is not None
    }
    full = {one for one in told if one.weeks is not None} or told
    return full.pop() if len(full) == 1 else None


def _sentence_regimens(sentence: Text, words: list[Token]) -> list[Regimen]:
    given = [amount for amount in amounts(words) if amount.unit in (*_CELLS, "mg")]
    found: list[Regimen] = []
    clauses = _clauses(words, given)
    for amount, (start, stop) in zip(given, clauses, strict=True):
        listed = sum(1 for other in clauses if other == (start, stop))
        found.append(
            Regimen(
                amount.unit or "",
                _bounds(words, amount),
                _told_in(sentence, _clause_course(words, start, stop, listed)),
                _group_label(words, amount.first, start),
                sentence,
            )
        )
    return found


def _told_in(sentence: Text, told: Course | None) -> Course | None:
    return None if told is None else replace(told, text=sentence)


def _bounds(words: list[Token], amount: Amount) -> Bounds:
    low, high = amount.bounds
    first = amount.first
    as_high_as = words_at(words, first - 1, "as") and words_at(words, first - 3, "as")
    up_to = words_at(words, first - 1, "to") and words_at(words, first - 2, "up")
    if low == high and (as_high_as or up_to or words_at(words, first - 1, "≤", "maximum", "maximally")):
        return None, high
    return low, high


def _clauses(words: list[Token], given: list[Amount]) -> list[tuple[int, int]]:
    """Return for each amount the tokens that tell of it; members of a list share theirs."""
    starts = [0] if given else []
    for before, amount in itertools.pairwise(given):
        if amount.first - before.after <= 2 and (before.unit == amount.unit):
            starts.append(starts[-1])
            continue
        marker = next((i for i in range(before.after, amount.first) if words_at(words, i, *_GROUP)), None)
        starts.append(amount.first if marker is None else marker)
    stops = [next((later for later in starts if later > start), len(words)) for start in starts]
    return list(zip(starts, stops, strict=True))


def _clause_course(words: list[Token], start: int, stop: int, listed: int) -> Course | None:
    told = course(words[start:stop])
    if told is None and (start, stop) != (0, len(words)):
        told = course(words) if not any(words_at(words, i, *_GROUP) for i in range(len(words))) else None
    if told is not None and listed > 1 and told.infusions == listed and told.weeks is None:
        return None  # "4 doses (1.5, 2, 2.5, 3 x 10^6/kg)" counts dose levels
    return told


def _group_label(words: list[Token], position: int, start: int) -> str | None:
    for index in range(min(position + 6, len(words) - 1), max(start - 3, -1), -1):
        if words_at(words, index, "group", "arm", "cohort"):
            label = group_name(words, index)
            if label is not None:
                return label
    return None


def group_name(words: list[Token], index: int) -> str | None:
    """Return the name of the group mentioned at a position: ``group A``, ``high dose group``, ``cohort 2``."""
    noun = words[index].text.rstrip("s") if words[index].text != "groups" else "group"
    after = words[index + 1] if index + 1 < len(words) else None
    if after is not None and (
        (
            (after.kind == "word" and len(after.text) == 1 and after.text not in ("a", "i"))
            or after.text in ("ii", "iii", "iv")
        )
        or after.kind == "number"
        or (after.text == "a" and words_at(words, index + 2, ":", ",", "and", ")", "(", "received", "were", "was"))
    ):
        return f"{noun} {after.text.upper()}"
    named: list[str] = []
    for word in words[max(0, index - 5) : index][::-1]:
        if (word.text in _STOP_WORDS and word.text != "dose") or word.text in (",", ".", ";", ":", "(", ")"):
            break
        named.append(word.text)
    while named and named[-1] in ("-", "–", "/", "dose"):
        named.pop()
    if not named or all(not name.isalpha() for name in named):
        return None
    return (" ".join(named[::-1]).replace(" - ", "-").replace(" – ", "-").replace(" / ", "/") + f" {noun}").strip()


def _lettered_groups(parts: list[tuple[Text, list[Token]]], count: int) -> list[str]:
    """Return the letters of groups when the paragraph names as many as it lists doses: ABCD; A, B, C and D; A to D."""
    if count < 2:
        return []
    expected = [chr(ord("a") + k) for k in range(count)]
    named: set[str] = set()
    for _, words in parts:
        for index, word in enumerate(words):
            if word.text not in _GROUP:
                continue
            following = [other.text for other in words[index + 1 : index + 2 + 2 * count]]
            if following[:1] == ["".join(expected)]:
                return expected
            if (
                len(following) > 2
                and following[0] == "a"
                and following[1] in ("to", "–", "-")
                and following[2] == expected[-1]
            ):
                return expected
            named |= set(_letters(following))
    return expected if named >= set(expected) else []


def _letters(following: list[str]) -> list[str]:
    letters: list[str] = []
    for text in following:
        if len(text) == 1 and text.isalpha():
            letters.append(text)
        elif text not in (",", "and", "&", "/", "or"):
            break
    return letters


def _courses_of_letters(parts: list[tuple[Text, list[Token]]], letters: list[str]) -> dict[str, Course]:
    found: dict[str, Course] = {}
    for sentence, words in parts:
        marks = [
            (index, named)
            for index, word in enumerate(words)
            if word.text in _GROUP
            and (named := [one for one in _letters([w.text for w in words[index + 1 : index + 12]]) if one in letters])
        ]
        stops = [*(index for index, _ in marks[1:]), len(words)]
        for (index, named), stop in zip(marks, stops, strict=False):
            told = _told_in(sentence, course(words[index:stop]))
            if told is not None:
                found.update(dict.fromkeys(named, told))
    return found


def counted_patients(words: list[Token]) -> int | None:
    """Return the number right before ``patients`` and the like, with at most two words between."""
    for index, word in enumerate(words):
        if word.text in ("patients", "subjects", "participants") and index:
            for back in range(1, 4):
                value = number_word(words[index - back]) if index >= back else None
                if (
                    value is not None
                    and value == int(value)
                    and value > 0
                    and not words_at(words, index - back + 1, "%")
                ):
                    return int(value)
    return None
