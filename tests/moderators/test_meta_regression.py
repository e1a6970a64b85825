"""Meta-regression agrees with metafor; its permutation test enumerates every distinct arrangement."""

from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pasimeta.errors import PasimetaError
from pasimeta.moderators import meta_regression
from pasimeta.moderators.permutations import arrangements
from pasimeta.synthesis import pool

pytestmark = pytest.mark.filterwarnings("ignore::pasimeta.errors.PasimetaWarning")


def test_two_moderators_agree_with_metafor(bcg: tuple, bcg_trials: pd.DataFrame) -> None:
    # R's metafor 3.8.1, rma(mods = ~ ablat + year, test = "knha"), threshold 1e-14. Its coefficient of the year is off
    # in the eighth digit; coefficients and tau2 are from 40-digit arithmetic (mpmath) instead.
    result = meta_regression(*bcg, bcg_trials[["ablat", "year"]], test="knha")
    exact = [-3.545353019909649413, -0.02801132944421589490, 0.001907480447490332439]
    np.testing.assert_allclose(result.estimate, exact, rtol=1e-10)
    assert result.tau2 == pytest.approx(0.1107846969474216768, rel=1e-11)
    np.testing.assert_allclose(result.se, [32.2563394834655242, 0.0113456775206506, 0.0162788048736337], rtol=1e-9)
    np.testing.assert_allclose(result.p_value, [0.9146537739371858, 0.0331673351463309, 0.9090408261305588], rtol=1e-9)
    assert result.qm == pytest.approx(4.9649475558990170, rel=1e-9)
    assert result.qm_df == (2, 10)
    assert result.qm_p_value == pytest.approx(0.0318035012856683, rel=1e-9)
    assert result.r2 == pytest.approx(64.6330147355824778, rel=1e-9)
    assert result.i2 == pytest.approx(71.9773177783517752, rel=1e-9)
    assert result.q == pytest.approx(28.3251436562552747, rel=1e-9)
    assert result.names == ("intercept", "ablat", "year")


@pytest.mark.parametrize("method", ["EE", "DL", "HE", "HS", "SJ", "ML", "REML", "PM"])
def test_every_estimator_solves_the_weighted_normal_equations(
    bcg: tuple, bcg_trials: pd.DataFrame, method: str
) -> None:
    yi, vi = bcg
    result = meta_regression(yi, vi, bcg_trials[["ablat"]], method, "z")
    X = np.column_stack([np.ones(13), bcg_trials["ablat"]])
    W = np.diag(1 / (vi + result.tau2))
    np.testing.assert_allclose(X.T @ W @ (yi - X @ result.estimate), 0, atol=1e-6)
    np.testing.assert_allclose(result.se, np.sqrt(np.diag(np.linalg.inv(X.T @ W @ X))), rtol=1e-9)


def test_permutation_p_values_agree_with_metafor(bcg: tuple, bcg_trials: pd.DataFrame) -> None:
    # R's metafor 3.8.1, permutest(exact = TRUE): allocation as 0/1, Knapp-Hartung; latitude in the first 7 trials, z.
    yi, vi = bcg
    random = (bcg_trials["alloc"] == "random").astype(float)
    result = meta_regression(yi, vi, random, test="knha", permutations=2000)
    assert result.permutations_exact
    assert result.permutations == 1716
    assert result.permutation_p_value[1] == pytest.approx(0.1824009324009324, rel=1e-12)
    assert result.qm_permutation_p_value == pytest.approx(0.1824009324009324, rel=1e-12)
    few = meta_regression(yi[:7], vi[:7], bcg_trials["ablat"][:7], test="z", permutations=5000)
    assert few.permutations == 2520
    assert few.qm_permutation_p_value == pytest.approx(0.1841, abs=5e-5)


def test_drawn_permutations_come_near_all_of_them_and_repeat_with_the_seed(
    bcg: tuple, bcg_trials: pd.DataFrame
) -> None:
    random = (bcg_trials["alloc"] == "random").astype(float)
    drawn = [meta_regression(*bcg, random, test="knha", permutations=1000, seed=s) for s in (1, 1, 2)]
    assert not drawn[0].permutations_exact
    assert drawn[0].qm_permutation_p_value == drawn[1].qm_permutation_p_value
    assert drawn[0].qm_permutation_p_value == pytest.approx(0.1824, abs=0.05)


