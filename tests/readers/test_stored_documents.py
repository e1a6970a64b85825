"""Everything the five stored documents tell, where they are at hand beside the project."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pasimeta.evidence.readers import Extraction, extract_file

SEEDS = Path(__file__).resolve().parents[3] / "shared" / "seeds"

pytestmark = pytest.mark.skipif(not SEEDS.is_dir(), reason="the stored documents aren't beside the project")


def read(number: str) -> Extraction:
    """Return what a stored document tells."""
    (path,) = SEEDS.glob(f"{number}_*.txt")
    return extract_file(path)


def outcomes(extraction: Extraction) -> list[tuple[Any, ...]]:
    """Return (measure, threshold, weeks, role) in order."""
    return [(one.measure, one.threshold, one.weeks, one.role) for one in extraction.study.outcomes]


def codes(extraction: Extraction) -> set[str]:
    """Return the codes of the problems."""
    return {problem.code for problem in extraction.problems}


def test_three_arms_against_methotrexate() -> None:
    found = read("000")
    study = found.study
    assert found.document.kind == "registry_page"
    assert study.registry_ids == ("NCT03424629",)
    assert (study.status, study.phase, study.allocation, study.design) == ("unknown", ("1",), "randomized", "crossover")
    assert study.enrollment is not None
    assert (study.enrollment.count, study.enrollment.type) == (57, "target")
    low, high, drug = study.arms
    for arm, amount in ((low, 1e6), (high, 3e6)):
        assert arm.dose is not None
        assert arm.dose.cells_per_kg == (amount, amount)
        assert (arm.dose.infusions, arm.dose.weeks) == (6, (0, 1, 2, 3, 5, 7))
    assert (drug.dose, drug.drug_dose_mg) == (None, (5, 25))
    assert [one.drug for one in drug.co_treatments] == ["methotrexate"]
    assert outcomes(found) == [
        ("pasi_response", 75, (20,), "primary"),
        ("pga_0_1", None, (20,), "primary"),
        ("pasi_response", 75, (12, 16, 36, 52), "secondary"),
        ("ae", None, (0, 52), "secondary"),
        ("sae", None, (0, 52), "secondary"),
        ("relapse", None, (8, 52), "secondary"),
        ("pga_0_1", None, (12, 16, 36, 52), "secondary"),
        ("pasi_response", 90, (20,), "secondary"),
    ]
    relapse = study.relapse_definition
    assert relapse is not None
    assert (relapse.reference, relapse.reference_week, relapse.loss_fraction) == ("improvement_at_week", 7, 0.5)
    assert study.eligibility is not None
    assert (study.eligibility.pasi, study.eligibility.bsa, study.eligibility.dlqi) == (10, 10, 10)
    assert codes(found) == {"design_conflict"}
    assert found.claims == ()


def test_cells_with_an_ointment() -> None:
    found = read("001")
    study = found.study
    assert study.registry_ids == ("S2016-04-02",)
    assert (study.status, study.phase, study.allocation) == ("completed", ("early_1", "1", "2"), "na")
    assert study.enrollment is not None
    assert (study.enrollment.count, study.enrollment.type) == (8, "actual")
    (arm,) = study.arms
    assert arm.dose is not None
    assert (arm.dose.cells_per_kg, arm.dose.weeks) == ((2e6, 2e6), None)
    assert [(one.drug, one.frequency, one.weeks) for one in arm.co_treatments] == [("calcipotriol", "twice daily", 12)]
    assert outcomes(found) == [("pasi_improvement_rate", None, (12,), "primary"), ("ae", None, None, None)]
    assert codes(found) == {"phase_conflict", "misspelling"}


def test_a_page_without_headings() -> None:
    found = read("002")
    study = found.study
    assert study.enrollment is not None
    assert (study.enrollment.count, study.allocation, study.registry_ids) == (5, "na", ())
    (arm,) = study.arms
    assert arm.dose is not None
    assert arm.dose.cells_per_kg == (2e6, 2e6)
    assert outcomes(found) == [
        ("pasi_improvement_rate", None, (12,), "primary"),
        ("pasi_change", None, (12,), None),
        ("relapse", None, (12, 24), None),
        ("pasi_response", 50, (12,), None),
        ("pasi_response", 75, (12,), None),
        ("pruritus_vas", None, (12,), None),
        ("bsa", None, (12,), None),
        ("dlqi", None, (12,), None),
        ("ae", None, None, None),
    ]
    relapse = study.relapse_definition
    assert relapse is not None
    assert (relapse.reference, relapse.improvement_below, relapse.population) == ("baseline", 50, "pasi50_responders")
    assert study.improvement_formula is not None
    assert "before intervention - PASI score after intervention" in study.improvement_formula
    assert found.claims == ()


def test_outcomes_without_doses() -> None:
    found = read("003")
    assert found.study.registry_ids == ("NCT03265613",)
    assert found.study.arms == ()
    assert {one.measure for one in found.study.outcomes} == {
        "ae", "sae", "pasi_improvement_rate", "relapse", "pasi_change", "bsa", "dlqi",
    }  # fmt: skip


def test_a_news_report() -> None:
    found = read("004")
    study = found.study
    assert found.document.kind == "report"
    assert (study.registry_ids, study.phase, study.allocation) == (("NCT03765957",), ("1", "2"), "na")
    told = [
        (claim.kind, claim.threshold, claim.events, claim.n, claim.percent, claim.subgroup, claim.span.line)
        for claim in found.claims
    ]
    assert told == [
        ("n", None, None, 17, None, None, 21),
        ("sae", None, 0, 17, None, None, 21),
        ("response", 40, 8, 17, 47.1, None, 21),
        ("response", 75, 6, 17, 35.3, None, 21),
        ("response", 90, 3, 17, 17.6, None, 21),
        ("n", None, None, 5, None, "phase 1", 23),
        ("n", None, None, 12, None, "phase 2", 24),
        ("ae", None, 0, 17, None, None, 28),
        ("ae", None, 0, None, None, "3e+06 cells/kg", 30),
        ("effective", None, 6, 9, 66.7, "female", 34),
        ("effective", None, 2, 8, 25.0, "male", 34),
        ("response", 40, 8, 17, 7.1, None, 36),
        ("response", None, 3, 17, 7.6, None, 38),
        ("correlation", None, None, None, None, None, 40),
    ]


def test_dose_groups_of_the_news_report() -> None:
    doses = [arm.dose for arm in read("004").study.arms if arm.dose is not None]
    assert [(dose.cells_per_kg, dose.infusions, dose.weeks) for dose in doses] == [
        ((1.5e6, 1.5e6), 4, (0, 2, 4, 6)),
        ((1.5e6, 1.5e6), 4, (0, 2.14, 4.29, 6.43)),
        ((2.0e6, 2.0e6), 4, (0, 2.14, 4.29, 6.43)),
        ((2.5e6, 2.5e6), 2, (0, 4.29)),
        ((3.0e6, 3.0e6), 2, (0, 4.29)),
    ]
    assert [dose.total_cells for dose in doses] == [None, None, None, None, (None, 2.4e8)]
    assert [arm.label for arm in read("004").study.arms][1:] == ["group A", "group B", "group C", "group D"]


def test_digits_that_the_news_report_lost() -> None:
    problems = [(problem.code, problem.message) for problem in read("004").problems]
    assert [code for code, _ in problems] == ["percent_count_mismatch"] * 2 + ["truncated_number"] * 2
    assert "47.1%" in problems[0][1]
    assert "17.6%" in problems[1][1]
    assert "0.125 billion" in problems[2][1]


@pytest.mark.parametrize("number", ["000", "001", "002", "003", "004"])
def test_spans_show_what_stands_there(number: str) -> None:
    found = read(number)
    (path,) = SEEDS.glob(f"{number}_*.txt")
    lines = path.read_text(encoding="utf-8").split("\n")
    items = [*found.claims, *found.problems, *found.study.outcomes, *found.study.arms]
    spans = [*(item.span for item in items if item.span is not None), *(found.study.spans or {}).values()]
    assert spans
    for span in spans:
        assert lines[span.line - 1][span.start : span.end] == span.text != ""
