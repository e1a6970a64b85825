"""Each figure is looked up at its locator: it stands there, in whatever spelling, or the audit says what doesn't."""

import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pasimeta.evidence.audit import audit_folder
from pasimeta.evidence.audit.documents import Stored
from pasimeta.evidence.audit.locators import NO_COPY, NO_LINE, NOT_AT_HAND, OWN_WORDS, places_of, verdict
from pasimeta.evidence.audit.printed import Passage, printed_numbers
from pasimeta.evidence.context import Source
from pasimeta.evidence.facts import Fact, Reading
from pasimeta.evidence.readers.source import Source as Document
from pasimeta.evidence.study import Dose, Patient, PlannedOutcome, ResponseCount, SafetyCount

SEEDS = Path(__file__).resolve().parents[3] / "shared" / "seeds"
SOURCES = {"page": Source(kind="news", title="Page", sha256="0" * 64)}
HERE = {"source": "page", "locator": "line 1", "confidence": "seen"}

# A page of our own that gives the facts of a committed study on the lines its locators name.
OWN_PAGE = {
    17: "Allogeneic cells of the umbilical cord were given.",
    21: "Seventeen patients (n = 17) were treated. In 6 months there was no serious event that was related. "
    "40 % better or more: 47.1 %; 75 %: 35.3%; 90 %: 17.6 percent.",
    23: "First part: 5 people, 1.5 × 10^6/kg, 4 times, every 2 weeks. Visits: days 15, 30, 45, then 2, 3 and 6 months.",
    24: "Second part: 1.5, 2.0, 2.5 or 3.0 × 10⁶ per kg; 4 infusions, each 15 days, or 2 infusions, each 30 days.",
    34: "Women: 6 of 9 (66.7%). Men: 2 of 8 (25%).",
    36: "A gain of 40 % was seen in 8/17 (7.1%).",
    38: "Almost clear: 3/17, 7.6%.",
    40: "No significant correlation with the dose.",
}


def stored(text):
    document = Document(text)
    return {"page": Stored(Path("page.txt"), document, document.lines())}


def judged(figure, text, place=0):
    places = list(places_of("figure", figure))
    return verdict(figure, places[place], SOURCES, stored(text))


def response(events, n, threshold=75, **more):
    given_ = {"week": None, "week_reason": "Not given", **HERE, **more}
    return ResponseCount(
        endpoint="pasi_response", threshold=threshold, events=events, n_enrolled=n, n_analysed=n, **given_
    )


# Spellings


@pytest.mark.parametrize(
    "text",
    [
        "1x10\\^6 cells/kg", "1 × 10^6/kg", "1*10^6 per kg", "1e6 cells/kg", "1.0E+06", "1 million cells/kg",
        "1,000,000 cells per kg", "1×10⁶ cells", "one million cells", "1 x 106 cells/kg", "１×10^6",
        "0.5, 1.0 and 2.0 x 10^6/kg", "1 to 3 × 10^6/kg",
    ],
)  # fmt: skip
def test_a_dose_stands_in_any_spelling(text):
    dose = Dose(cells_per_kg=1e6, reason="Not given", **HERE)
    assert judged(dose, f"They got {text} by vein.").status == "proven"
    assert judged(Dose(cells_per_kg=1e7, reason="Not given", **HERE), f"They got {text}.").status == "failed"


@pytest.mark.parametrize(
    ("text", "weeks"),
    [
        ("in 0,1,2,3,5,7 week", [0, 1, 2, 3, 5, 7]),
        ("at weeks 0, 4 and 8", [0, 4, 8]),
        ("every 2 weeks, 3 times", [0, 2, 4]),
        ("3 times, once every 15 days", [0, 2.14, 4.29]),
        ("2 doses, monthly", [0, 4.3]),
        ("two infusions one month apart", [0, 4.35]),
    ],
)
def test_a_schedule_stands_in_any_spelling(text, weeks):
    dose = Dose(cells_per_kg=1e6, infusions=len(weeks), weeks=[float(w) for w in weeks], **HERE)
    assert judged(dose, f"1 million cells per kg {text}").status == "proven"
    wrong = Dose(cells_per_kg=1e6, infusions=len(weeks), weeks=[*map(float, weeks[:-1]), weeks[-1] + 9.0], **HERE)
    assert judged(wrong, f"1 million cells per kg {text}").status == "failed"


@pytest.mark.parametrize(
    ("text", "week"),
    [("at week 12", 12), ("12-week follow-up", 12), ("day 122", 17.4), ("after three months", 13), ("for 6 months", 26),
     ("a year: 1 year", 52.2), ("Week 12,16,36,52", 36)],
)  # fmt: skip
def test_a_week_stands_as_days_months_or_years(text, week):
    document = Document(text)
    passage = Passage(document, document.lines())
    assert passage.week(week) is not None
    assert passage.week(week + 7) is None


