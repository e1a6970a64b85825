"""Hypothetical results are marked as such wherever they count, and impossible ones are refused."""

import pytest

from pasimeta.errors import ParameterError
from pasimeta.evidence import tables
from pasimeta.evidence.inclusion import InclusionRule, decide_all
from pasimeta.evidence.selection import response_counts
from pasimeta.evidence.what_if import check_trials, decided, hypothetical, with_counts, with_records

INVENTED = {"study": None, "threshold": 50, "events": 12, "n": 30}
SILENT = {"study": "nct03392311", "threshold": 50, "events": 3, "n": 8}


@pytest.fixture(scope="module")
def decisions(evidence):
    return decide_all(evidence, InclusionRule())


def test_supposed_counts_stand_in_the_table_under_their_own_name(evidence, decisions):
    responses = tables.responses(evidence, decisions)
    table = tables.RESPONSES.validate(with_counts(responses, [INVENTED, SILENT], evidence))
    counts = response_counts(table, 50)
    assert set(counts["study"]) == {"cheng2022", "yao2021", "what-if-1", "nct03392311"}
    supposed = counts[counts["source"] == "what_if"]
    assert supposed["label"].str.startswith("What if: ").all()
    assert (supposed["confidence"] == "hypothetical").all()
    assert hypothetical(counts) == 2
    assert len(table) == len(responses) + 2


def test_nothing_supposed_changes_nothing(evidence, decisions):
    responses, studies = tables.responses(evidence, decisions), tables.characteristics(evidence, decisions)
    assert with_counts(responses, [], evidence) is responses
    assert with_records(studies, []) is studies
    assert decided(decisions, []) == decisions


def test_a_silent_trial_that_is_supposed_to_report_is_let_in(decisions):
    changed = {d.study for d, before in zip(decided(decisions, [SILENT]), decisions, strict=True) if d != before}
    assert changed == {"nct03392311"}
    assert next(d for d in decided(decisions, [SILENT]) if d.study == "nct03392311").included


@pytest.mark.parametrize(
    ("trials", "word"),
    [
        ([SILENT | {"study": "cheng2022"}], "has reported"),
        ([SILENT | {"study": "nobody"}], "is no study"),
        ([SILENT, SILENT], "twice"),
        ([SILENT, SILENT | {"threshold": 75, "n": 9}], "two sizes"),
        ([SILENT, SILENT | {"threshold": 75, "events": 4}], "more responders at PASI75"),
    ],
)
def test_what_cannot_be_supposed_is_refused(trials, word, evidence):
    with pytest.raises(ParameterError, match=word):
        check_trials(trials, evidence)
