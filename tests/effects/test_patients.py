"""Individual patients give the counts that their reports give, or the audit says so."""

import pytest

from pasimeta.effects.patients import patient_findings, patient_improvements, patient_responses
from pasimeta.evidence.study import Patient

SEEN = {"source": "page", "locator": "text", "confidence": "seen"}


def test_every_reported_count_agrees_with_the_patients(evidence):
    table = patient_responses(evidence)
    reported = table[table["reported_lower"].notna()]
    assert len(reported) >= 15
    assert reported["agrees"].all()


def test_counts_follow_from_the_scores(evidence):
    table = patient_responses(evidence, [50, 75]).set_index(["study", "threshold"])
    # De Jesus 2016: 57.1 and 65.4 percent
    assert table.loc[("dejesus2016", 50), "events_lower"] == table.loc[("dejesus2016", 50), "events_upper"] == 2
    assert table.loc[("dejesus2016", 75), "events_upper"] == 0


def test_untold_patients_widen_the_interval(evidence):
    # Lwin 2025 tells one of three, who improved by 87 percent.
    table = patient_responses(evidence).set_index(["study", "threshold"])
    assert table.loc[("lwin2025", 75), ["events_lower", "events_upper", "told", "n"]].tolist() == [1, 3, 1, 3]
    assert table.loc[("lwin2025", 90), ["events_lower", "events_upper"]].tolist() == [0, 2]


def test_scores_come_before_a_printed_percentage():
    both = Patient(id="a", baseline_pasi=20.0, followup_pasi=5.0, improvement_percent=74.0, **SEEN)
    percent = Patient(id="b", improvement_percent=87.0, **SEEN)
    neither = Patient(id="c", **SEEN)
    assert patient_improvements([both, percent, neither]) == [75.0, 87.0, None]
    assert patient_improvements([]) == []


def test_committed_patients_contradict_no_count(project):
    assert patient_findings(project.data) == []


@pytest.mark.parametrize(
    ("study", "old", "new", "field"),
    [
        ("dejesus2016", "followup_pasi: 9", "followup_pasi: 12", "outcomes.1.events"),
        ("ahn2021", "followup_pasi: 1.7", "followup_pasi: 0.5", "outcomes.3.events"),
    ],
)
def test_a_changed_score_contradicts_its_count(copied_project, study, old, new, field):
    path = copied_project.data / "studies" / f"{study}.yaml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    found = patient_findings(copied_project.data)
    assert field in [f.field for f in found]
    assert {f.code for f in found} == {"patient_count_mismatch"}
    assert all(f.file.endswith(f"{study}.yaml") and f.line for f in found)
