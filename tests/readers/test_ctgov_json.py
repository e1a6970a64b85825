"""Records of ClinicalTrials.gov, with and without results, alone and by the page."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from pasimeta.errors import EvidenceError
from pasimeta.evidence.readers import extract_text, iter_extractions
from pasimeta.evidence.readers.json_records import records

PROTOCOL: dict[str, Any] = {
    "identificationModule": {
        "nctId": "NCT92000001",
        "orgStudyIdInfo": {"id": "TJ-7"},
        "briefTitle": "UC-MSC in Plaque Psoriasis",
    },
    "statusModule": {"overallStatus": "ACTIVE_NOT_RECRUITING"},
    "descriptionModule": {"briefSummary": 'Cells are infused at weeks 0, 3 and 6.\n\nThe "dose" is low.'},
    "designModule": {
        "phases": ["EARLY_PHASE1"],
        "designInfo": {"allocation": "RANDOMIZED", "interventionModel": "PARALLEL"},
        "enrollmentInfo": {"count": 31, "type": "ACTUAL"},
    },
    "armsInterventionsModule": {
        "armGroups": [
            {"label": "Cells", "description": "1.5 x 10\\^6 cells/kg", "interventionNames": ["Biological: UC-MSC"]},
            {
                "label": "MTX",
                "description": "Methotrexate 10-15 mg weekly",
                "interventionNames": ["Drug: Methotrexate"],
            },
        ],
        "interventions": [{"name": "UC-MSC", "description": "cord cells"}, {"name": "Methotrexate"}],
    },
    "outcomesModule": {
        "primaryOutcomes": [{"measure": "PASI 75", "timeFrame": "Week 12"}],
        "secondaryOutcomes": [
            {"measure": "Incidence of AEs and SAEs", "timeFrame": "up to 52 weeks"},
            {"measure": "sPGA 0/1", "timeFrame": "Weeks 12 and 24"},
            {"measure": "Relapse", "description": "Relapse is a loss of at least 50% of maximal PASI improvement"},
        ],
    },
    "eligibilityModule": {
        "eligibilityCriteria": "Inclusion Criteria:\n\n* PASI \u2265 12\n* DLQI \\> 9\n\nExclusion Criteria:\n\n* PASI > 30"
    },
}

GROUPS = [{"id": "OG0", "title": "Cells"}, {"id": "OG1", "title": "MTX"}]
DENOMS = [{"units": "Participants", "counts": [{"groupId": "OG0", "value": "20"}, {"groupId": "OG1", "value": "11"}]}]


def measured(title: str, unit: str, parameter: str, values: tuple[str, str]) -> dict[str, Any]:
    """Return an outcome measurement of two groups."""
    measurements = [{"groupId": f"OG{k}", "value": value} for k, value in enumerate(values)]
    return {
        "title": title, "unitOfMeasure": unit, "paramType": parameter, "timeFrame": "Week 12", "groups": GROUPS,
        "denoms": DENOMS, "classes": [{"categories": [{"measurements": measurements}]}],
    }  # fmt: skip


RESULTS = {
    "participantFlowModule": {
        "groups": [{"id": "FG0", "title": "Cells"}],
        "periods": [{"milestones": [{"type": "STARTED", "achievements": [{"groupId": "FG0", "numSubjects": "20"}]}]}],
    },
    "outcomeMeasuresModule": {
        "outcomeMeasures": [
            measured("PASI 75", "Participants", "COUNT_OF_PARTICIPANTS", ("13", "4")),
            measured("PGA 0 or 1", "percentage of participants", "NUMBER", ("45.0", "27.3")),
            measured("Mean PASI", "score", "MEAN", ("7.5", "9.1")),
        ]
    },
    "adverseEventsModule": {
        "eventGroups": [
            {"id": "EG0", "title": "Cells", "seriousNumAffected": 1, "seriousNumAtRisk": 20,
             "otherNumAffected": 9, "otherNumAtRisk": 20},
        ]
    },
}  # fmt: skip


def record(**parts: Any) -> dict[str, Any]:
    """Return a record of its own, to be changed."""
    return copy.deepcopy({"protocolSection": PROTOCOL, **parts})


def test_the_protocol() -> None:
    found = extract_text(json.dumps(record()), "record.json")
    study = found.study
    assert found.document.kind == "ctgov_json"
    assert study.registry_ids == ("NCT92000001", "TJ-7")
    assert (study.status, study.phase, study.allocation, study.design) == (
        "active",
        ("early_1",),
        "randomized",
        "parallel",
    )
    assert study.enrollment is not None
    assert (study.enrollment.count, study.enrollment.type) == (31, "actual")
    cells, drug = study.arms
    assert cells.dose is not None
    assert (cells.dose.cells_per_kg, cells.dose.weeks) == ((1.5e6, 1.5e6), (0, 3, 6))
    assert (drug.dose, drug.drug_dose_mg) == (None, (10, 15))
    assert [(one.measure, one.threshold, one.weeks, one.role) for one in study.outcomes] == [
        ("pasi_response", 75, (12,), "primary"),
        ("ae", None, (52,), "secondary"),
        ("sae", None, (52,), "secondary"),
        ("pga_0_1", None, (12, 24), "secondary"),
        ("relapse", None, None, "secondary"),
    ]
    assert study.relapse_definition is not None
    assert study.relapse_definition.reference == "maximum_improvement"
    assert study.eligibility is not None
    assert (study.eligibility.pasi, study.eligibility.bsa, study.eligibility.dlqi) == (12, None, 9)
    assert found.claims == ()


def test_posted_results() -> None:
    found = extract_text(json.dumps(record(resultsSection=RESULTS)), "record.json")
    told = [(c.kind, c.threshold, c.events, c.n, c.percent, c.subgroup, c.measure, c.week) for c in found.claims]
    assert told == [
        ("n", None, None, 20, None, None, None, None),
        ("response", 75, 13, 20, None, "Cells", "pasi_response", 12),
        ("response", 75, 4, 11, None, "MTX", "pasi_response", 12),
        ("response", None, 9, 20, 45.0, "Cells", "pga_0_1", 12),
        ("response", None, 3, 11, 27.3, "MTX", "pga_0_1", 12),
        ("sae", None, 1, 20, None, None, "sae", None),
        ("ae", None, 9, 20, None, None, "ae", None),
    ]


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("ascii_only", [True, False])
def test_spans_point_into_the_json(indent: int | None, ascii_only: bool) -> None:
    text = json.dumps(record(resultsSection=RESULTS), indent=indent, ensure_ascii=ascii_only)
    found = extract_text(text, "record.json")
    lines = text.split("\n")
    items = [*found.claims, *found.study.outcomes, *found.study.arms]
    spans = [*(item.span for item in items if item.span is not None), *(found.study.spans or {}).values()]
    assert len(spans) > 15
    for span in spans:
        assert lines[span.line - 1][span.start : span.end] == span.text != ""
    assert [claim.span.text for claim in found.claims][:3] == ["20", "13", "4"]


@pytest.mark.parametrize(
    ("model", "allocation", "conflict"),
    [("SINGLE_GROUP", "RANDOMIZED", True), ("SINGLE_GROUP", "NA", False), ("PARALLEL", "RANDOMIZED", False)],
)
def test_a_single_group_is_not_randomized(model: str, allocation: str, conflict: bool) -> None:
    changed = record()
    changed["protocolSection"]["designModule"]["designInfo"] = {"allocation": allocation, "interventionModel": model}
    codes = [problem.code for problem in extract_text(json.dumps(changed), "record.json").problems]
    assert codes == ["design_conflict"] * conflict


@pytest.mark.parametrize("wrap", ["list", "page", "lines"])
def test_several_records_come_one_by_one(tmp_path: Path, wrap: str) -> None:
    several = []
    for number in range(3):
        one = record()
        one["protocolSection"]["identificationModule"]["nctId"] = f"NCT9200010{number}"
        several.append(one)
    text = {
        "list": json.dumps(several, indent=1),
        "page": json.dumps({"totalCount": 3, "studies": several, "nextPageToken": "x"}),
        "lines": "\n".join(map(json.dumps, several)),
    }[wrap]
    path = tmp_path / "records.json"
    path.write_text(text, encoding="utf-8")
    found = list(iter_extractions(path))
    assert [one.study.registry_ids[0] for one in found] == ["NCT92000100", "NCT92000101", "NCT92000102"]
    lines = text.split("\n")
    for one in found:
        span = (one.study.spans or {})["status"]
        assert lines[span.line - 1][span.start : span.end] == "ACTIVE_NOT_RECRUITING"
    with pytest.raises(EvidenceError, match="several trials"):
        extract_text(text, "records.json")


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_a_list_in_pieces_reads_as_the_whole(size: int) -> None:
    document = '[100, {"a": ["\\n", 2]},\n 30,\n{}]\n'
    lines = document.split("\n")
    read = list(records((document[k : k + size] for k in range(0, len(document), size)), "a.json"))
    assert [one.value for one in read] == json.loads(document)
    for one in read:
        assert lines[one.line - 1][one.column :].startswith(one.raw)


def test_a_large_page_is_read_piece_by_piece(tmp_path: Path) -> None:
    one = record()
    one["protocolSection"]["descriptionModule"]["detailedDescription"] = "≥" + "x" * 300_000
    path = tmp_path / "page.json"
    path.write_text(
        json.dumps({"studies": [one] * 15, "nextPageToken": "x"}, ensure_ascii=False, indent=1), encoding="utf-8"
    )
    lines = path.read_text(encoding="utf-8").split("\n")
    found = list(iter_extractions(path))
    assert len(found) == 15
    spans = [(extraction.study.spans or {})["status"] for extraction in found]
    assert len({span.line for span in spans}) == 15
    assert all(lines[span.line - 1][span.start : span.end] == "ACTIVE_NOT_RECRUITING" for span in spans)
    assert len({extraction.document.sha256 for extraction in found}) == 1
    path.write_text(path.read_text(encoding="utf-8")[:-200], encoding="utf-8")
    with pytest.raises(EvidenceError, match=r"page\.json: is broken or cut off"):
        list(iter_extractions(path))


@pytest.mark.parametrize("damage", [None, 5, "text", [], {}, [None], [{"type": 3}]])
def test_a_module_of_another_shape_reads_as_empty(damage: object) -> None:
    for module in PROTOCOL:
        changed = record(resultsSection={"outcomeMeasuresModule": damage, "adverseEventsModule": damage})
        changed["protocolSection"][module] = damage
        if module != "identificationModule":
            assert extract_text(json.dumps(changed), "record.json").study.registry_ids[:1] == ("NCT92000001",)
        else:
            extract_text(json.dumps(changed), "record.json")


def test_json_of_another_registry() -> None:
    text = json.dumps(
        {
            "trial": {
                "nct_id": "NCT92000009", "overallStatus": "SUSPENDED", "phase": "PHASE2", "enrollment": 18,
                "briefSummary": "Psoriasis patients get 2x10^6 MSC/kg twice, four weeks apart.",
                "primary_outcome": "PASI75 at week 12",
            }
        }
    )  # fmt: skip
    study = extract_text(text, "other.json").study
    assert (study.registry_ids, study.status, study.phase) == (("NCT92000009",), "suspended", ("2",))
    assert study.arms[0].dose is not None
    assert study.arms[0].dose.weeks == (0, 4)
    assert [(one.threshold, one.weeks) for one in study.outcomes] == [(75, (12,))]
