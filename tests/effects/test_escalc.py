"""Effect sizes agree with their definitions, and impossible counts are refused by row."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pasimeta.effects import PROPORTION_MEASURES, TWO_ARM_MEASURES, escalc
from pasimeta.errors import PasimetaError

counts = st.integers(1, 200).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))

#: R's metafor 3.8.1, escalc(measure, xi=c(2, 0, 10), ni=c(14, 20, 10)).
METAFOR_PROPORTIONS = {
    "PR": (
        [0.14285714285714, 0.02380952380952, 0.95454545454545],
        [0.008746355685131, 0.001106791923118, 0.003944402704733],
    ),
    "PLO": ([-1.791759469228, -3.713572066704, 3.044522437723], [0.5833333333333, 2.0487804878049, 2.0952380952381]),
    "PAS": ([0.3875966866552, 0.0, 1.5707963267949], [0.01785714285714, 0.0125, 0.025]),
    "PFT": (
        [0.4187198919177, 0.1099939886977, 1.4176576422101],
        [0.01724137931034, 0.01219512195122, 0.02380952380952],
    ),
    "PLN": ([-1.94591014905531, -3.73766961828337, -0.04652001563489], [3 / 7, 1.952380952380952, 0.004329004329004]),
}


@pytest.mark.parametrize("measure", METAFOR_PROPORTIONS)
def test_proportions_agree_with_metafor(measure: str) -> None:
    yi, vi = escalc(measure, events=[2, 0, 10], n=[14, 20, 10])
    np.testing.assert_allclose(yi, METAFOR_PROPORTIONS[measure][0], rtol=1e-11)
    np.testing.assert_allclose(vi, METAFOR_PROPORTIONS[measure][1], rtol=1e-11)


def test_an_empty_cell_corrects_its_own_study_only() -> None:
    yi, vi = escalc("PLO", events=[0, 5], n=[10, 40])
    assert yi[0] == pytest.approx(np.log(0.5 / 10.5))
    assert vi[0] == pytest.approx(1 / 0.5 + 1 / 10.5)
    assert yi[1] == pytest.approx(np.log(5 / 35))
    assert vi[1] == pytest.approx(1 / 5 + 1 / 35)


@pytest.mark.parametrize("measure", ["PAS", "PFT"])
def test_variance_stabilized_measures_are_never_corrected(measure: str) -> None:
    yi, vi = escalc(measure, events=[0, 10], n=[10, 10])
    assert vi[0] == vi[1] == pytest.approx(1 / 40 if measure == "PAS" else 1 / 42)
    assert yi[0] + yi[1] == pytest.approx(np.pi / 2)


def test_two_arm_measures_agree_with_their_definitions() -> None:
    arms = {"events1": [4], "n1": [123], "events2": [11], "n2": [139]}
    yi, vi = escalc("OR", **arms)
    assert yi[0] == pytest.approx(np.log(4 * 128 / (119 * 11)), rel=1e-14)
    assert vi[0] == pytest.approx(1 / 4 + 1 / 119 + 1 / 11 + 1 / 128, rel=1e-14)
    yi, vi = escalc("RR", **arms)
    assert yi[0] == pytest.approx(np.log((4 / 123) / (11 / 139)), rel=1e-14)
    assert vi[0] == pytest.approx(1 / 4 - 1 / 123 + 1 / 11 - 1 / 139, rel=1e-13)
    yi, vi = escalc("RD", **arms)
    assert yi[0] == pytest.approx(4 / 123 - 11 / 139, rel=1e-14)
    assert vi[0] == pytest.approx(4 * 119 / 123**3 + 11 * 128 / 139**3, rel=1e-14)


@given(counts)
def test_swapping_event_and_non_event_mirrors_the_effect(count: tuple[int, int]) -> None:
    events, n = count
    for measure, centre in {"PR": 1.0, "PLO": 0.0, "PAS": np.pi / 2, "PFT": np.pi / 2}.items():
        here, there = escalc(measure, events=[events], n=[n]), escalc(measure, events=[n - events], n=[n])
        assert here.yi[0] + there.yi[0] == pytest.approx(centre, abs=1e-12)
        assert here.vi[0] == pytest.approx(there.vi[0], rel=1e-12)


@given(counts, counts)
def test_swapping_the_arms_changes_the_sign_alone(first: tuple[int, int], second: tuple[int, int]) -> None:
    (a, n1), (c, n2) = first, second
    for measure in TWO_ARM_MEASURES:
        here = escalc(measure, events1=[a], n1=[n1], events2=[c], n2=[n2])
        there = escalc(measure, events1=[c], n1=[n2], events2=[a], n2=[n1])
        assert here.yi[0] == pytest.approx(-there.yi[0], abs=1e-12)
        assert here.vi[0] == pytest.approx(there.vi[0], rel=1e-10)


@given(counts)
def test_every_measure_gives_a_finite_effect_and_a_positive_variance(count: tuple[int, int]) -> None:
    events, n = count
    for measure in PROPORTION_MEASURES:
        yi, vi = escalc(measure, events=[events], n=[n])
        assert np.isfinite(yi[0])
        assert vi[0] > 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"events": [1, 3], "n": [10, 0]}, "n, row 2: 0 leaves the group empty"),
        ({"events": [11], "n": [10]}, "events, row 1: 11 exceeds n"),
        ({"events": [1.5], "n": [10]}, "events, row 1: 1.5 is not a whole number"),
        ({"events": [-1], "n": [10]}, "events, row 1: -1 is negative"),
        ({"events": [np.nan], "n": [10]}, "events, row 1: nan is not finite"),
        ({"events": ["one"], "n": [10]}, "row 1: 'one' is not a number"),
        ({"events": [1, 2], "n": [10]}, "unequal lengths"),
        ({"events": [], "n": []}, "no study at all"),
        ({"events": [1]}, "n missing"),
        ({"events": [1], "n": [2], "n1": [3]}, "leave out n1"),
    ],
)
def test_impossible_counts_are_refused_with_row_and_remedy(arguments: dict, message: str) -> None:
    with pytest.raises(PasimetaError, match=message):
        escalc("PLO", **arguments)


def test_an_unknown_measure_names_the_choices() -> None:
    with pytest.raises(PasimetaError, match="choose one of PR, PLN"):
        escalc("SMD", events=[1], n=[2])