@pytest.mark.parametrize(
    ("text", "events", "n"),
    [
        ("6/9 women", 6, 9), ("66.7 % of the 9 women", 6, 9), ("six of nine", 6, 9), ("67% (n = 9)", 6, 9),
        ("none of 9", 0, 9), ("no patient of the 9", 0, 9), ("all 9", 9, 9),
    ],
)  # fmt: skip
def test_a_count_stands_as_number_word_or_percentage(text, events, n):
    text = f"PASI75: {text}"
    assert judged(response(events, n), text).status == "proven"
    other = events + 1 if events < n else events - 2
    assert judged(response(other, n), text).status == "failed"


def test_a_percentage_of_another_size_does_not_prove_a_count():
    assert judged(response(6, 17), "PASI75 in 35.3 % of 17").status == "proven"
    assert judged(response(6, 18), "PASI75 in 35.3 % of 18").status == "failed"


def test_a_number_with_another_meaning_does_not_prove_a_count():
    for text in (
        "PASI75 at week 8 of 17",
        "PASI75 in 8 % of 17",
        "PASI75 of 17 [8]",
        "PASI75 of 17, phase 8",
        "PASI75 of 17, 8 times",
    ):
        assert judged(response(8, 17), text).status == "failed", text


def test_both_ends_of_an_interval_must_stand():
    interval = response({"lower": 6, "upper": 8}, 17, threshold=50)
    assert judged(interval, "47.1 % and 35.3 % of 17").status == "proven"
    assert judged(interval, "only 35.3 % of 17").status == "failed"
    assert judged(response({"lower": 1, "upper": 3}, 3), "the best 1 of 3").status == "proven"


def test_safety_week_and_outcome_measures():
    safety = SafetyCount(event="serious_related", unit="patients", count=0, n=17, week=26.0, **HERE)
    assert judged(safety, "17 treated, 6-month follow-up, no serious event").status == "proven"
    assert judged(safety, "17 treated, 3-month follow-up, no serious event").status == "failed"
    planned = PlannedOutcome(measure="pasi_response", threshold=75, weeks=[20.0], **HERE)
    assert judged(planned, "(PASI75) at week 20Week 20").status == "proven"
    assert judged(planned, "(DLQI75) at week 20").reason == "'pasi response': not found there"


def test_status_dates_and_conflicting_readings():
    assert judged(Fact[str](value="completed", **HERE), "COMPLETED").status == "proven"
    assert judged(Fact[str](value="completed", **HERE), "Terminated").status == "failed"
    assert judged(Reading(value="2020-03-19", **HERE), "Ended 2020-03-19").status == "proven"
    assert judged(Reading(value="early phase 1", **HERE), "Early phase I").status == "proven"
    assert judged(Reading(value="crossover", **HERE), "PARALLEL").status == "failed"
    assert judged(Patient(id="a", baseline_pasi=50.4, followup_pasi=0.3, **HERE), "PASI 50.4 to .3").status == "proven"


# What can't be checked, and why


def test_what_cannot_be_checked_says_why():
    text = "Whatever stands here"
    assert judged(Fact[str](value="As the doctor saw fit", **HERE), text)[:2] == ("not_checkable", OWN_WORDS)
    figure = Fact[int](value=8, **{**HERE, "locator": "abstract"})
    assert judged(figure, text)[:2] == ("not_checkable", NO_LINE)
    (place,) = places_of("figure", figure)
    assert verdict(figure, place, SOURCES, {}).reason == NOT_AT_HAND
    assert verdict(figure, place, {"page": Source(kind="news", title="P", url="https://a.org")}, {}).reason == NO_COPY


def test_a_derived_number_is_accepted_only_where_derived_accounts_for_it():
    text = "PASI75 in 6 of 9"
    known = Fact[int](value=15, derived="6 + 9", **HERE)
    assert judged(known, text).status == "proven" or judged(known, text).reason.startswith("derived")
    assert judged(Fact[int](value=16, derived="6 + 9", **HERE), text).status == "failed"
    assert judged(response(6, 9, week=12.0, week_reason=None, derived="week 12 is assumed"), text).status == "proven"
    assert judged(response(6, 9, week=13.0, week_reason=None, derived="week 12 is assumed"), text).status == "failed"


def test_an_agreeing_document_may_give_a_part():
    dose = {"cells_per_kg": 2e6, "infusions": 3, "weeks": [0.0, 4.0, 8.0], **HERE, "locator": "abstract"}
    whole = Dose(**dose, also=[{"source": "page", "locator": "line 1"}])
    part = Dose(**dose, also=[{"source": "page", "locator": "line 1", "part": "the cells of an infusion"}])
    text = "2 million cells per kg"
    assert judged(whole, text, place=1).status == "failed"
    assert judged(part, text, place=1)[:2] == ("proven", "this place gives only the cells of an infusion")
    assert judged(part, "3 million cells per kg", place=1).status == "failed"


def test_locators_name_lines_ranges_and_rows():
    text = "first 1\nsecond 2\nthird 3\nfourth 4"
    for locator, value in (("line 2", 2), ("lines 1, 3-4", 4), ("line 1 and line 2", 1), ("lines 2–3", 3)):
        assert judged(Fact[int](value=value, **{**HERE, "locator": locator}), text).status == "proven", locator
    assert judged(Fact[int](value=4, **{**HERE, "locator": "line 5"}), text).reason.startswith("'line 5' is not in")
    assert judged(Fact[int](value=4, **{**HERE, "locator": "line 0"}), text).status == "failed"
    table = "trial,n,events\nA,334,304\nB,335,265"
    assert judged(Fact[int](value=265, **{**HERE, "locator": "row 2"}), table).status == "proven"
    assert judged(Fact[int](value=265, **{**HERE, "locator": "row 1"}), table).status == "failed"


