"""Which outcome a phrase is about, and from what PASI improvement on."""

from __future__ import annotations

import itertools

from pasimeta.evidence.readers.tokens import Token, word_set, words_at

Measure = tuple[str, int | None]

GAIN = word_set(
    "improvement improvements reduction reductions decrease decreases improved reduced decreased decline remission "
    "clearance response improve reduce drop fall lowering"
)
PEOPLE = word_set(
    "patients patient subjects subject participants participant people women men females males cases individuals "
    "volunteers responders completers"
)
_BEFORE_GAIN = word_set(
    "or more greater better higher larger pasi psoriasis area severity index score scores relative above and in the "
    "over - – a sustained"
)
_AFTER_GAIN = word_set(
    "of by more than at least ≥ > = over exceeding above not less a an to in the pasi psoriasis area severity index "
    "score scores from baseline their its total disease lesion lesions and was were with ( ) equal greater or minimum "
    "no reached"
)
_REACH = 14


def percents(tokens: list[Token]) -> list[int]:
    """Return the positions of numbers followed by a percent sign or word."""
    return [
        index
        for index, token in enumerate(tokens)
        if token.kind == "number"
        and (
            words_at(tokens, index + 1, "%", "percent")
            or (words_at(tokens, index + 1, "per") and words_at(tokens, index + 2, "cent"))
        )
    ]


def is_share_of_people(tokens: list[Token], index: int) -> bool:
    """Whether the percentage at a position counts people: ``47 % of the patients``, ``47 % (8/17)``."""
    after = index + 2
    if words_at(tokens, after, "(") and after + 2 < len(tokens) and tokens[after + 1].kind == "number":
        return words_at(tokens, after + 2, "/", "of", "out")
    if not words_at(tokens, after, "of"):
        return False
    return any(token.text in PEOPLE for token in tokens[after + 1 : after + 6])


def improvement_percents(tokens: list[Token]) -> list[tuple[int, int]]:
    """Return position and value of percentages that say how much better a patient got."""
    found = []
    for index in percents(tokens):
        value = tokens[index].value
        if value is None or not 1 <= value <= 100 or value != int(value) or is_share_of_people(tokens, index):
            continue
        if _gain_after(tokens, index + 2) or _gain_before(tokens, index - 1):
            found.append((index, int(value)))
    return found


def _gain_after(tokens: list[Token], index: int) -> bool:
    for token in tokens[index : index + _REACH]:
        if token.text in GAIN:
            return True
        if token.text not in _BEFORE_GAIN:
            return False
    return False


def _gain_before(tokens: list[Token], index: int) -> bool:
    for token in tokens[max(0, index - _REACH + 1) : index + 1][::-1]:
        if token.text in GAIN:
            return True
        if token.text not in _AFTER_GAIN:
            return False
    return False


def named_thresholds(tokens: list[Token]) -> list[tuple[int, int]]:
    """Return position and value of thresholds in names such as PASI75, PASI-50/75/90, PASI 50, 75 and 90."""
    found = []
    for index, token in enumerate(tokens):
        if token.text not in ("pasi", "mpasi"):
            continue
        after = index + 1 + words_at(tokens, index + 1, "-", "–", "score", "(")
        while after < len(tokens) and _is_threshold(tokens, after):
            found.append((after, int(tokens[after].text)))
            after += 1
            step = after
            while step < after + 3 and words_at(tokens, step, "/", ",", "and", "-", "–", "or", "&"):
                step += 1
            if step == after:
                break
            after = step
    return found


def _is_threshold(tokens: list[Token], index: int) -> bool:
    text = tokens[index].text
    if not text.isdecimal() or not 20 <= int(text) <= 100:
        return False
    return not words_at(tokens, index + 1, "to", "points", "point", "week", "weeks", "patients", "%", ".") or words_at(
        tokens, index + 1, "."
    )


def thresholds(tokens: list[Token]) -> list[int]:
    """Return the PASI thresholds that a phrase names, ascending, each once."""
    return sorted({value for _, value in [*named_thresholds(tokens), *improvement_percents(tokens)]})


def measures(tokens: list[Token]) -> list[Measure]:
    """Return the outcomes a phrase names, as (measure, threshold); empty when it names none that is known."""
    words = [token.text for token in tokens]
    known = set(words)
    if any(word.startswith("relaps") or word in ("recurrence", "flare", "rebound") for word in known):
        return [("relapse", None)]
    found: list[Measure] = []
    found += _safety(words)
    if _is_global_assessment(words):
        found.append(("pga_0_1", None))
    if "bsa" in known or _follow(words, "body", "surface"):
        found.append(("bsa", None))
    if "dlqi" in known or _follow(words, "dermatology", "life") or _follow(words, "dermatological", "life"):
        found.append(("dlqi", None))
    if any(word.startswith(("prurit", "itch")) for word in known):
        found.append(("pruritus_vas", None))
    found += _pasi(tokens, words)
    return found


def _safety(words: list[str]) -> list[Measure]:
    found: list[Measure] = []
    known = set(words)
    adverse = bool(
        known & {"adverse", "side"} and known & {"event", "events", "effect", "effects", "reaction", "reactions"}
    )
    short = known & {"ae", "aes", "teae", "teaes", "saes", "sae", "tesae", "tesaes", "toxicity", "dlt", "dlts"}
    serious = known & {"sae", "saes", "tesae", "tesaes"} or (adverse and known & {"serious", "severe"})
    only_serious = serious and not known & {"ae", "aes", "teae", "teaes"} and _count_of(words, "adverse") <= 1
    if (adverse or short) and not only_serious:
        found.append(("ae", None))
    if serious:
        found.append(("sae", None))
    if not found and "safety" in known and not known & {"efficacy", "effectiveness"}:
        found.append(("ae", None))
    return found


def _count_of(words: list[str], word: str) -> int:
    return sum(1 for other in words if other == word)


def _is_global_assessment(words: list[str]) -> bool:
    known = set(words)
    named = known & {"pga", "spga", "iga", "physicians"} or _follow(words, "global", "assessment")
    clear = any(
        (first == "0" and second in ("/", "or", "and", ",", "–", "-"))
        or (first == "clear" and second in ("or", "/", "and", ","))
        for first, second in itertools.pairwise(words)
    )
    return bool(named) and (clear or "clear" in known)


def _pasi(tokens: list[Token], words: list[str]) -> list[Measure]:
    if (
        not {"pasi", "mpasi"} & set(words)
        and not (_follow(words, "area", "and") and "severity" in words)
        and not (_follow(words, "area", "severity"))
    ):
        return []
    found = thresholds(tokens)
    if found:
        return [("pasi_response", value) for value in found]
    known = set(words)
    rate = known & {"rate", "percentage", "percent", "proportion", "%", "ratio"}
    if rate and known & (GAIN | {"change", "changes"}):
        return [("pasi_improvement_rate", None)]
    return [("pasi_change", None)]


def _follow(words: list[str], first: str, second: str) -> bool:
    return any(pair == (first, second) for pair in itertools.pairwise(words))
