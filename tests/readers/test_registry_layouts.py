"""One kind of fact, many layouts: pages in our own words that mirrors could have made."""

from __future__ import annotations

from typing import Any

import pytest

from pasimeta.evidence.readers import Extraction, extract_text
from pasimeta.evidence.readers.fields import phase_field

FLATTENED = """TrialMirror

Umbilical Cells Against Ciclosporin in Patients With Severe Psoriasis

Phase 2
Conditions
Plaque Psoriasis
Interventions
Biological: Small dose UC-MSC
Biological: Large dose UC-MSC
Drug: Ciclosporin
Registration Number
NCT91000001
Brief Summary

Adults with severe psoriasis take part.They will be randomized into three groups.
In group one patients get 0.5x10\\^6 cells/kg in 0,2,4,8 week, in the second group patients get \
2x10\\^6 cells/kg in 0,2,4,8 week,in the third group patients get 100-200mg Ciclosporin.

Status
TERMINATED
Target Recruitment
45
Inclusion Criteria
  • PASI≥12,or BSA≥15% and DLQI score≥8.
Exclusion Criteria
  • PASI≥40.
Study Type
INTERVENTIONAL
Study Design
CROSSOVER
Arm && Interventions
GroupInterventionDescription
Small DoseSmall dose UC-MSCUmbilical cells 0.5 x 10\\^6 cells/kg in saline
Large DoseLarge dose UC-MSCUmbilical cells 2 x 10\\^6 cells/kg in saline
CiclosporinCiclosporin100-200mg Ciclosporin by mouth
Primary Outcome Measures
NameTimeMethod
Share of subjects with 90% or more reduction in PASI (PASI90) at week 16Week 16

The share of subjects whose PASI fell by 90% or more (PASI 90) at week 16

Secondary Outcome Measures
NameTimeMethod
Share of subjects with a score of 0 or 1 on the Physician's global assessment(PGA0/1) at week 8,16,40Week 8,16,40

The share of subjects with 0(clear)or 1(almost clear)

Adverse Events and Serious Adverse EventsWeek 0 through week 40

All events

Share of subjects who relapseWeek 9 though week 40

Psoriasis relapse is defined as loss of \\> 60% of the PASI improvement measured at week 8
Trial Locations
"""

MARKDOWN = """# Tonsil-derived MSC for psoriasis vulgaris

**NCT Number:** NCT91000002
**Status:** Not yet recruiting
**Phase:** Phase 1/Phase 2
**Enrollment:** 24 (Estimated)
**Allocation:** Randomized
**Intervention Model:** Parallel Assignment

## Arms and Interventions
| Arm | Intervention | Description |
|---|---|---|
| Low | Biological: T-MSC | 1.0 × 10⁶ cells per kg at weeks 0, 4 and 8 |
| High | Biological: T-MSC | 3.0 × 10⁶ cells per kg at weeks 0, 4 and 8 |
| Placebo | Drug: saline | Saline |

## Primary Outcome Measures
- PASI 75 response [Time Frame: Week 16]
## Secondary Outcome Measures
- Change in DLQI from baseline [Time Frame: Week 16]
- Body surface area affected [Time Frame: Weeks 16 and 24]
"""

UNTITLED = """The purpose of this study is to see whether adipose-derived MSCs are safe in psoriasis. \
The primary outcome is the improvement rate of PASI.
Study Type
INTERVENTIONAL
Allocation
NA
Masking
NONE
Enrollment
14
Adipose cells were infused at a dose of 3 million cells/kg every 3 weeks, 3 times.
A Hospital
Some City
Improvement rate of the PASI score
rate = (PASI before - PASI after)/PASI before x100%
Time frame: 16 weeks (plus or minus 5 days) after treatment
Relapse
Relapse can be defined only for patients who achieve PASI75, \
and occurs when the improvement falls below 75% from baseline.
Time frame: During the treatment period of 16 weeks / follow-up period of 8 weeks after treatment period
PASI-75
The proportion of patients who achieve at least 75% improvement in PASI score from baseline.
Time frame: 16 weeks (plus or minus 5 days) after treatment
Itch on the Visual Analogue Scale
Time frame: 16 weeks
"""

