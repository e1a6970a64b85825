"""Shares of patients: ``47.1 % (8/17)``, ``8 of 17 (47 %)``, ``eight of 17 patients``, ``none of the patients``."""

from __future__ import annotations

from dataclasses import dataclass

from pasimeta.evidence.readers.measures import PEOPLE, improvement_percents, is_share_of_people, percents
from pasimeta.evidence.readers.tokens import Token, number_word, words_at

_NO_FRACTION = ("phase", "pga", "iga", "spga", "il", "grade", "grades", "type", "ratio", "score", "week", "day")
_ARTICLES = ("the", "these", "all", "our", "those", "a", "total", "treated", "enrolled", "evaluable")


@dataclass(frozen=True, slots=True)
class Proportion:
    """A share as printed; ``first`` and ``after`` are positions of tokens. ``everyone`` is True for none and all."""

    first: int
    after: int
    events: int | None = None
    n: int | None = None
    percent: str | None = None
    everyone: str | None = None


def proportions(tokens: list[Token]) -> list[Proportion]:
    """Return the shares of patients in a sentence, in order, none inside another."""
    gains = {index for index, _ in improvement_percents(tokens)}
    marked = set(percents(tokens))
    found: list[Proportion] = []
    index = 0
    while index < len(tokens):
        share = _percent_first(tokens, index, gains) if index in marked else _count_first(tokens, index)
        share = share or _nobody_or_everybody(tokens, index)
        if share is None:
            index += 1
        else:
            found.append(share)
            index = share.after
    return found


def _percent_first(tokens: list[Token], index: int, gains: set[int]) -> Proportion | None:
    if (
        index in gains
        or (tokens[index].value or 0) > 100
        or words_at(tokens, index - 1, "≥", ">", "<", "≤", "=", "±", "×", "x", "*")
    ):
        return None
    after = index + 2
    start = after + words_at(tokens, after, "(", "[", ",")
    if words_at(tokens, start, "n"):
        start += 1 + words_at(tokens, start + 1, "=")
    pair = _pair(tokens, start)
    if start > after and pair is not None:
        events, n, end = pair
        end += words_at(tokens, end, *PEOPLE)
        return Proportion(index, end + words_at(tokens, end, ")", "]"), events, n, tokens[index].text)
    if start > after + 1 and start < len(tokens) and tokens[start].kind == "number" and tokens[start].text.isdecimal():
        return Proportion(index, start + 2, int(tokens[start].text), None, tokens[index].text)
    if words_at(tokens, after, "–", "-", "to", "ci", "confidence") or words_at(tokens, index - 1, "–", "-"):
        return None
    return Proportion(index, after, None, _people_after(tokens, after), tokens[index].text)


def _people_after(tokens: list[Token], index: int) -> int | None:
    """Read the 17 of ``47 % of the 17 patients``."""
    if not words_at(tokens, index, "of"):
        return None
    index += 1
    while words_at(tokens, index, *_ARTICLES, "of"):
        index += 1
    value = number_word(tokens[index]) if index < len(tokens) else None
    near = {token.text for token in tokens[index + 1 : index + 4]}
    return int(value) if value and value == int(value) and near & PEOPLE else None


def _count_first(tokens: list[Token], index: int) -> Proportion | None:
    pair = _pair(tokens, index)
    if pair is not None:
        events, n, after = pair
        step = after + sum(
            1 for token in tokens[after : after + 3] if token.text in PEOPLE or token.text == "psoriasis"
        )
        percent, end = _percent_in_brackets(tokens, step)
        return Proportion(index, end if percent else after, events, n, percent)
    value = number_word(tokens[index])
    if value is None or value != int(value) or words_at(tokens, index + 1, "%", "."):
        return None
    step = index + 1
    while step < min(len(tokens), index + 4) and (tokens[step].text in PEOPLE or words_at(tokens, step, "psoriasis")):
        step += 1
    percent, end = _percent_in_brackets(tokens, step)
    if percent is not None:
        return Proportion(index, end, int(value), _people_after(tokens, end), percent)
    if (
        step > index + 1
        and not words_at(tokens, index - 1, "of", "all", "these", "total")
        and not words_at(tokens, step, "(")
    ):
        return Proportion(index, step, int(value), None, None)
    return None


def _percent_in_brackets(tokens: list[Token], index: int) -> tuple[str | None, int]:
    start = index + words_at(tokens, index, "(", "[", ",")
    if (
        start == index
        or start + 1 >= len(tokens)
        or tokens[start].kind != "number"
        or not words_at(tokens, start + 1, "%", "percent")
    ):
        return None, index
    if is_share_of_people(tokens, start):
        return None, index
    return tokens[start].text, start + 2 + words_at(tokens, start + 2, ")", "]")


def _pair(tokens: list[Token], index: int) -> tuple[int, int, int] | None:
    """Read ``8/17``, ``8 of 17``, ``eight out of the 17 patients``."""
    events = number_word(tokens[index]) if index < len(tokens) else None
    if events is None or words_at(tokens, index - 1, *_NO_FRACTION, "/", ".", "–", "-"):
        return None
    after = index + 1
    if words_at(tokens, after, *PEOPLE) and words_at(tokens, after + 1, "of", "out"):
        after += 1
    after += words_at(tokens, after, "out") and words_at(tokens, after + 1, "of")
    slash = words_at(tokens, after, "/")
    if events != int(events) or not (slash or words_at(tokens, after, "of")):
        return None
    after += 1
    while not slash and words_at(tokens, after, *_ARTICLES):
        after += 1
    total = number_word(tokens[after]) if after < len(tokens) else None
    if total is None or total != int(total) or not 1 <= total <= 100_000 or events > total:
        return None
    end = after + 1
    if slash and (
        words_at(tokens, end, "/", "-", "–")
        or (end < len(tokens) and tokens[end].kind == "word" and tokens[end].start == tokens[end - 1].end)
    ):
        return None
    if total == 1 and events == 0:
        return None
    return int(events), int(total), end


def _nobody_or_everybody(tokens: list[Token], index: int) -> Proportion | None:
    """Read ``none of the 17 patients``, ``no patient``, ``all patients``."""
    word = tokens[index].text
    if word not in ("no", "none", "all", "neither", "every", "both") or words_at(tokens, index - 1, "of", "in", "at"):
        return None
    after = index + 1
    while words_at(tokens, after, "of", "the", "these", "treated", "enrolled"):
        after += 1
    total = number_word(tokens[after]) if after < len(tokens) else None
    after += total is not None
    after += words_at(tokens, after, "psoriasis", "treated", "enrolled")
    if not words_at(tokens, after, *PEOPLE):
        return None
    n = int(total) if total is not None and total == int(total) else None
    nobody = word in ("no", "none", "neither")
    return Proportion(index, after + 1, 0 if nobody else n, n, None, "none" if nobody else "all")
