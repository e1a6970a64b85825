"""Bad input: a clear line, never a hang."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from pasimeta.errors import EvidenceError
from pasimeta.evidence.readers import extract_bytes, extract_file, extract_text

PAGE = "Status\nCompleted\nPhase\nPhase 2\nEnrollment\n12\nPsoriasis, PASI≥10 (“MSC”) × naïve\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "gb18030", "cp1252"])
def test_encodings(encoding: str) -> None:
    text = PAGE.replace("≥", ">") if encoding == "cp1252" else PAGE
    data = (b"\xff\xfe" if encoding == "utf-16-le" else b"") + text.encode(encoding)
    study = extract_bytes(data, "page.txt").study
    assert (study.status, study.phase) == ("completed", ("2",))


def test_chinese_punctuation_in_gb18030() -> None:
    page = "状态\nStatus：Completed\nPhase：Phase 2\nInclusion criteria：银屑病（psoriasis），PASI≥１２，BSA≥１０％\n"
    study = extract_bytes(page.encode("gb18030"), "page.txt").study
    assert study.status == "completed"
    assert study.eligibility is not None
    assert (study.eligibility.pasi, study.eligibility.bsa) == (12, 10)


def test_windows_letters() -> None:
    page = "Titre\nStatus\nCompleted\nPhase\nPhase 2\nPsoriasis – naïve patients, “étude” à Orléans, 5–25 mg\n"
    assert extract_bytes(page.encode("cp1252"), "page.txt").study.status == "completed"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is empty"),
        (b" \n\t", "is empty"),
        (b"\xef\xbb\xbf ", "is empty"),
        (b"%PDF-1.7 ...", "is a PDF"),
        (b"PK\x03\x04....", "zip"),
        (bytes(range(256)) * 8, "binary"),
        (b"psoriasis\x00trial", "binary"),
        (b"\xff\xfea", "breaks it"),
        (b'{"protocolSection": {"a"', "cut off"),
        (b'[{"protocolSection": {}}', "cut off"),
        (b'{"studies": [{"protocolSection": {}}', "cut off"),
        (b'{"a": 1} trailing', "after its end"),
        (b"[" * 100_000, "nests too deeply"),
        (b"<article><p>psoriasis</article>", "broken XML"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><article>&b;</article>', "entity"),
        (b"psoriasis trial " * 200_000, "million characters"),
    ],
)
def test_unreadable_documents_get_one_line(data: bytes, message: str) -> None:
    name = "document.json" if data.startswith((b"{", b"[")) else "document.txt"
    with pytest.raises(EvidenceError, match=message) as refusal:
        extract_bytes(data, name)
    assert str(refusal.value).startswith("document.")
    assert "\n" not in str(refusal.value)
    assert len(str(refusal.value)) < 250


def test_a_missing_file_and_a_folder() -> None:
    with pytest.raises(EvidenceError, match="does not exist"):
        extract_file("/nowhere/page.txt")
    with pytest.raises(EvidenceError, match="folder"):
        extract_file("/")


@pytest.mark.parametrize(
    "text",
    [
        "Mix two cups of flour with three eggs and bake for 30 minutes.",
        "Status: Completed\nPhase: Phase 3\nEnrollment: 300\nMetformin in diabetes, NCT93000001",
        json.dumps({"protocolSection": {"identificationModule": {"nctId": "NCT93000002", "briefTitle": "Knee pain"}}}),
        "Ten tips for skin with psoriasis: moisturise twice a day.",
    ],
)
def test_a_page_about_something_else_gives_an_empty_draft_with_a_reason(text: str) -> None:
    found = extract_text(text, "page.json" if text.startswith("{") else "page.txt")
    assert [problem.code for problem in found.problems] == ["irrelevant"]
    assert len(found.problems[0].message) > 20
    assert found.study.to_dict() == type(found.study)().to_dict()
    assert found.claims == ()


HOSTILE = """
import sys
from pasimeta.errors import PasimetaError
from pasimeta.evidence.readers import extract_text
size = 30_000
head = "Status\\nCompleted\\nPhase 1\\npsoriasis mesenchymal dose infused outcome assessed random relapse NCT93000003\\n"
units = [
    "9", "(", ",", " ", "1,", "1, ", "5% ", "1 of ", "week 1 ", "1x10^6 ", "1x10^6 cells/kg ", "PASI 75 ", "a.", "aB",
    "{", "{}", "'", '"', "<", "[", "\\\\^", "&#120;", "|", "| a | 1x10^6 cells/kg\\n", "every 2 weeks ", "no adverse ",
    "relapse 50% improvement ", "random ", "group a, ", "Primary outcome:\\n", "PASI\\nTime frame: week 1\\n", "\\n",
    "(1,2)%/", "１０％，", "±", "week 1 ± ", ";PASI75", "NCT", "IRCT1", "phase 1/", "PASI75Week 1 ", "more than ",
    "Arm A: 1x10^6 cells/kg\\n", "Arms:\\na\\n", "one ", "10^6 ", ".5 million ", "a ", "<p ", "x" * 20 + " ",
]
heads = [head, head + "Primary Outcome Measures\\nNameTimeMethod\\n", head + "Arms\\nGroupInterventionDescription\\n",
         head + "Inclusion Criteria\\nPASI ", "<html>", "<article>", '{"a": ["']
for start in heads:
    for unit in units:
        try:
            extract_text(start + unit * (size // len(unit) if start is head else 5_000 // len(unit)), "page.txt")
        except PasimetaError:
            pass
"""


def test_no_input_hangs_a_pattern() -> None:
    # each repeats one piece until an algorithm of quadratic time would need hours
    subprocess.run([sys.executable, "-c", HOSTILE], check=True, timeout=300)
