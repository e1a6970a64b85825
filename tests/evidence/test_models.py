"""The evidence models refuse what can't be, and keep what is only bounded."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from pasimeta.evidence.facts import Conflict, Count, Fact, Range
from pasimeta.evidence.study import Dose, Patient, ResponseCount, SafetyCount, Study

PLACE = {"source": "report", "locator": "line 1", "confidence": "seen"}


def response(**changes):
    fields = {
        "endpoint": "pasi_response",
        "threshold": 75,
        "events": 6,
        "n_enrolled": 17,
        "n_analysed": 17,
        "week": 12,
        **PLACE,
    }
    return ResponseCount.model_validate(fields | changes)


def test_exact_count_may_be_written_as_one_number():
    assert Count.model_validate(8) == Count(lower=8, upper=8)
    assert Count.model_validate(8).is_exact
    assert str(Count.model_validate({"lower": 6, "upper": 8})) == "6–8"


@given(st.integers(0, 100), st.integers(0, 100))
def test_count_is_an_interval_in_order(lower, upper):
    if lower <= upper:
        assert Count(lower=lower, upper=upper).is_exact == (lower == upper)
    else:
        with pytest.raises(ValidationError, match="exceeds upper"):
            Count(lower=lower, upper=upper)


@pytest.mark.parametrize("wrong", [True, 1.5, "8", -1, None])
def test_count_is_a_whole_number_of_patients(wrong):
    with pytest.raises(ValidationError):
        Count.model_validate(wrong)


def test_unknown_value_needs_a_reason():
    adapter = TypeAdapter(Fact[int])
    with pytest.raises(ValidationError, match="needs a reason"):
        adapter.validate_python({"value": None})
    assert adapter.validate_python({"value": None, "reason": "not printed"}).value is None


@pytest.mark.parametrize("missing", ["source", "locator", "confidence"])
def test_known_value_needs_its_place(missing):
    place = {key: value for key, value in PLACE.items() if key != missing}
    with pytest.raises(ValidationError, match="needs source, locator and confidence"):
        TypeAdapter(Fact[int]).validate_python({"value": 3, **place})


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"events": 18}, "18 events exceed the 17 analysed"),
        ({"n_analysed": 18}, "18 analysed exceed the 17 enrolled"),
        ({"threshold": None}, "threshold belongs to pasi_response"),
        ({"endpoint": "relapse"}, "threshold belongs to pasi_response"),
        ({"threshold": 101}, "less than or equal to 100"),
        ({"week": None}, "null week needs week_reason"),
        ({"surprise": 1}, "Extra inputs"),
    ],
)
def test_impossible_response_count_is_refused(changes, complaint):
    with pytest.raises(ValidationError, match=complaint):
        response(**changes)


def test_response_is_named_as_the_field_names_it():
    assert response().label == "PASI75"
    assert response(endpoint="pga_0_1", threshold=None).label == "PGA 0/1"


def test_events_and_patients_are_never_mixed():
    fields = {"event": "any", "unit": "events", "count": 16, "n": 7, "week": 12, **PLACE}
    assert SafetyCount.model_validate(fields).count.upper == 16
    with pytest.raises(ValidationError, match="need an n at least as large"):
        SafetyCount.model_validate(fields | {"unit": "patients"})


def test_cumulative_dose_is_dose_times_infusions():
    dose = Dose.model_validate({"cells_per_kg": 1.5e6, "infusions": 4, "weeks": [0.0, 2.0, 4.0, 6.0], **PLACE})
    assert dose.cumulative_cells_per_kg == Range(low=6e6, high=6e6)
    # four infusions two weeks apart stand for eight weeks of treatment
    assert dose.rate == Range(low=0.75e6, high=0.75e6)


def test_range_of_doses_and_infusions_multiplies_end_by_end():
    dose = Dose.model_validate(
        {"cells_per_kg": {"low": 5e5, "high": 3.1e6}, "infusions": {"low": 2, "high": 3}, "reason": "weeks", **PLACE}
    )
    assert dose.cumulative_cells_per_kg == Range(low=1e6, high=9.3e6)
    assert dose.rate is None


def test_dose_without_schedule_says_why():
    with pytest.raises(ValidationError, match="needs a reason"):
        Dose.model_validate({"cells_per_kg": 1e6, "infusions": 1, **PLACE})


def test_improvement_is_computed_from_the_scores():
    patient = Patient.model_validate({"id": "p1", "baseline_pasi": 24, "followup_pasi": 8.3, **PLACE})
    assert patient.improvement == pytest.approx(65.4167, abs=1e-4)
    assert Patient.model_validate({"id": "p1", "improvement_percent": 87, **PLACE}).improvement == 87


def test_conflict_keeps_every_reading():
    readings = [{"value": 17, **PLACE}, {"value": 50, **PLACE}]
    conflict = Conflict.model_validate({"field": "enrolled", "readings": readings, "preferred": 0, "why": "the report"})
    assert [r.value for r in conflict.readings] == [17, 50]
    with pytest.raises(ValidationError, match="there are 2 readings"):
        Conflict.model_validate({"field": "enrolled", "readings": readings, "preferred": 2, "why": "?"})


def test_study_round_trips_through_json(evidence):
    for study in evidence.studies.values():
        assert Study.model_validate_json(study.model_dump_json()) == study


def test_sexes_add_up_to_the_enrolled(evidence):
    population = evidence.studies["cheng2022"].population.model_dump()
    population["female"]["value"] = 10
    with pytest.raises(ValidationError, match=r"female \(10\) and male \(8\) don't add up"):
        type(evidence.studies["cheng2022"].population).model_validate(population)
