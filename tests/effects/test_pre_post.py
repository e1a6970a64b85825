"""Change from before to after: definitions, metafor, and agreement of summaries with individual values."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pasimeta.effects import PRE_POST_MEASURES, pre_post, pre_post_values
from pasimeta.errors import PasimetaError

SUMMARY = {"n": [10, 20], "mean_pre": [20, 18], "mean_post": [8, 12], "sd_pre": [5, 6], "sd_post": [4, 5]}

#: R's metafor 3.8.1, escalc(measure, m1i=post, m2i=pre, ...) with correlations 0.5 and 0.3; SMCR by the sd before.
METAFOR = {
    "MC": ([-12, -6], [2.1, 2.15]),
    "SMCC": ([-2.3930862099194, -0.878309738810488], [0.38634308040532, 0.0692856999322337]),
    "SMCR": ([-2.193299740302126, -0.959910352924253], [0.340528187540469, 0.0930356971412791]),
    "ROMC": ([-0.916290731874155, -0.405465108108164], [0.01875, 0.0100694444444444]),
}


@pytest.mark.parametrize("measure", PRE_POST_MEASURES)
def test_changes_agree_with_metafor(measure: str) -> None:
    yi, vi = pre_post(measure, **SUMMARY, correlation=[0.5, 0.3])
    np.testing.assert_allclose(yi, METAFOR[measure][0], rtol=1e-12)
    np.testing.assert_allclose(vi, METAFOR[measure][1], rtol=1e-12)


@pytest.mark.parametrize("measure", PRE_POST_MEASURES)
@given(seed=st.integers(0, 10_000), patients=st.integers(3, 30))
def test_individual_values_and_their_summary_agree(measure: str, seed: int, patients: int) -> None:
    generator = np.random.default_rng(seed)
    pre = generator.gamma(9, 2, patients)
    post = pre * generator.uniform(0.1, 0.9, patients)
    summary = pre_post(
        measure,
        n=[patients],
        mean_pre=[pre.mean()],
        mean_post=[post.mean()],
        sd_pre=[pre.std(ddof=1)],
        sd_post=[post.std(ddof=1)],
        correlation=[np.corrcoef(pre, post)[0, 1]],
    )
    individual = pre_post_values(measure, study=["a"] * patients, pre=pre, post=post)
    np.testing.assert_allclose(individual.yi, summary.yi, rtol=1e-9)
    np.testing.assert_allclose(individual.vi, summary.vi, rtol=1e-7)


def test_studies_come_in_order_of_first_appearance() -> None:
    yi, _ = pre_post_values("MC", study=["b", "a", "b", "a"], pre=[10, 20, 12, 22], post=[9, 10, 10, 13])
    assert yi.tolist() == [-1.5, -9.5]


def test_the_sd_of_change_and_the_correlation_carry_the_same_information() -> None:
    sd_change = np.sqrt(np.array([25 + 16 - 2 * 0.5 * 20, 36 + 25 - 2 * 0.3 * 30]))
    for measure in PRE_POST_MEASURES:
        by_sd = pre_post(measure, **SUMMARY, sd_change=sd_change)
        by_r = pre_post(measure, **SUMMARY, correlation=[0.5, 0.3])
        np.testing.assert_allclose(by_sd.vi, by_r.vi, rtol=1e-12)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"correlation": [0.5, 1.0]}, "correlation, row 2"),
        ({"sd_change": [30, 5]}, "sd_change, row 1: 30 contradicts"),
        ({}, "either correlation or sd_change"),
        ({"correlation": 0.5, "n": [10, 1]}, "n, row 2: 1 is too few"),
        ({"correlation": 0.5, "sd_pre": [5, 0]}, "sd_pre, row 2: 0 is not positive"),
    ],
)
def test_impossible_summaries_are_refused(changed: dict, message: str) -> None:
    with pytest.raises(PasimetaError, match=message):
        pre_post("MC", **{**SUMMARY, **changed})


def test_a_log_ratio_of_nonpositive_means_is_refused() -> None:
    with pytest.raises(PasimetaError, match="mean_post, row 1: 0 is not positive"):
        pre_post("ROMC", **{**SUMMARY, "mean_post": [0, 12]}, correlation=0.5)


def test_a_study_of_one_patient_is_refused() -> None:
    with pytest.raises(PasimetaError, match="study 'b' has one patient"):
        pre_post_values("MC", study=["a", "a", "b"], pre=[1, 2, 3], post=[1, 1, 1])
