"""The audit: clean on the committed data, and no changed figure gets past it."""

import json
import re
import sys
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pasimeta.cli import main
from pasimeta.errors import EvidenceError
from pasimeta.evidence.audit import audit_folder
from pasimeta.evidence.audit.counts import mean_is_possible, percent_complaints, threshold_complaints
from pasimeta.evidence.grim import rounded_percent
from pasimeta.evidence.study import ResponseCount


@pytest.fixture(scope="module")
def clean_report(project):
    return audit_folder(project.data)


def change(project, file, old, new):
    path = project.data / file
    text = path.read_text(encoding="utf-8")
    assert old in text, f"{old!r} is not in {file}"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return path


def codes(project):
    return {(finding.code, finding.field) for finding in audit_folder(project.data).findings}


def test_committed_data_are_clean(clean_report):
    assert [str(finding) for finding in clean_report.findings] == []
    assert clean_report.is_clean
    assert clean_report.figures > 600


MISMATCH, IMPUTED, IMPROVED = "percent_count_mismatch", "imputation_mismatch", "improvement_mismatch"
CHENG, YAO, COMELLA = "studies/cheng2022.yaml", "studies/yao2021.yaml", "studies/comella2018.yaml"
DEJESUS, BENCHMARKS = "studies/dejesus2016.yaml", "comparators/benchmarks.yaml"


@pytest.mark.parametrize(
    ("file", "old", "new", "code", "field"),
    [
        (CHENG, 'printed_percent: "35.3"', 'printed_percent: "35.2"', MISMATCH, "outcomes.2.printed_percent"),
        (CHENG, "events: 6\n", "events: 5\n", MISMATCH, "outcomes.2.events"),
        (CHENG, "events: 8\n", "events: 5\n", "threshold_order", "outcomes.2.events"),
        (CHENG, "events: 6\n    n_enrolled: 9", "events: 4\n    n_enrolled: 9", "subgroup_sum", "outcomes.5.events"),
        (CHENG, "n_analysed: 9", "n_analysed: 8", MISMATCH, "outcomes.5.printed_percent"),
        (CHENG, "n_enrolled: 9", "n_enrolled: 10", "enrolment_mismatch", "outcomes.5.n_enrolled"),
        (CHENG, "n: {value: 5,", "n: {value: 18,", "arm_sum", "arms"),
        (CHENG, "infusions: 4\n", "infusions: 5\n", "schedule_mismatch", "arms.0.dose.infusions"),
        (CHENG, "weeks: [0, 2, 4, 6]", "weeks: [2, 4, 6, 8]", "schedule_mismatch", "arms.0.dose.weeks"),
        (CHENG, "cells_per_kg: 1.5e+6", "cells_per_kg: 1.5", "dose_implausible", "arms.0.dose.cells_per_kg"),
        (CHENG, "week: 26\n", "week: 62\n", "week_beyond_follow_up", "safety.0.week"),
        (CHENG, "    n: 17\n    week: 26", "    n: 18\n    week: 26", "enrolment_mismatch", "safety.0.n"),
        (CHENG, "year: 2022", "year: 2032", "date_order", "citation.year"),
        (CHENG, "- {value: 17, source", "- {value: 16, source", "preferred_mismatch", "conflicts.0.preferred"),
        (CHENG, "  - cheng2022-abstract-doaj\n", "", "source_not_listed", None),
        (YAO, "n_analysed: 7\n    week: 52", "n_analysed: 6\n    week: 52", IMPUTED, "outcomes.0.n_analysed"),
        (YAO, "events: 2\n", "events: 1\n", IMPUTED, None),
        (YAO, "mean: 50.71", "mean: 50.72", "mean_not_possible", "population.age.value.mean"),
        (YAO, "low: 35, high: 65", "low: 65, high: 35", "distribution_order", "population.age.value"),
        (YAO, "analysed: {value: 7", "analysed: {value: 8", "enrolment_mismatch", "population.analysed"),
        (COMELLA, "    age: 43\n", "    age: 43\n    improvement_percent: 89.4\n", IMPROVED,
         "patients.0.improvement_percent"),
        (COMELLA, "an improvement of 99.4 %", "an improvement of 94.9 %", IMPROVED, "outcomes.0.derived"),
        (COMELLA, "week: 4.3", "week: 104", "week_beyond_follow_up", "outcomes.0.week"),
        (DEJESUS, "sd: 21.2", "sd: 41.2", "distribution_spread", "population.age.value.sd"),
        (BENCHMARKS, "value: 5.2", "value: 52", "distribution_order", "0.value"),
        ("comparators/gordon2003.yaml", "events: 26\n", "events: 62\n", "derived_sum", "arms.0.counts.0.events"),
        ("comparators/champion.yaml", "events: 39\n", "events: 93\n", MISMATCH, None),
        ("comparators/clear.yaml", "events: 243\n", "events: 324\n", "threshold_order", None),
        ("sources.yaml", "collection-notes:", "nobody-notes:", "source_undefined", None),
    ],
)  # fmt: skip
def test_a_changed_figure_is_found(small_project, file, old, new, code, field):
    change(small_project, file, old, new)
    found = audit_folder(small_project.data).findings
    assert code in {finding.code for finding in found}, [str(finding) for finding in found]
    if field is not None:
        assert (code, field) in {(finding.code, finding.field) for finding in found}