WITH_FRAGMENT = """Clinical trial

Stem Cells Plus Betamethasnoe Ointment in Psoriasis

Name
GZ2019-11
Status
Completed
Phase
Early phase I
Treatment
Betamethasone ointment
Betamethasone ointment once daily for 8 weeks.
Arms:
Cells plus betamethasone
bone marrow mesenchymal stem cells
BM-MSCs were infused intravenously at a dose of 1 million cells/kg.
Arms:
Cells plus betamethasone
Size
11
Primary endpoint
Percent change of PASI
8 weeks (plus or minus 2 days) after treatment
Protocol
{'studyType': 'INTERVENTIONAL', 'phases': ['PHASE2'], 'designInfo': {'allocation': 'NA', \
'interventionModel': 'SINGLE_GROUP'}, 'enrollmentInfo': {'count': 11, 'type': 'ACTUAL'}}
Updated at
2022-01-01
"""

COLONS = """Public title: Intradermal autologous SVF in psoriasis
IRCT registration number: IRCT20200101012345N6
Recruitment status: Recruitment complete
Phase: 1-2
Target sample size: 16
Study design: Non-randomized, single arm
Interventions: Intervention group: two injections of 2 × 10^6 cells/cm2, one month apart
Primary outcomes: PASI50 at 3 and 6 months
Secondary outcomes: 1. DLQI at 3 months 2. Adverse events
Inclusion criteria: PASI of at least 5; 10 % or more BSA
"""

COMPARATORS = """StatusSuspended
Phase 1
EnrollmentEstimated 12
Registration Number NCT91000006
Psoriasis MSC study
Experimental: Group 1
Single infusion of 1 million cells/kg
Experimental: Group 2
Two infusions of 3 million cells/kg, two weeks apart
Active Comparator: Control
Methotrexate 10 mg weekly
Outcome Measures
Adverse events
Time Frame: 6 months
PASI-75
Time Frame: Weeks 4, 8, 12 (± 3 days)
"""

STACKED = """Clinical Trial NCT91000007
Cord Cells in Moderate to Severe Psoriasis
Study Overview
Brief Summary
This open-label study evaluates cord MSC in psoriasis.
Enrollment (Estimated)
30
Phase
Phase 2
Phase 1
Design Details
Allocation: Non-Randomized
Interventional Model: Sequential Assignment
Arms and Interventions
Participant Group / Arm
Intervention / Treatment
Experimental: Cohort 1
1x10^6 cells/kg, single infusion
Biological: UC-MSC
Intravenous infusion
Experimental: Cohort 2
3x10^6 cells/kg, infused every 4 weeks for 3 times
Biological: UC-MSC
What is the study measuring?
Primary Outcome Measures
Outcome Measure
Measure Description
Time Frame
Incidence of treatment-emergent adverse events
Number of participants with TEAEs
24 weeks
Secondary Outcome Measures
Outcome Measure
Measure Description
Time Frame
PASI 75
Percentage achieving at least 75% reduction in PASI
Week 12
PASI 90
Percentage achieving at least 90% reduction in PASI
Week 24
Collaborators and Investigators
"""

BADGES = """Study of stem cells in psoriasis | NCT91000008
Recruiting · Phase 1/2a · 18 participants
Intervention: MSC infusion, 3 dose levels (1 × 10^6, 2 × 10^6 and 4 × 10^6 cells/kg), given on days 0, 7, 14
Outcome Measures\tPrimary: DLTs within 28 days; Secondary: PASI50/75 at weeks 4, 12 and 24; DLQI at week 24
"""


def study(text: str) -> dict[str, Any]:
    """Return the study of a page as it is printed."""
    found: dict[str, Any] = extract_text(text, "page.txt").to_dict()["study"]
    return found


def doses(text: str) -> list[tuple[Any, ...]]:
    """Return (cells per kg, infusions, weeks) of each arm with cells."""
    return [
        (arm["dose"]["cells_per_kg"], arm["dose"]["infusions"], arm["dose"]["weeks"])
        for arm in study(text)["arms"]
        if arm["dose"]
    ]


def outcomes(text: str) -> set[tuple[Any, ...]]:
    """Return (measure, threshold, weeks, role) of each outcome."""
    return {
        (one["measure"], one["threshold"], tuple(one["weeks"] or ()), one["role"]) for one in study(text)["outcomes"]
    }


