"""Drugs that are given beside cells or instead of them, also when misspelt."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from pasimeta.evidence.readers.result import CoTreatment
from pasimeta.evidence.readers.schedules import time_points
from pasimeta.evidence.readers.sentences import sentences
from pasimeta.evidence.readers.source import Text
from pasimeta.evidence.readers.tokens import Token, tokens, word_set, words_at

DRUGS = word_set(
    "methotrexate calcipotriol calcipotriene betamethasone clobetasol mometasone tacrolimus pimecrolimus tazarotene "
    "cyclosporine ciclosporin acitretin apremilast tofacitinib deucravacitinib adalimumab etanercept infliximab "
    "ustekinumab secukinumab ixekizumab brodalumab guselkumab risankizumab tildrakizumab dexamethasone prednisone "
    "prednisolone hydrocortisone phototherapy dithranol tripterygium leflunomide sulfasalazine mycophenolate "
    "fumarate azathioprine hydroxyurea placebo saline heparin roflumilast tapinarof"
)
_KNOWN = DRUGS
_SAME = {"calcipotriene": "calcipotriol", "ciclosporin": "cyclosporine", "mtx": "methotrexate"}
_CARRIERS = frozenset(("saline", "heparin"))
_BY_LETTER = {drug[0]: sorted(other for other in DRUGS if other[0] == drug[0]) for drug in DRUGS}
_SHORTEST_SLIP = 9
_FREQUENCIES = ("daily", "weekly", "monthly")


def drugs(words: list[Token]) -> list[tuple[str, int, bool]]:
    """Return the drugs named in a sentence as (name, position, whether it was misspelt)."""
    found = []
    for index, word in enumerate(words):
        if word.kind != "word":
            continue
        if word.text in _KNOWN or word.text in _SAME:
            found.append((_SAME.get(word.text, word.text), index, False))
        elif word.text == "psori" and words_at(words, index + 2, "cm"):
            found.append(("PSORI-CM01", index, False))
        elif len(word.text) >= _SHORTEST_SLIP and (meant := misspelt_drug(word.text)):
            found.append((meant, index, True))
    return found


def co_treatments(texts: Iterable[Text]) -> tuple[CoTreatment, ...]:
    """Return the drugs of an arm with how often and how long, each once."""
    found: dict[str, CoTreatment] = {}
    for text in texts:
        for sentence in sentences(text):
            words = tokens(sentence)
            for name, position, _ in drugs(words):
                if name in _CARRIERS:
                    continue
                frequency, weeks = _frequency(words[position:]), _duration(words[position:])
                old = found.get(name)
                found[name] = CoTreatment(
                    name,
                    frequency or (old.frequency if old else None),
                    weeks if weeks is not None else (old.weeks if old else None),
                )
    return tuple(found.values())


def _frequency(words: list[Token]) -> str | None:
    for index, word in enumerate(words):
        if word.text in ("once", "twice") and words_at(words, index + 1, *_FREQUENCIES):
            return f"{word.text} {words[index + 1].text}"
        if (
            word.text in ("once", "twice")
            and words_at(words, index + 1, "a", "per", "every")
            and index + 2 < len(words)
        ):
            return f"{word.text} a {words[index + 2].text}"
        if word.text in ("bid", "qd", "tid"):
            return {"bid": "twice daily", "qd": "once daily", "tid": "three times daily"}[word.text]
    return next((word.text for word in words if word.text in _FREQUENCIES), None)


def _duration(words: list[Token]) -> float | None:
    for points in time_points(words):
        if points.is_range:
            return round(points.weeks[1] - points.weeks[0], 2)
        if len(points.weeks) == 1 and words_at(words, points.first - 1, "for", "over", "x", "×"):
            return points.weeks[0]
    return None


@lru_cache(maxsize=4096)
def misspelt_drug(word: str) -> str | None:
    """Return the drug that a word with a slip or two means; None for other words and for drugs spelt right."""
    if word in _KNOWN:
        return None
    for drug in _BY_LETTER.get(word[0], ()):
        # two slips, or the same letters with syllables swapped
        if abs(len(drug) - len(word)) <= 1 and (_slips(word, drug) <= 2 or sorted(word) == sorted(drug)):
            return _SAME.get(drug, drug)
    return None


def _slips(one: str, other: str) -> int:
    """Return the Damerau-Levenshtein distance (optimal string alignment)."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, left in enumerate(one, 1):
        last, before, row = before, row, [i]
        for j, right in enumerate(other, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (left != right))
            if i > 1 and j > 1 and left == other[j - 2] and one[i - 2] == right:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
    return row[-1]
