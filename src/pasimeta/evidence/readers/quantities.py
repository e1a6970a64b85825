"""Amounts of cells and of drugs: a number, a range or a list, a power of ten, a unit.

Grammar::

    amounts  = amount { (","|"and"|"or"|"&"|"/") amount }       members share the power and unit of the last
    amount   = number [power] [("-"|"to") number [power]] [unit]
    power    = ("x"|"×"|"*") "10" ["^"] digits | "e" digits | "million" | ...
    unit     = {cell word} ("/"|"per") ("kg"|"cm2"|...) | cell word | "mg"
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from pasimeta.evidence.readers.tokens import Token, number_word, word_set, words_at

_TIMES_SIGNS = ("×", "x", "*")
_RANGE_SIGNS = ("–", "-", "to", "through")
_LIST_SIGNS = (",", "and", "or", "&", "/")
_SCALES = {"thousand": 3, "million": 6, "millions": 6, "mio": 6, "mln": 6, "billion": 9, "billions": 9}
_CELL_WORDS = word_set("cell cells msc mscs umsc umscs ucmsc ucmscs admsc admscs adscs hucmscs bmmscs asc ascs svf")
_FILLER = word_set(
    "uc ad bm adipose umbilical cord wharton's jelly bone marrow derived mesenchymal stem stromal viable live "
    "allogeneic autologous human cultured expanded infused of total the tonsil blood multipotent placenta "
    "placental - –"
)
_KILOGRAM = ("kg", "kgs", "kilogram", "kilograms", "kgbw", "kilo")
_LONGEST_FILLER = 12


@dataclass(frozen=True, slots=True)
class Amount:
    """A quantity; ``unit`` is cells_per_kg, cells_per_cm2, total_cells, mg, other, or None when there is none.

    ``first`` and ``after`` are positions of tokens.
    """

    low: float
    high: float
    power: int | None
    unit: str | None
    first: int
    after: int

    @property
    def bounds(self) -> tuple[float, float]:
        """Low and high with the power of ten applied in decimal, so that 2.4 × 10^8 is 240000000."""
        scale = self.power or 0
        return float(f"{self.low:.12g}e{scale}"), float(f"{self.high:.12g}e{scale}")


def amounts(tokens: list[Token]) -> list[Amount]:
    """Return the amounts of cells or milligrams in a sentence, in order; plain numbers are left out."""
    found: list[Amount] = []
    index = 0
    while index < len(tokens):
        if number_word(tokens[index]) is None:
            index += 1
            continue
        members = _members(tokens, index)
        found += [amount for amount in _shared(members) if amount.unit or amount.power]
        index = members[-1].after
    return found


def _members(tokens: list[Token], index: int) -> list[Amount]:
    members = [_amount(tokens, index)]
    while True:
        after = members[-1].after
        while after < members[-1].after + 2 and words_at(tokens, after, *_LIST_SIGNS):
            after += 1
        if after == members[-1].after or after >= len(tokens) or number_word(tokens[after]) is None:
            return members
        members.append(_amount(tokens, after))


def _shared(members: list[Amount]) -> list[Amount]:
    shared: list[Amount] = []
    following: Amount | None = None
    for member in reversed(members):
        if following is not None and member.unit is None and following.unit != "other":
            power = following.power if member.power is None else member.power
            member = replace(member, power=power, unit=following.unit)
        shared.append(member)
        following = member
    return shared[::-1]


def _amount(tokens: list[Token], index: int) -> Amount:
    low, power, after = _scaled(tokens, index)
    high = low
    if (
        words_at(tokens, after, *_RANGE_SIGNS)
        and after + 1 < len(tokens)
        and number_word(tokens[after + 1]) is not None
    ):
        upper, upper_power, end = _scaled(tokens, after + 1)
        if power is not None and upper_power is not None:
            upper, upper_power = upper * 10.0 ** (upper_power - power), power
        if upper >= low:
            high, after, power = upper, end, (upper_power if power is None else power)
    unit, after = _unit(tokens, after, power)
    if unit is None and power is not None and power >= 5 and _counts_cells(tokens, index):
        unit = "total_cells"
    return Amount(low, high, power, unit, index, after)


def _counts_cells(tokens: list[Token], index: int) -> bool:
    """Whether ``cell numbers as high as`` or ``a number of cells of`` stands before an amount."""
    before = [token.text for token in tokens[max(0, index - 7) : index]]
    numbers = any(text in ("number", "numbers", "count", "counts", "total", "quantity") for text in before)
    return numbers and any(text in ("cell", "cells", "msc", "mscs") for text in before)


def _scaled(tokens: list[Token], index: int) -> tuple[float, int | None, int]:
    """Return mantissa, power of ten and the next position."""
    value, after = _number(tokens, index)
    power, end = _power(tokens, after)
    if power is None and value == 10 and words_at(tokens, after, "^"):
        power, end = _exponent(tokens, after + 1)
        value = 1.0 if power is not None else value
    return (value, power, end) if power is not None else (value, None, after)


def _number(tokens: list[Token], index: int) -> tuple[float, int]:
    value = number_word(tokens[index])
    assert value is not None
    after = index + 1
    digits = tokens[index].text
    if tokens[index].kind != "number" or "." in digits or value == 0:
        return value, after
    while (
        len(digits) < 15
        and _is_glued(tokens, after)
        and len(tokens[after + 1].text) == 3
        and len(tokens[index].text) < 4
    ):
        digits += tokens[after + 1].text
        after += 2
    if after > index + 1:
        return float(digits), after
    if _is_decimal_comma(tokens, index):
        return float(f"{digits}.{tokens[index + 2].text}"), index + 3
    return value, after


def _is_glued(tokens: list[Token], comma: int) -> bool:
    """Whether a comma stands between two numbers without white space."""
    return (
        comma + 1 < len(tokens)
        and tokens[comma].text == ","
        and tokens[comma + 1].kind == "number"
        and tokens[comma - 1].end == tokens[comma].start
        and tokens[comma].end == tokens[comma + 1].start
    )


def _is_decimal_comma(tokens: list[Token], index: int) -> bool:
    # "1,5 x 10^6" is a decimal; "1, 5 x 10^6" and "1,2,5 x 10^6" are lists
    return (
        _is_glued(tokens, index + 1)
        and not words_at(tokens, index - 1, ",")
        and len(tokens[index + 2].text) <= 2
        and words_at(tokens, index + 3, *_TIMES_SIGNS)
    )


def _power(tokens: list[Token], index: int) -> tuple[int | None, int]:
    if words_at(tokens, index, *_TIMES_SIGNS) and index + 1 < len(tokens) and tokens[index + 1].kind == "number":
        base = tokens[index + 1].text
        if base == "10":
            glued_e = words_at(tokens, index + 2, "e")  # "2x10E6" is meant as 2 x 10^6
            if glued_e:
                return _exponent(tokens, index + 4 if words_at(tokens, index + 3, "+") else index + 3)
            return _exponent(tokens, index + 3 if words_at(tokens, index + 2, "^", "(") else index + 2)
        if base.startswith("10") and base[2:].isdecimal() and len(base) <= 4 and _unit(tokens, index + 2, 6)[0]:
            return int(base[2:]), index + 2  # the superscript was lost: 1x106 cells/kg
        return None, index
    if words_at(tokens, index, "e") and tokens[index].start == tokens[index - 1].end:
        return _exponent(tokens, index + 2 if words_at(tokens, index + 1, "+") else index + 1)
    if words_at(tokens, index, *_SCALES):
        return _SCALES[tokens[index].text], index + 1
    if words_at(tokens, index, "m") and index + 1 < len(tokens) and tokens[index + 1].text in _CELL_WORDS:
        return 6, index + 1
    return None, index


def _exponent(tokens: list[Token], index: int) -> tuple[int | None, int]:
    if index < len(tokens) and tokens[index].kind == "number" and tokens[index].text.isdecimal():
        exponent = int(tokens[index].text)
        if 1 <= exponent <= 12:
            return exponent, index + 2 if words_at(tokens, index + 1, ")") else index + 1
    return None, index


def _unit(tokens: list[Token], index: int, power: int | None) -> tuple[str | None, int]:
    if words_at(tokens, index, "mg", "milligram", "milligrams"):
        times = ("day", "week", "d", "wk", "w", "dose", "time", "weeks")
        timed = words_at(tokens, index + 2, *times) and not words_at(tokens, index + 3, "l")  # "mg/dL"
        per = words_at(tokens, index + 1, "/", "per") and not timed
        return ("other" if per else "mg"), index + 1
    after, counted = index, False
    while after < len(tokens) and after - index < _LONGEST_FILLER:
        if tokens[after].text in _CELL_WORDS:
            counted = True
        elif tokens[after].text not in _FILLER:
            break
        after += 1
    if words_at(tokens, after, "(") and words_at(tokens, after + 2, ")") and tokens[after + 1].text in _CELL_WORDS:
        after += 3
    reference, end = _reference(tokens, after)
    if reference is not None and (counted or power is not None):
        return reference, end
    if counted and (power is not None or _is_large(tokens, index)):
        return "total_cells", after
    return None, index


def _is_large(tokens: list[Token], index: int) -> bool:
    return index > 0 and len(tokens[index - 1].text) >= 3 and tokens[index - 1].kind == "number"


def _reference(tokens: list[Token], index: int) -> tuple[str | None, int]:
    """Return what the cells are counted by: per kg, per cm2, or something that is no dose."""
    if words_at(tokens, index, *_KILOGRAM) and (
        words_at(tokens, index + 1, "-", "–", "^") or words_at(tokens, index - 1, "·", "×", "/")
    ):
        return "cells_per_kg", min(index + 4, len(tokens)) if words_at(tokens, index + 3, "1") else index + 3
    if words_at(tokens, index, "×") and words_at(tokens, index + 1, *_KILOGRAM):
        return "cells_per_kg", index + 2
    if not words_at(tokens, index, "/", "per"):
        return None, index
    after = index + 1
    while words_at(tokens, after, "body", "weight", "square", "1", "sq"):
        after += 1
    if words_at(tokens, after, *_KILOGRAM):
        return "cells_per_kg", after + 1
    if words_at(tokens, after, "cm", "centimeter", "centimetre", "cm²", "centimeters", "centimetres"):
        return "cells_per_cm2", after + (3 if words_at(tokens, after + 1, "^") else 2)
    if words_at(
        tokens, after, "patient", "infusion", "injection", "dose", "subject", "person", "time", "administration"
    ):
        return "total_cells", after + 1
    return "other", after + 1
