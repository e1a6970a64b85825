"""PASI arithmetic: Fredriksson and Pettersson's score, improvement, response, and what a missed visit means."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pasimeta.effects.pasi import area_grades, improvement_rate, pasi_score, reaches, responses
from pasimeta.effects.pasi_course import IMPUTATIONS, relapses_below, relapses_by_loss, responses_at
from pasimeta.errors import PasimetaError, PasimetaWarning

tenths = st.integers(0, 720)
grade = st.integers(0, 4)
region = st.lists(grade, min_size=4, max_size=4)
areas = st.lists(st.integers(1, 6), min_size=4, max_size=4)


# The score


def test_score_of_a_worked_patient():
    # By hand: 0.1*(2+1+1)*2 + 0.2*(3+2+2)*3 + 0.3*(2+2+3)*4 + 0.4*(3+3+2)*3 = 0.8 + 4.2 + 8.4 + 9.6
    score = pasi_score([2, 3, 2, 3], [1, 2, 2, 3], [1, 2, 3, 2], area=[2, 3, 4, 3])
    assert score.tolist() == [23.0]


def test_score_runs_from_0_to_72_exactly():
    assert pasi_score(*[[4] * 4] * 3, area=[6] * 4).tolist() == [72.0]
    assert pasi_score(*[[0] * 4] * 3, area=[0] * 4).tolist() == [0.0]


@pytest.mark.parametrize(("place", "most"), [(0, 7.2), (1, 14.4), (2, 21.6), (3, 28.8)])
def test_each_region_has_its_weight(place, most):
    worst = np.zeros(4)
    worst[place] = 1
    assert pasi_score(4 * worst, 4 * worst, 4 * worst, area=6 * worst)[0] == pytest.approx(most, abs=1e-12)


@given(region, region, region, areas)
def test_score_equals_the_sum_in_exact_fractions(redness, thickness, scaliness, area):
    exact = sum(
        Fraction(w, 10) * (r + t + s) * a
        for w, r, t, s, a in zip((1, 2, 3, 4), redness, thickness, scaliness, area, strict=True)
    )
    assert pasi_score(redness, thickness, scaliness, area=area)[0] == float(exact)


@given(region, region, region, areas, st.integers(0, 3))
def test_score_never_falls_when_a_grade_rises(redness, thickness, scaliness, area, place):
    worse = list(redness)
    worse[place] = min(4, worse[place] + 1)
    mild = pasi_score(redness, thickness, scaliness, area=area)
    assert pasi_score(worse, thickness, scaliness, area=area) >= mild


@given(st.lists(st.tuples(region, region, region, areas), min_size=1, max_size=5))
def test_many_patients_at_once_score_as_one_by_one(patients):
    redness, thickness, scaliness, area = map(np.array, zip(*patients, strict=True))
    together = pasi_score(redness, thickness, scaliness, area=area)
    assert together.tolist() == [pasi_score(r, t, s, area=a)[0] for r, t, s, a in patients]


def test_area_grades_change_at_the_published_limits():
    percent = [0, 0.1, 9.99, 10, 29.99, 30, 49.99, 50, 69.99, 70, 89.99, 90, 100]
    assert area_grades(percent).tolist() == [0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6]


def test_area_may_be_given_as_percent():
    grades = ([1] * 4, [2] * 4, [3] * 4)
    assert pasi_score(*grades, area_percent=[5, 15, 60, 95]) == pasi_score(*grades, area=[1, 2, 4, 6])


def test_wrong_grade_names_patient_and_region():
    redness = [[1, 1, 1, 1], [1, 1, 5, 1]]
    with pytest.raises(PasimetaError, match=r"redness, patient B, trunk: 5 is not a severity; grade it 0"):
        pasi_score(redness, np.ones((2, 4)), np.ones((2, 4)), area=np.ones((2, 4)), patients=["A", "B"])
    with pytest.raises(PasimetaError, match=r"area, row 1, head: 1.5 is not an area grade; .* area_percent"):
        pasi_score([1] * 4, [1] * 4, [1] * 4, area=[1.5, 1, 1, 1])
    with pytest.raises(PasimetaError, match=r"has 3 columns; give one for each region: head, upper limbs"):
        pasi_score([1] * 3, [1] * 3, [1] * 3, area=[1] * 3)
    with pytest.raises(PasimetaError, match=r"area_percent, row 1: 101 is not a percentage"):
        area_grades(101)
    with pytest.raises(PasimetaError, match="give either area"):
        pasi_score([1] * 4, [1] * 4, [1] * 4)


def test_severity_without_area_is_doubted():
    with pytest.warns(PasimetaWarning, match=r"row 1, trunk: severity is graded but the area is 0"):
        pasi_score([1, 1, 1, 1], [0] * 4, [0] * 4, area=[1, 1, 0, 1])


# Improvement and response


def test_improvement_of_published_patients():
    # Comella 2018: 50.4 to 0.3; De Jesus 2016: 21 to 9 and 24 to 8.3
    assert improvement_rate([50.4, 21, 24], [0.3, 9, 8.3]).round(1).tolist() == [99.4, 57.1, 65.4]


@given(st.integers(1, 720), tenths, st.integers(1, 100))
def test_response_agrees_with_exact_fractions(before, after, threshold):
    exact = Fraction(before - after, before) * 100 >= threshold
    assert bool(responses(before / 10, after / 10, threshold)[0]) is exact


@given(st.lists(st.floats(-200, 100), min_size=1, max_size=8))
def test_responders_never_rise_with_the_threshold(improvement):
    reached = reaches(improvement, [40, 50, 75, 90, 100])
    assert reached.shape == (len(improvement), 5)
    assert (np.diff(reached.astype(int), axis=1) <= 0).all()


def test_clear_skin_cannot_improve():
    with pytest.raises(PasimetaError, match=r"baseline, patient 7: 0 leaves nothing to improve"):
        improvement_rate([10, 0], [1, 0], patients=[3, 7])
    with pytest.raises(PasimetaError, match=r"followup, row 2: 73 is not a PASI; scores run from 0 to 72"):
        improvement_rate([10, 10], [1, 73])
    with pytest.raises(PasimetaError, match=r"threshold: 0 is not above 0"):
        reaches([50], 0)


# Missed visits

NAN = float("nan")
WEEKS = [4, 8, 12]


@pytest.mark.parametrize(
    ("visits", "best", "last", "nonresponder"),
    [
        ([20, 8, 4], True, True, True),
        ([4, 8, NAN], True, False, False),
        ([8, 4, NAN], True, True, False),
        ([4, NAN, 20], True, False, False),
        ([NAN, NAN, NAN], False, False, False),
    ],
)
def test_what_a_missed_visit_means(visits, best, last, nonresponder):
    found = {
        how: bool(responses_at([20], [visits], weeks=WEEKS, week=12, threshold=75, imputation=how)[0])
        for how in IMPUTATIONS
    }
    assert found == {"best_observed": best, "last_observed": last, "nonresponder": nonresponder}


def test_visits_after_the_week_asked_about_do_not_count():
    assert not responses_at([20], [[20, 20, 0]], weeks=WEEKS, week=8, threshold=50, imputation="best_observed")[0]


@given(
    st.lists(
        st.tuples(st.integers(1, 720), st.lists(st.none() | tenths, min_size=3, max_size=3)), min_size=1, max_size=6
    )
)
def test_nonresponder_is_never_kinder_than_last_nor_last_than_best(patients):
    baseline = [b / 10 for b, _ in patients]
    visits = [[NAN if v is None else v / 10 for v in row] for _, row in patients]
    strict, last, best = (
        responses_at(baseline, visits, weeks=WEEKS, week=12, threshold=[50, 75], imputation=how) for how in IMPUTATIONS
    )
    assert (strict <= last).all()
    assert (last <= best).all()


def test_a_week_without_visit_is_refused():
    with pytest.raises(PasimetaError, match=r"week 10: no visit was made then; choose one of 4, 8, 12"):
        responses_at([20], [[1, 2, 3]], weeks=WEEKS, week=10, threshold=50)
    with pytest.raises(PasimetaError, match="weeks: don't ascend"):
        responses_at([20], [[1, 2, 3]], weeks=[4, 12, 8], week=8, threshold=50)
    with pytest.raises(PasimetaError, match=r"visits: have shape \(1, 2\)"):
        responses_at([20], [[1, 2]], weeks=WEEKS, week=8, threshold=50)
    with pytest.raises(PasimetaError, match=r"visits, patient P1: 80 is not a PASI"):
        responses_at([20], [[1, 80, 3]], weeks=WEEKS, week=8, threshold=50, patients=["P1"])


# Relapse


def test_losing_more_than_half_of_the_gain_is_a_relapse():
    # NCT03424629: from 20 to 8 at week 7 gains 12; a relapse is a PASI above 14 later on.
    visits = [[8, 14.0, 14.1, 20], [8, 14.0, 14.0, 14.0], [20, 72, 72, 72], [8, NAN, NAN, 15]]
    found = relapses_by_loss([20, 20, 20, 20], visits, weeks=[7, 12, 20, 52], reference_week=7)
    assert found.at_risk.tolist() == [True, True, False, True]
    assert found.relapsed.tolist() == [True, False, False, True]
    assert found.weeks == (20.0, None, None, 52.0)
    assert (found.count, found.n) == (2, 3)


def test_falling_below_pasi50_is_a_relapse_only_after_reaching_it():
    # NCT03745417: PASI50 of 20 is a PASI of 10 or less.
    visits = [[10, 10.1, 4], [15, 11, 20], [12, 5, 10], [5, NAN, 18]]
    found = relapses_below([20, 20, 20, 20], visits, weeks=WEEKS)
    assert found.at_risk.tolist() == [True, False, True, True]
    assert found.relapsed.tolist() == [True, False, False, True]
    assert found.weeks == (8.0, None, None, 12.0)


def test_the_two_definitions_differ():
    # From 20 to 2 and back to 10.5: below PASI50, but less than half of the gain of 18 is lost.
    course = {"baseline": [20], "visits": [[2, 10.5]], "weeks": [7, 12]}
    assert relapses_below(**course).count == 1
    assert relapses_by_loss(**course, reference_week=7).count == 0


@given(
    st.integers(1, 720),
    st.lists(tenths, min_size=4, max_size=4),
    st.sampled_from([Fraction(1, 4), Fraction(1, 2), Fraction(3, 4), Fraction(1)]),
)
def test_relapse_by_loss_agrees_with_exact_fractions(before, visits, fraction):
    reference, *later = visits
    exact = before > reference and any(v - reference > fraction * (before - reference) for v in later)
    found = relapses_by_loss(
        [before / 10], [[v / 10 for v in visits]], weeks=[7, 12, 20, 52], reference_week=7, fraction=float(fraction)
    )
    assert bool(found.relapsed[0]) is exact
    assert not (found.relapsed & ~found.at_risk).any()


@given(st.integers(1, 720), st.lists(tenths, min_size=4, max_size=4), st.integers(1, 100))
def test_relapse_below_a_response_agrees_with_exact_fractions(before, visits, threshold):
    responds = [Fraction(before - v, before) * 100 >= threshold for v in visits]
    exact = any(responds[:i] and any(responds[:i]) and not r for i, r in enumerate(responds))
    found = relapses_below([before / 10], [[v / 10 for v in visits]], weeks=[1, 2, 3, 4], threshold=threshold)
    assert bool(found.relapsed[0]) is exact


def test_unseen_reference_visit_is_refused():
    with pytest.raises(PasimetaError, match=r"visits, patient B: was not seen at the reference week 7"):
        relapses_by_loss([20, 20], [[5, 5], [NAN, 5]], weeks=[7, 12], reference_week=7, patients=["A", "B"])
    with pytest.raises(PasimetaError, match=r"fraction: 50 is not above 0 and at most 1; half of .* is 0.5"):
        relapses_by_loss([20], [[5, 5]], weeks=[7, 12], reference_week=7, fraction=50)


def test_relapses_as_a_table():
    table = relapses_below([20, 20], [[5, 18], [5, 5]], weeks=[7, 12], patients=["A", "B"]).to_frame()
    assert table["patient"].tolist() == ["A", "B"]
    assert table["week"].isna().tolist() == [False, True]