def test_finding_names_file_and_line(small_project):
    path = change(small_project, CHENG, "infusions: 4\n", "infusions: 5\n")
    (finding,) = audit_folder(small_project.data).findings
    assert finding.file == str(path)
    assert path.read_text().splitlines()[finding.line - 1].strip() == "infusions: 5"
    assert str(finding).startswith(f"{path}:{finding.line}: arms.0.dose.infusions: 5 infusions, but 4 weeks are listed")


def test_unused_source_is_found(small_project):
    path = small_project.data / "sources.yaml"
    path.write_text(
        path.read_text() + "forgotten:\n  kind: news\n  title: Nobody cites it\n  url: https://example.org\n"
    )
    (finding,) = audit_folder(small_project.data).findings
    assert (finding.code, finding.field) == ("source_unused", "forgotten")


def test_schema_is_audited_and_the_other_files_still_are(small_project):
    change(small_project, YAO, "donor: allogeneic", "donor: cat")
    change(small_project, CHENG, "infusions: 4\n", "infusions: 5\n")
    assert codes(small_project) == {("schema", "product.donor"), ("schedule_mismatch", "arms.0.dose.infusions")}


def test_a_file_that_cannot_be_read_is_refused(small_project):
    (small_project.data / YAO).write_text("id: [")
    with pytest.raises(EvidenceError, match="is not valid YAML"):
        audit_folder(small_project.data)
    with pytest.raises(EvidenceError, match="holds no folder 'studies'"):
        audit_folder(small_project.root)


# The command


@pytest.fixture
def pasimeta(small_project, monkeypatch, capsys):
    """Run the command in the small project; return exit status, output and errors."""

    def run(*arguments):
        monkeypatch.chdir(small_project.root)
        monkeypatch.setattr(sys, "argv", ["pasimeta", *arguments])
        with pytest.raises(SystemExit) as end:
            main()
        return end.value.code, *capsys.readouterr()

    return run


def test_command_ends_with_0_when_clean(pasimeta):
    status, output, errors = pasimeta("audit")
    assert (status, errors) == (0, "")
    assert re.fullmatch(r"\d+ cited figures: no findings\n", output)


def test_command_ends_with_1_and_prints_json_when_something_is_found(small_project, pasimeta):
    change(small_project, CHENG, "infusions: 4\n", "infusions: 5\n")
    change(small_project, DEJESUS, "followup_pasi: 9", "followup_pasi: 12")
    status, output, _ = pasimeta("audit", "--format", "json")
    report = json.loads(output)
    assert status == 1
    assert not report["clean"]
    found = {(f["file"], f["code"]) for f in report["findings"]}
    assert ("data/studies/cheng2022.yaml", "schedule_mismatch") in found
    assert ("data/studies/dejesus2016.yaml", "patient_count_mismatch") in found


def test_command_ends_with_2_on_bad_input(pasimeta):
    status, _, errors = pasimeta("audit", "--documents", "nowhere")
    assert status == 2
    assert "nowhere: is not a folder" in errors
    assert pasimeta("audit", "--format", "csv")[0] == 2


# Properties

counts = st.integers(1, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


def response(events, n, threshold=75, **more):
    return ResponseCount(
        endpoint="pasi_response", threshold=threshold, events=events, n_enrolled=n, n_analysed=n, week=12.0,
        source="page", locator="line 1", confidence="seen", **more,
    )  # fmt: skip


@given(counts, st.integers(0, 2))
def test_a_rounded_percentage_never_contradicts_its_own_count(count, decimals):
    events, n = count
    percent = rounded_percent(events, n, decimals)
    assert list(percent_complaints("f", response(events, n, printed_percent=percent), n)) == []


@given(counts, st.integers(1, 5))
def test_another_count_contradicts_the_percentage(count, off):
    events, n = count
    percent = rounded_percent(events, n, 1)
    wrong = (events + off) % (n + 1)
    if wrong != events:
        (complaint,) = percent_complaints("f", response(wrong, n, printed_percent=percent), n)
        assert complaint.code == "percent_count_mismatch"


@given(st.lists(st.integers(20, 90), min_size=1, max_size=12))
def test_the_mean_of_whole_ages_is_always_possible(ages):
    assert mean_is_possible(round(sum(ages) / len(ages), 2), len(ages))


def test_grim_refuses_an_impossible_mean():
    assert mean_is_possible(50.71, 7)
    assert not mean_is_possible(50.72, 7)
    assert not mean_is_possible(50.5, 7)
    assert mean_is_possible(12.35, 2, Fraction(1, 10))
    assert not mean_is_possible(12.34, 2, Fraction(1, 10))


@given(st.lists(st.floats(0, 100), min_size=1, max_size=20))
def test_counts_of_real_patients_are_in_order(improvements):
    n = len(improvements)
    outcomes = [response(sum(i >= t for i in improvements), n, t) for t in (50, 75, 90)]
    assert list(threshold_complaints([(str(i), o) for i, o in enumerate(outcomes)])) == []


@given(counts, st.integers(1, 5))
def test_counts_that_rise_with_the_threshold_are_found(count, more):
    events, n = count
    outcomes = [("0", response(events, n + more, 50)), ("1", response(events + more, n + more, 75))]
    (complaint,) = threshold_complaints(outcomes)
    assert (complaint.field, complaint.code) == ("1.events", "threshold_order")
