"""Words, numbers and signs of a sentence."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from pasimeta.evidence.readers.source import Text

TokenKind = Literal["number", "word", "sign"]

# one pass, no nested repetition: linear whatever the input; runs of one sign are one token
_TOKEN = re.compile(
    r"(?P<number>\d+(?:\.\d+)?|(?<![\d.])\.\d+)"
    r"|(?P<word>[^\W\d_]+(?:'[^\W\d_]+)?)"
    r"|(?P<sign>([.,()_*#=-])\4*|[^\w\s])"
)
_RUN_TOGETHER = re.compile(r"(?<=[a-z])(?=[A-Z])")
_LONGEST_NUMBER = 18
_TO_TWENTY = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen twenty"
)
WORDS_FOR_NUMBERS = {word: value for value, word in enumerate(re.findall(r"\w+", _TO_TWENTY))} | {
    "thirty": 30,
    "forty": 40,
    "fifty": 50,
    "sixty": 60,
    "dozen": 12,
}
TIMES = {"once": 1, "twice": 2, "thrice": 3, "single": 1}


def word_set(text: str) -> frozenset[str]:
    """Return the words of a text as a set, so that vocabularies read as prose."""
    return frozenset(text.split())


@dataclass(frozen=True, slots=True)
class Token:
    """A word (lower case), number or sign with its columns in the text."""

    kind: TokenKind
    text: str
    start: int
    end: int
    value: float | None = None


def tokens(text: Text | str) -> list[Token]:
    """Return the tokens of a text in order; the list is shared between callers and must not be changed."""
    if isinstance(text, str):
        return _read(text)
    if "tokens" not in text.memory:
        text.memory["tokens"] = _read(text.chars)
    found: list[Token] = text.memory["tokens"]
    return found


def _read(chars: str) -> list[Token]:
    found: list[Token] = []
    for match in _TOKEN.finditer(chars):
        piece, start, end = match[0], match.start(), match.end()
        if match.lastgroup == "word":
            if _RUN_TOGETHER.search(piece) is None:
                found.append(Token("word", piece.casefold(), start, end))
                continue
            # flattened tables run words together: "EventsWeek"
            cuts = [0, *(cut.start() for cut in _RUN_TOGETHER.finditer(piece)), end - start]
            found += [Token("word", piece[a:b].casefold(), start + a, start + b) for a, b in pairwise(cuts)]
        elif match.lastgroup == "sign":
            found.append(Token("sign", piece[0], start, end))
        elif end - start > _LONGEST_NUMBER:
            found.append(Token("sign", "#", start, end))
        else:
            found.append(Token("number", piece, start, end, float(piece)))
    return found


def number_word(token: Token) -> float | None:
    """Return the value of a number, in digits or as a word."""
    return token.value if token.kind == "number" else WORDS_FOR_NUMBERS.get(token.text)


def words_at(tokens: list[Token], index: int, *alternatives: str) -> bool:
    """Whether the token at an index exists and is one of the alternatives."""
    return 0 <= index < len(tokens) and tokens[index].text in alternatives