@pytest.mark.parametrize(
    ("page", "ids", "status", "phase", "allocation", "enrollment"),
    [
        (FLATTENED, ["NCT91000001"], "terminated", ["2"], "randomized", {"count": 45, "type": "target"}),
        (MARKDOWN, ["NCT91000002"], "not_yet_recruiting", ["1", "2"], "randomized", {"count": 24, "type": "target"}),
        (UNTITLED, [], None, None, "na", {"count": 14, "type": None}),
        (WITH_FRAGMENT, ["GZ2019-11"], "completed", ["early_1", "2"], "na", {"count": 11, "type": "actual"}),
        (COLONS, ["IRCT20200101012345N6"], "active", ["1", "2"], "non_randomized", {"count": 16, "type": "target"}),
        (COMPARATORS, ["NCT91000006"], "suspended", ["1"], None, {"count": 12, "type": "target"}),
        (STACKED, ["NCT91000007"], None, ["1", "2"], "non_randomized", {"count": 30, "type": "target"}),
        (BADGES, ["NCT91000008"], "recruiting", ["1", "2"], None, {"count": 18, "type": None}),
    ],
    ids=["flattened", "markdown", "untitled", "fragment", "colons", "comparators", "stacked", "badges"],
)
def test_what_a_registry_tells(
    page: str, ids: list[str], status: str | None, phase: list[str] | None, allocation: str | None, enrollment: object
) -> None:
    found = study(page)
    assert found["registry_ids"] == ids
    assert (found["status"], found["phase"], found["allocation"]) == (status, phase, allocation)
    assert found["enrollment"] == enrollment


def test_a_table_without_borders() -> None:
    assert doses(FLATTENED) == [([5e5, 5e5], 4, [0, 2, 4, 8]), ([2e6, 2e6], 4, [0, 2, 4, 8])]
    arms = study(FLATTENED)["arms"]
    assert [arm["label"] for arm in arms] == ["Small Dose", "Large Dose", "Ciclosporin"]
    assert arms[2]["drug_dose_mg"] == [100, 200]
    assert outcomes(FLATTENED) == {
        ("pasi_response", 90, (16,), "primary"),
        ("pga_0_1", None, (8, 16, 40), "secondary"),
        ("ae", None, (0, 40), "secondary"),
        ("sae", None, (0, 40), "secondary"),
        ("relapse", None, (9, 40), "secondary"),
    }


def test_weeks_told_elsewhere_keep_their_place() -> None:
    dose = study(FLATTENED)["arms"][0]["dose"]
    assert "0,2,4,8 week" in dose["weeks_span"]["text"]
    assert FLATTENED.split("\n")[dose["weeks_span"]["line"] - 1].startswith("In group one")


def test_relapse_as_structure() -> None:
    by_week = study(FLATTENED)["relapse_definition"]
    assert (by_week["reference"], by_week["reference_week"], by_week["loss_fraction"]) == (
        "improvement_at_week",
        8,
        0.6,
    )
    assert by_week["population"] == "all"
    by_floor = study(UNTITLED)["relapse_definition"]
    assert (by_floor["reference"], by_floor["improvement_below"]) == ("baseline", 75)
    assert by_floor["population"] == "pasi75_responders"


def test_entry_thresholds_come_from_inclusion_alone() -> None:
    assert study(FLATTENED)["eligibility"] == {"pasi": 12, "bsa": 15, "dlqi": 8}
    assert study(COLONS)["eligibility"] == {"pasi": 5, "bsa": 10, "dlqi": None}


def test_a_markdown_table() -> None:
    assert doses(MARKDOWN) == [([1e6, 1e6], 3, [0, 4, 8]), ([3e6, 3e6], 3, [0, 4, 8])]
    assert outcomes(MARKDOWN) == {
        ("pasi_response", 75, (16,), "primary"),
        ("dlqi", None, (16,), "secondary"),
        ("bsa", None, (16, 24), "secondary"),
    }


def test_outcomes_without_a_heading() -> None:
    assert doses(UNTITLED) == [([3e6, 3e6], 3, [0, 3, 6])]
    assert outcomes(UNTITLED) == {
        ("pasi_improvement_rate", None, (16,), "primary"),
        ("relapse", None, (16, 24), None),
        ("pasi_response", 75, (16,), None),
        ("pruritus_vas", None, (16,), None),
    }
    assert "before - PASI after" in study(UNTITLED)["improvement_formula"]


