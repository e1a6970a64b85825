"""Whatever is normalised, a span still shows the document's own characters."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pasimeta.evidence.readers.json_records import RecordSource, records
from pasimeta.evidence.readers.source import Source

PIECES = st.sampled_from(
    ["a", "7", " ", "\\^", "&ge;", "&#xd7;", "×10⁶", "％", "（", "≥", "\n", "\r\n", "🇨🇳", "ﬁ", ".", "é"]
)


@given(st.lists(PIECES, max_size=40).map("".join))
def test_each_character_knows_its_place(text: str) -> None:
    source = Source(text)
    lines = text.replace("\r\n", "\n").split("\n")
    for number, line in enumerate(source.lines(), 1):
        assert len(line.chars) == len(line.places)
        for column in range(len(line)):
            span = source.span_of(line, column, column + 1)
            assert span.line == number
            assert lines[span.line - 1][span.start : span.end] == span.text != ""


@given(st.lists(PIECES, max_size=30).map("".join), st.booleans())
def test_a_string_in_json_knows_its_place(text: str, ascii_only: bool) -> None:
    document = "  \n" + json.dumps({"a": [1, {"b": "x" + text + "END"}]}, ensure_ascii=ascii_only, indent=1)
    record = next(records([document], "a.json"))
    source = RecordSource(record)
    string = source.string("a", 1, "b")
    assert string is not None
    span = source.span_of(string, len(string) - 3)
    assert document.split("\n")[span.line - 1][span.start : span.end] == span.text == "END"


@pytest.mark.parametrize(
    ("printed", "plain"),
    [("10\\^6", "10^6"), ("10⁶", "10^6"), ("≥１０％", "≥10%"), ("&lt;5&nbsp;mg", "<5 mg"), ("5‒25", "5–25")],
)
def test_spellings_become_plain(printed: str, plain: str) -> None:
    assert Source(printed).lines()[0].chars == plain