@given(st.lists(st.integers(1, 3), min_size=1, max_size=3))
@settings(max_examples=20)
def test_arrangements_are_every_distinct_dealing_once(sizes: list[int]) -> None:
    labels = np.repeat(np.arange(len(sizes)), sizes)
    dealt = arrangements(np.array(sizes))
    seen = {tuple(labels[np.argsort(row)]) for row in dealt}
    if labels.size <= 7:
        assert seen == set(permutations(labels.tolist()))
    assert len(seen) == len(dealt)


def test_a_moderator_that_explains_everything_has_an_r2_of_100() -> None:
    x = np.arange(8.0)
    wobble = np.array([1, -1, -1, 1, 1, -1, -1, 1]) * 1e-3
    result = meta_regression(x + wobble, np.full(8, 0.01), {"x": x})
    assert result.tau2 == 0
    assert result.r2 == 100
    assert result.estimate[1] == pytest.approx(1.0, abs=1e-3)


def test_without_heterogeneity_there_is_no_r2() -> None:
    result = meta_regression([0.1, 0.11, 0.1, 0.12], [1, 1, 1, 1], {"x": [1, 2, 3, 5]})
    assert result.r2 is None
    assert any("R2 does not exist" in text for text in result.warnings)


@given(shift=st.floats(-5, 5), scale=st.sampled_from([0.1, 3.0, -2.0]))
@settings(max_examples=20)
def test_recoding_a_moderator_leaves_the_model_alone(shift: float, scale: float) -> None:
    generator = np.random.default_rng(0)
    x, vi = generator.normal(size=9), generator.uniform(0.05, 0.5, 9)
    yi = 0.5 * x + generator.normal(0, 0.6, 9)
    here, there = meta_regression(yi, vi, {"x": x}), meta_regression(yi, vi, {"x": shift + scale * x})
    assert there.tau2 == pytest.approx(here.tau2, rel=1e-8, abs=1e-10)
    assert there.qm == pytest.approx(here.qm, rel=1e-7)
    assert there.estimate[1] * scale == pytest.approx(here.estimate[1], rel=1e-7)


def test_a_balanced_moderator_with_no_effect_leaves_the_mean_where_it_was() -> None:
    yi, vi = np.array([0.2, 0.6, 0.2, 0.6]), np.full(4, 0.1)
    result = meta_regression(yi, vi, {"x": [-1, -1, 1, 1]}, "EE", "z")
    assert result.estimate[1] == pytest.approx(0, abs=1e-15)
    assert result.estimate[0] == pytest.approx(pool(yi, vi, "EE").estimate)


@pytest.mark.parametrize(
    ("moderators", "message"),
    [
        ({"a": [1, 2, 3, 4], "b": [2, 4, 6, 8]}, "b is collinear with intercept, a"),
        ({"a": [3, 3, 3, 3]}, "a is collinear with intercept"),
        ({"a": [1, 2, 3]}, "unequal lengths"),
        ({"a": [1, 2, 3, np.nan]}, "a, row 4: nan is missing"),
        ({"a": ["x", "y", "x", "y"]}, "a, row 1: 'x' is not a number"),
        ({"a": [1, 2, 3, 4], "b": [1, 2, 3]}, "moderators have unequal lengths"),
        (np.random.default_rng(0).normal(size=(4, 3)), "from 4 studies; drop moderators"),
        (np.zeros((4, 0)), "no column at all"),
        (np.zeros((4, 1, 1)), "is no table"),
    ],
)
def test_bad_moderators_are_refused_by_name_and_row(moderators: object, message: str) -> None:
    with pytest.raises(PasimetaError, match=message):
        meta_regression([0.1, 0.4, 0.2, 0.9], [0.1, 0.2, 0.1, 0.3], moderators)


def test_a_result_tabulates_its_coefficients(bcg: tuple, bcg_trials: pd.DataFrame) -> None:
    frame = meta_regression(*bcg, bcg_trials["ablat"]).to_frame()
    assert frame["term"].tolist() == ["intercept", "ablat"]