def test_a_dictionary_printed_into_the_page() -> None:
    extraction = extract_text(WITH_FRAGMENT, "page.txt")
    assert {"phase_conflict", "misspelling"} == {problem.code for problem in extraction.problems}
    arm = extraction.study.arms[0]
    assert arm.dose is not None
    assert arm.dose.cells_per_kg == (1e6, 1e6)
    assert [(drug.drug, drug.frequency, drug.weeks) for drug in arm.co_treatments] == [
        ("betamethasone", "once daily", 8)
    ]
    assert outcomes(WITH_FRAGMENT) == {("pasi_improvement_rate", None, (8,), "primary")}


def test_labels_before_colons() -> None:
    arm = study(COLONS)["arms"][0]
    assert arm["dose"]["cells_per_cm2"] == [2e6, 2e6]
    assert (arm["dose"]["infusions"], arm["dose"]["weeks"]) == (2, [0, 4.33])
    assert outcomes(COLONS) == {
        ("pasi_response", 50, (13, 26), "primary"),
        ("dlqi", None, (13,), "secondary"),
        ("ae", None, (), "secondary"),
    }


def test_arms_by_their_role() -> None:
    assert doses(COMPARATORS) == [([1e6, 1e6], 1, [0]), ([3e6, 3e6], 2, [0, 2])]
    control = study(COMPARATORS)["arms"][2]
    assert (control["label"], control["drug_dose_mg"]) == ("Control", [10, 10])
    assert outcomes(COMPARATORS) == {("ae", None, (26,), None), ("pasi_response", 75, (4, 8, 12), None)}


def test_cells_of_a_table_below_one_another() -> None:
    assert doses(STACKED) == [([1e6, 1e6], 1, [0]), ([3e6, 3e6], 3, [0, 4, 8])]
    assert outcomes(STACKED) == {
        ("ae", None, (24,), "primary"),
        ("pasi_response", 75, (12,), "secondary"),
        ("pasi_response", 90, (24,), "secondary"),
    }
    assert extract_text(STACKED, "page.txt").problems == ()


def test_facts_in_a_row() -> None:
    assert doses(BADGES) == [([dose, dose], 3, [0, 1, 2]) for dose in (1e6, 2e6, 4e6)]
    assert outcomes(BADGES) == {
        ("ae", None, (4,), "primary"),
        ("pasi_response", 50, (4, 12, 24), "secondary"),
        ("pasi_response", 75, (4, 12, 24), "secondary"),
        ("dlqi", None, (24,), "secondary"),
    }


@pytest.mark.parametrize("page", [FLATTENED, MARKDOWN, UNTITLED, WITH_FRAGMENT, COLONS, COMPARATORS, STACKED, BADGES])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_spans_point_into_the_page(page: str, line_end: str) -> None:
    lines = page.split("\n")
    extraction = extract_text(page.replace("\n", line_end), "page.txt")
    spans = [*_spans(extraction)]
    assert len(spans) > 3
    for span in spans:
        assert lines[span.line - 1][span.start : span.end] == span.text


def _spans(extraction: Extraction) -> Any:
    yield from (extraction.study.spans or {}).values()
    for item in (*extraction.study.arms, *extraction.study.outcomes, *extraction.claims, *extraction.problems):
        if item.span is not None:
            yield item.span


@pytest.mark.parametrize(
    ("change", "conflict"),
    [
        (("CROSSOVER", "PARALLEL"), False),
        (("CROSSOVER", "SINGLE_GROUP"), True),
        (("will be randomized into three groups", "cross over after a wash-out"), False),
    ],
)
def test_a_design_conflict_needs_a_contradiction(change: tuple[str, str], conflict: bool) -> None:
    codes = {problem.code for problem in extract_text(FLATTENED.replace(*change), "page.txt").problems}
    assert ("design_conflict" in codes) is conflict


def test_a_dose_without_unit_is_doubted() -> None:
    page = UNTITLED.replace("3 million cells/kg", "3 million")
    assert [p.span.text for p in extract_text(page, "page.txt").problems if p.code == "units_missing" and p.span] == [
        "3 million"
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1/Phase 2", ("1", "2")),  # what is left of "Phase 1/Phase 2" behind the label "Phase"
        ("II/III", ("2", "3")),
        ("Early Phase 1", ("early_1",)),
        ("early 1 / Phase 2", ("early_1", "2")),
        ("not applicable", ()),
    ],
)
def test_every_phase_of_a_field_is_read(text: str, expected: tuple[str, ...]) -> None:
    assert phase_field(text) == expected