def test_spans_point_into_the_document_as_received():
    text = "A dose of 3x10\\^6 cells/kg in ０,1 week"
    found = judged(Dose(cells_per_kg=3e6, infusions=2, weeks=[0.0, 1.0], **HERE), text)
    assert found.spans[0].text == "3x10\\^6"
    assert all(text[span.start : span.end] == span.text for span in found.spans)


# A whole folder


def own_page(project):
    """Put a page of our own in the place of a stored document, and a copy of it under another name."""
    text = "\n".join(OWN_PAGE.get(line, "") for line in range(1, 45))
    sources = project.data / "sources.yaml"
    content = sources.read_text()
    old = content.split("cheng2022-news-stored:")[1].split("sha256: ")[1][:64]
    sources.write_text(content.replace(old, hashlib.sha256(text.encode()).hexdigest()))
    folder = project.root / "documents" / "deep"
    folder.mkdir(parents=True)
    (folder / "any name.bin").write_text(text)
    return folder.parent


def test_a_page_of_our_own_proves_a_committed_study(small_project):
    report = audit_folder(small_project.data, own_page(small_project))
    assert [str(f) for f in report.findings] == []
    proven = [check for check in report.locators if check.status == "proven"]
    assert {check.source for check in proven} == {"cheng2022-news-stored"}
    assert len(proven) >= 20
    assert report.counts()["not_checkable"] == len(report.locators) - len(proven)


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ("source: cheng2022-news-stored\n    locator: line 21", "source: cheng2022-news-stored\n    locator: line 23",
         "outcomes.1"),
        ("n: {value: 5, source: cheng2022-news-stored", "n: {value: 4, source: cheng2022-news-stored", "arms.0.n"),
        ("cells_per_kg: 2.5e+6", "cells_per_kg: 5.2e+6", "arms.3.dose.also.0"),
        ("weeks: [0, 2, 4, 6]", "weeks: [0, 3, 6, 9]", "arms.0.dose.also.0"),
        ("- {value: 7.6,", "- {value: 6.7,", "conflicts.2.readings.1"),
        ("week: 26\n", "week: 13\n", "safety.0"),
        ("threshold: 90", "threshold: 95", "outcomes.3"),
        ("locator: line 40", "locator: line 400", "findings.0"),
    ],
)  # fmt: skip
def test_a_changed_figure_no_longer_stands_at_its_locator(small_project, old, new, field):
    documents = own_page(small_project)
    path = small_project.data / "studies" / "cheng2022.yaml"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new, 1))
    found = [f for f in audit_folder(small_project.data, documents).findings if f.code == "not_at_locator"]
    assert field in [f.field for f in found]
    assert all("mend the figure or the locator" in f.message for f in found)


def test_a_changed_document_is_found(small_project, tmp_path):
    folder = tmp_path / "documents"
    folder.mkdir()
    (folder / "004_6fcd25f76abccb5a.txt").write_text("Something else")
    (finding,) = audit_folder(small_project.data, folder).findings
    assert (finding.code, finding.field) == ("document_changed", "cheng2022-news-stored.sha256")


@pytest.mark.skipif(not SEEDS.is_dir(), reason="the stored documents are not at hand")
def test_the_stored_documents_prove_the_committed_figures(project):
    report = audit_folder(project.data, SEEDS)
    assert [str(finding) for finding in report.findings] == []
    assert report.counts()["failed"] == 0
    assert report.counts()["proven"] >= 75


# Properties


@given(st.integers(0, 10**6))
def test_any_number_is_read_back(value):
    assert value in [n.value for n in printed_numbers(f"about {value} of them")]
    assert value in [n.value for n in printed_numbers(f"about {value:,} of them")]


@given(st.floats(0.1, 99.9), st.integers(2, 12))
def test_any_power_is_read_back(mantissa, exponent):
    value = float(f"{mantissa:.1f}") * 10.0**exponent
    for text in (f"{mantissa:.1f} x 10^{exponent}", f"{mantissa:.1f}×10\\^{exponent}/kg", f"{mantissa:.1f}e{exponent}"):
        document = Document(text)
        assert Passage(document, document.lines()).number(value) is not None


@given(st.text(max_size=200))
def test_no_text_breaks_the_reading_of_numbers(text):
    document = Document(text)
    passage = Passage(document, document.lines())
    assert all(n.value >= 0 for n, _ in passage.numbers)
    passage.count(0, 5)
    passage.week(4.3)


@given(st.integers(1, 40).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_every_count_stands_where_it_is_printed(count):
    events, n = count
    assert judged(response(events, n), f"PASI75 was reached by {events}/{n}.").status == "proven"
    assert judged(response(events, n), f"PASI75 was reached by {events} out of {n} people.").status == "proven"
