"""The extraction notebook's tables: a figure beside the few words it stands in, never a copied sentence."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pasimeta.pipeline.extraction import (
    MOST_WORDS,
    document_lines,
    example_extractions,
    found,
    in_stored,
    located,
    problems,
    words_around,
)

SEEDS = Path(__file__).resolve().parents[3] / "shared" / "seeds"


def test_without_documents_every_place_is_named_and_no_word_is_shown(evidence):
    lines = document_lines(evidence)
    assert set(lines["label"]) == {study.label for study in evidence.studies.values()}
    assert lines["words"].isna().all()
    assert set(in_stored(lines)["status"]) == {"document not at hand"}
    assert located(lines)["places"].sum() == len(lines)


@pytest.mark.skipif(not SEEDS.is_dir(), reason="the stored documents are not at hand")
def test_with_documents_each_figure_stands_beside_a_few_words(evidence):
    lines = in_stored(document_lines(evidence, SEEDS))
    stands = lines[lines["status"] == "stands there"]
    assert len(stands) >= 70
    assert stands["words"].notna().all()
    longest = max(len(words.replace("…", " ").replace("|", " ").split()) for words in stands["words"])
    assert longest <= MOST_WORDS + 1


def test_example_pages_are_read_and_their_slip_is_found(project):
    examples = example_extractions(project.data / "examples")
    table = found(examples)
    assert set(table["document"]) == {"record.json", "registry_page.txt", "report.txt"}
    values = set(table["value"])
    assert "3 million cells/kg, 4 infusions, weeks 0, 2, 4, 6" in values
    assert "PASI75 7 of 21, printed 33.3 %" in values
    assert "loses more than 50 % of the improvement at week 16" in values
    slips = problems(examples)
    assert ("report.txt", "percent count mismatch", 13) in set(
        zip(slips["document"], slips["code"], slips["line"], strict=True)
    )


def test_examples_say_that_they_are_fictional(project):
    for page in (project.data / "examples").iterdir():
        assert "fictional" in page.read_text(encoding="utf-8").lower(), page.name


def test_glued_figures_stay_glued():
    line = "treated with 3x10^6 cells/kg,in week 7"
    assert words_around(line, 13, 19, 3) == "… with 3x10^6 cells/kg,in …"
    assert words_around("PASI75 at week", 4, 6, 5) == "PASI75 at week"


@given(st.lists(st.text("abc1%", min_size=1, max_size=6), min_size=1, max_size=40), st.data())
def test_the_figure_is_shown_and_never_more_than_the_words_allowed(words, data):
    line = " ".join(words)
    start = data.draw(st.integers(0, len(line) - 1))
    end = data.draw(st.integers(start + 1, min(len(line), start + 6)))
    shown = words_around(line, start, end)
    assert line[start:end].strip() in shown
    assert len(shown.replace("…", " ").split()) <= MOST_WORDS + 2
